"""Unit (pure): the provider that the cluster's controller decides on, by its own algorithm and by the rules that its
provider shims register, and where that is not ours.
"""

import json
from typing import Any

import pytest

from airunway.planning.controller_decision import controller_decision, controller_differences
from airunway.selection.provider_config import InferenceProviderConfig
from providers import PROVIDERS
from tests.unit.controller_stacks import GROUPS, sent
from tests.unit.samples import DISAGGREGATED, GPU, builtin, choose, config, spec

TABLE: list[dict[str, Any]] = [
    {},
    {"resources": {"gpu": {"count": 0}}},
    {"engine": {"type": "sglang"}, **GPU},
    {"engine": {"type": "trtllm"}, **GPU},
    {"engine": {"type": "llamacpp"}},
    {"engine": {"type": "llamacpp"}, **GPU},
    DISAGGREGATED,
    GPU,
    {"engine": {"type": "vllm"}, "resources": {"gpu": {"count": 8}}},
    {"provider": {"name": "kuberay"}, **GPU},
]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("fields", TABLE, ids=json.dumps)
def test_with_our_providers_registered_the_controller_decides_every_row_of_the_decision_table_alike(
    fields: Any, group: str
) -> None:
    chosen = choose(**fields)
    decision = controller_decision(sent(group, **fields)["spec"], builtin(), group)
    assert (decision.engine, decision.provider) == (str(chosen.engine), chosen.provider)


def output(configs: list[InferenceProviderConfig], **fields: Any) -> list[str]:
    body = spec(**fields)
    return controller_differences(
        body,
        sent(**fields)["spec"],
        choose(configs, **fields),
        configs,
        "airunway.ai",
        PROVIDERS.shims,
    )


def test_the_shims_own_rules_that_decide_otherwise_are_told_with_what_settles_it() -> None:
    (warning,) = [w for w in output(list(builtin()), resources={"gpu": {"count": 2}}) if "decide otherwise" in w]
    assert (
        warning
        == "with the rules that the provider shims register when they start, the controller would decide otherwise:"
        " vllm on kuberay, by priority 80; set engine.type: vllm and provider.name: dynamo to pin the decision"
    )
    settled = {"engine": {"type": "vllm"}, "provider": {"name": "dynamo"}, "resources": {"gpu": {"count": 2}}}
    assert [w for w in output(list(builtin()), **settled) if "decide otherwise" in w] == []


def test_a_provider_none_of_whose_rules_is_true_still_wins_in_the_controller_by_its_name() -> None:
    decision = controller_decision({"resources": {"gpu": {"count": 1.0}}}, [config("b"), config("a")], "airunway.ai")
    assert (decision.provider, decision.reason) == ("a", "name, as no rule of any provider is true")


def test_the_controller_chooses_the_engine_without_regard_to_the_named_provider() -> None:
    only = config("only", engines=[{"name": "sglang", "gpuSupport": True}])
    warnings = controller_differences(
        spec(provider={"name": "only"}, **GPU),
        {"model": {"id": "o/m"}, "provider": {"name": "only"}, "resources": {"gpu": {"count": 1}}},
        choose([only, config("x")], provider={"name": "only"}, **GPU),
        [only, config("x")],
        "airunway.ai",
        PROVIDERS.shims,
    )
    assert any("vllm on only, by provider.name; set engine.type: sglang" in w for w in warnings)


def test_a_rule_that_fails_counts_as_false_in_the_controller() -> None:
    failing = config("fails", ("spec.nothing.here == 1", 90))
    decision = controller_decision(
        {"engine": {"type": "vllm"}, "resources": {}},
        [failing, config("right", ("spec.engine.type == 'vllm'", 10))],
        "airunway.ai",
    )
    assert decision.provider == "right"


def test_nothing_fits_is_told_too() -> None:
    assert (
        controller_decision({"resources": {}}, [], "airunway.ai").reason
        == "no engine available from the registered providers"
    )
    pinned = {"engine": {"type": "trtllm"}, "resources": {}}
    assert controller_decision(pinned, list(builtin()), "airunway.ai").reason == "no compatible provider found"
