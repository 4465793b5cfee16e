"""Unit (pure): which engine and provider a spec gets, and the laws that selection keeps."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.selection.capabilities import unfit_reason
from airunway.selection.default_engine import PREFERENCE
from airunway.selection.select import select
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import InputError
from tests.unit.samples import DISAGGREGATED, GPU, builtin, choose, config, spec


@pytest.mark.parametrize(
    ("fields", "engine", "provider"),
    [
        ({}, "llamacpp", "kaito"),
        ({"resources": {"memory": "8Gi"}}, "llamacpp", "kaito"),
        ({"resources": {"gpu": {"count": 0}}}, "llamacpp", "kaito"),
        ({"engine": {"type": "trtllm"}, **GPU}, "trtllm", "dynamo"),
        ({"engine": {"type": "sglang"}, **GPU}, "sglang", "dynamo"),
        ({"engine": {"type": "llamacpp"}}, "llamacpp", "kaito"),
        ({"engine": {"type": "llamacpp"}, **GPU}, "llamacpp", "kaito"),
        (DISAGGREGATED, "vllm", "dynamo"),
        ({"engine": {"type": "sglang"}, **DISAGGREGATED}, "sglang", "dynamo"),
        (GPU, "vllm", "dynamo"),
        ({"engine": {"type": "vllm"}, **GPU}, "vllm", "dynamo"),
        ({"resources": {"gpu": {"count": 2}}}, "vllm", "dynamo"),
        ({"resources": {"gpu": {"count": 8}}}, "vllm", "dynamo"),
        ({"provider": {"name": "kuberay"}, **GPU}, "vllm", "kuberay"),
        ({"provider": {"name": "vllm"}, **GPU}, "vllm", "vllm"),
        ({"provider": {"name": "kaito"}, **GPU}, "vllm", "kaito"),
        ({"provider": {"name": "kaito"}}, "llamacpp", "kaito"),
    ],
)
def test_the_decision_table(fields: dict[str, Any], engine: str, provider: str) -> None:
    chosen = choose(**fields)
    assert (str(chosen.engine), chosen.provider) == (engine, provider)


@pytest.mark.parametrize(
    ("provider", "engine", "gpu", "cpu", "disaggregated"),
    [
        ("kaito", "vllm", True, False, False),
        ("kaito", "sglang", False, False, False),
        ("kaito", "trtllm", False, False, False),
        ("kaito", "llamacpp", True, True, False),
        ("dynamo", "vllm", True, False, True),
        ("dynamo", "sglang", True, False, True),
        ("dynamo", "trtllm", True, False, True),
        ("dynamo", "llamacpp", False, False, False),
        ("kuberay", "vllm", True, False, True),
        ("kuberay", "sglang", False, False, False),
        ("kuberay", "trtllm", False, False, False),
        ("kuberay", "llamacpp", False, False, False),
        ("vllm", "vllm", True, False, False),
        ("vllm", "sglang", False, False, False),
        ("vllm", "trtllm", False, False, False),
        ("vllm", "llamacpp", False, False, False),
    ],
)
def test_the_capability_matrix(provider: str, engine: str, gpu: bool, cpu: bool, disaggregated: bool) -> None:
    for fields, possible in ((GPU, gpu), ({}, cpu), (DISAGGREGATED, disaggregated)):
        pinned: dict[str, Any] = {"provider": {"name": provider}, "engine": {"type": engine}, **fields}
        if possible:
            assert choose(**pinned).provider == provider
        else:
            with pytest.raises(InputError):
                choose(**pinned)


def test_every_engine_has_its_place_in_the_preference() -> None:
    assert sorted(PREFERENCE) == sorted(Engine)


def test_a_provider_besides_kaito_and_dynamo_has_no_rules_and_serves_only_what_names_it() -> None:
    assert {c.name for c in builtin() if c.spec.selection_rules} == {"kaito", "dynamo"}
    assert {c.name for c in builtin()} > {"kaito", "dynamo"}


def test_a_named_provider_is_explicit_and_has_no_rule() -> None:
    chosen = choose(provider={"name": "kuberay"}, **GPU)
    assert chosen.reason == "explicit"
    assert chosen.rule is None


def test_the_reason_names_the_rule_and_its_priority() -> None:
    chosen = choose(engine={"type": "sglang"}, **GPU)
    assert chosen.reason == "rule `spec.engine.type == 'sglang'` (priority 100)"


def test_every_provider_is_a_candidate_with_a_why() -> None:
    chosen = choose(**GPU)
    assert [(c.provider, c.eligible, c.priority, c.reason) for c in chosen.candidates] == [
        (
            "dynamo",
            True,
            50,
            "rule `has(spec.resources.gpu) && spec.resources.gpu.count > 0 && spec.engine.type == 'vllm'`",
        ),
        ("kaito", False, None, "no rule is true"),
        ("kuberay", False, None, "has no selection rules, so it is chosen by name only"),
        ("vllm", False, None, "has no selection rules, so it is chosen by name only"),
    ]


def test_the_highest_priority_wins_and_the_loser_says_so() -> None:
    chosen = choose([config("a", ("true", 10)), config("b", ("true", 20), ("true", 5))])
    assert (chosen.provider, chosen.rule and chosen.rule.priority) == ("b", 20)
    assert "b ranks higher" in chosen.candidates[0].reason


def test_a_tie_goes_to_the_name_that_sorts_first_with_a_warning_that_names_both_rules() -> None:
    chosen = choose([config("zeta", ("spec.engine.type != ''", 10)), config("alpha", ("true", 10))])
    assert chosen.provider == "alpha"
    (warning,) = chosen.warnings
    assert "`true`" in warning
    assert "`spec.engine.type != ''`" in warning
    assert "priority 10" in warning


def test_a_rule_that_fails_is_not_true_and_is_reported() -> None:
    chosen = choose([config("a", ("spec.nope.deeper == 1", 90)), config("b", ("true", 1))])
    assert chosen.provider == "b"
    assert "failed" in chosen.candidates[0].reason
    assert chosen.candidates[0].rules[0].error


def test_a_rule_that_gives_no_bool_is_not_true() -> None:
    chosen = choose([config("a", ("spec.model.id", 90)), config("b", ("true", 1))])
    assert chosen.provider == "b"
    assert "not true or false" in str(chosen.candidates[0].rules[0].error)


def test_no_candidate_is_an_error_that_lists_every_provider() -> None:
    with pytest.raises(InputError) as raised:
        choose([config("a", ("false", 1)), config("b")])
    text = str(raised.value)
    assert "a: no rule is true" in text
    assert "b: has no selection rules" in text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"engine": {"type": "vllm"}}, "resources.gpu.count: no provider fits engine vllm"),
        ({"provider": {"name": "kubray"}}, "provider.name: no provider 'kubray'; did you mean 'kuberay'?"),
        ({"provider": {"name": "dynamo"}}, "engine.type: no engine fits CPU"),
        (
            {"provider": {"name": "kaito"}, "engine": {"type": "sglang"}, **GPU},
            "engine.type: provider kaito does not run sglang",
        ),
        (
            {"provider": {"name": "kaito"}, "engine": {"type": "vllm"}, **DISAGGREGATED},
            "serving.mode: provider kaito does not serve vllm",
        ),
        (
            {"provider": {"name": "kuberay"}, "engine": {"type": "vllm"}},
            "resources.gpu.count: provider kuberay vllm needs a GPU",
        ),
    ],
)
def test_an_impossible_wish_is_refused_at_its_path(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match="^" + message.replace("?", r"\?")):
        choose(**fields)


def test_a_pinned_provider_restricts_the_default_engine_to_its_own() -> None:
    only_llamacpp = [{"name": "llamacpp", "gpuSupport": True}]
    chosen = choose([*builtin(), config("x", engines=only_llamacpp)], provider={"name": "x"}, **GPU)
    assert chosen.engine is Engine.LLAMACPP


COUNTS = st.one_of(st.none(), st.integers(0, 8))
SPECS = st.builds(
    lambda engine, count, mode, pinned: spec(
        **({"engine": {"type": engine}} if engine else {}),
        **({"provider": {"name": pinned}} if pinned else {}),
        **(DISAGGREGATED if mode else {"resources": {"gpu": {"count": count}}} if count is not None else {}),
    ),
    st.sampled_from([None, *map(str, Engine)]),
    COUNTS,
    st.booleans(),
    st.sampled_from([None, "kaito", "dynamo", "kuberay", "vllm"]),
)
RULES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "true",
                "false",
                "spec.nope",
                "has(spec.resources.gpu)",
                "spec.engine.type == 'vllm'",
                "spec.resources.gpu.count > 1",
            ]
        ),
        st.integers(0, 3),
    ),
    max_size=3,
)
CONFIGS = st.lists(st.tuples(st.sampled_from("abcd"), RULES), min_size=1, max_size=4, unique_by=lambda c: c[0])


def outcome(expected: ModelDeploymentSpec, configs: Any) -> Any:
    try:
        return select(expected, configs)
    except InputError as error:
        return error.problems


@given(SPECS, st.permutations(builtin()))
def test_the_order_of_the_configs_does_not_matter(expected: ModelDeploymentSpec, configs: Any) -> None:
    assert outcome(expected, configs) == outcome(expected, builtin())


@given(CONFIGS, st.randoms())
def test_the_order_of_any_configs_does_not_matter(parts: Any, random: Any) -> None:
    configs = [config(name, *rules) for name, rules in parts]
    first = outcome(spec(**GPU), configs)
    random.shuffle(configs)
    assert outcome(spec(**GPU), configs) == first


@given(SPECS, CONFIGS)
def test_a_chosen_provider_can_do_what_is_asked(expected: ModelDeploymentSpec, parts: Any) -> None:
    configs = [*builtin(), *(config(name, *rules) for name, rules in parts)]
    chosen = outcome(expected, configs)
    if not isinstance(chosen, tuple):
        assert unfit_reason(next(c for c in configs if c.name == chosen.provider), expected, chosen.engine) is None
        if chosen.rule is not None:
            assert chosen.rule.priority == max(c.priority for c in chosen.candidates if c.eligible)


def decided(expected: ModelDeploymentSpec, configs: Any) -> Any:
    """Engine, provider and rule of the decision, or None where there is none."""
    chosen = outcome(expected, configs)
    return None if isinstance(chosen, tuple) else (chosen.engine, chosen.provider, chosen.rule)


UNFIT = [
    config(
        "unfit",
        ("true", 99),
        engines=[{"name": "trtllm", "servingModes": ["aggregated"], "gpuSupport": False, "cpuSupport": False}],
    ),
    config("never", ("false", 99), ("spec.nope", 98)),
    config("named-only"),
]


@given(
    SPECS.filter(lambda expected: expected.engine.type is not None), CONFIGS, st.permutations(UNFIT), st.integers(0, 3)
)
def test_a_provider_that_can_not_be_chosen_changes_no_decision(
    expected: ModelDeploymentSpec, parts: Any, more: Any, count: int
) -> None:
    configs = [*builtin(), *(config(name, *rules) for name, rules in parts)]
    assert decided(expected, [*more[:count], *configs]) == decided(expected, configs)


@given(CONFIGS)
def test_the_highest_priority_wins_and_of_equal_ones_the_name_that_sorts_first(parts: Any) -> None:
    expected = spec(engine={"type": "vllm"}, resources={"gpu": {"count": 2}})
    true = {"true", "has(spec.resources.gpu)", "spec.engine.type == 'vllm'", "spec.resources.gpu.count > 1"}
    ranks = {
        name: max((priority for condition, priority in rules if condition in true), default=None)
        for name, rules in parts
    }
    best = sorted((-rank, name) for name, rank in ranks.items() if rank is not None)
    chosen = decided(expected, [config(name, *rules) for name, rules in parts])
    assert (chosen and (-chosen[2].priority, chosen[1])) == (best[0] if best else None)


@given(CONFIGS, st.integers(1, 5))
def test_a_winner_whose_priority_rises_stays_the_winner(parts: Any, more: int) -> None:
    configs = [config(name, *rules) for name, rules in parts]
    chosen = decided(spec(**GPU), configs)
    if chosen:
        raised = [
            config(name, *((condition, min(priority + more, 1000)) for condition, priority in rules))
            if name == chosen[1]
            else before
            for (name, rules), before in zip(parts, configs, strict=True)
        ]
        assert decided(spec(**GPU), raised)[1] == chosen[1]


@given(SPECS.filter(lambda expected: expected.provider.name is None), CONFIGS)
def test_the_provider_that_is_chosen_is_chosen_when_it_is_named(expected: ModelDeploymentSpec, parts: Any) -> None:
    configs = [*builtin(), *(config(name, *rules) for name, rules in parts)]
    chosen = decided(expected, configs)
    if chosen:
        engine, provider, _ = chosen
        body = expected.model_dump(by_alias=True, exclude_unset=True, mode="json")
        named = spec(
            **{**body, "provider": {"name": provider}, "engine": {**body.get("engine", {}), "type": str(engine)}}
        )
        assert decided(named, configs) == (engine, provider, None)


@given(SPECS, CONFIGS)
def test_every_provider_is_accounted_for_with_a_reason(expected: ModelDeploymentSpec, parts: Any) -> None:
    configs = [*builtin(), *(config(name, *rules) for name, rules in parts)]
    chosen = outcome(expected, configs)
    if isinstance(chosen, tuple):
        assert chosen[0].field in ("provider.name", "engine.type", "serving.mode", "resources.gpu.count")
    else:
        assert [c.provider for c in chosen.candidates] == sorted(c.name for c in configs)
        assert all(c.reason for c in chosen.candidates)
        assert sum(c.provider == chosen.provider and c.eligible for c in chosen.candidates) == 1
