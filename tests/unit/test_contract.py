"""Unit (pure): the contract of a provider, for every leaf of the spec, every provider, engine, mode and delivery."""

import ast
import inspect
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from airunway.live.status import observe
from airunway.planning import model_deployment as delivery
from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_deployment
from airunway.planning.settings import StackSettings
from airunway.provider.contract import Provider, is_kubernetes_own
from airunway.provider.observation import Phase, ReadyCondition, ReadyState
from airunway.provider.supported_fields import PLANNING_FIELDS
from airunway.spec.checks import parse_spec
from airunway.spec.entry import ENTRY_FIELDS, DeploymentEntry
from airunway.spec.model import Engine, EngineSpec, EnvVar, Mode, ModelDeploymentSpec, Text
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError, Problem
from providers import PROVIDERS
from tests.unit.samples import builtin
from tests.unit.spec_leaves import COMPANIONS, changed, default_of, leaves, values

ROOT = Path(__file__).parents[2]
LEAVES = dict(leaves(DeploymentEntry))
# The base of each case has these already: that they are read shows in the cases being different.
COORDINATES = {"provider.name", "engine.type", "serving.mode", "delivery"}
# What only a controller does.
FOR_A_CONTROLLER = {"gateway.enabled", "gateway.modelName", "gateway.httpRouteRef"}
DELIVERIES: dict[str, dict[str, Any]] = {
    "direct": {},
    "airunway.ai": {"delivery": "modeldeployment"},
    "kubeairunway.ai": {"delivery": "modeldeployment", "controller": {"apiGroup": "kubeairunway.ai"}},
}


def _bases() -> Iterator[tuple[str, dict[str, Any]]]:
    """A smallest deployment for each provider, engine and mode, on GPU and on CPU where that is possible."""
    capabilities = {c.name: {e.name: e for e in c.spec.capabilities.engines} for c in builtin()}
    for provider in PROVIDERS:
        for engine, modes in provider.SUPPORTED.items():
            for mode in modes:
                base = {
                    "name": "demo",
                    "model": {"id": "org/model"},
                    "provider": {"name": provider.NAME},
                    "engine": {"type": str(engine)},
                    "serving": {"mode": str(mode)},
                }
                name = f"{provider.NAME}-{engine}-{mode}"
                if mode is Mode.DISAGGREGATED:
                    yield name, base | {"scaling": {role: {"gpu": {"count": 1}} for role in ("prefill", "decode")}}
                    continue
                if capabilities[provider.NAME][engine].gpu_support:
                    yield name, base | {"resources": {"gpu": {"count": 1}}}
                if capabilities[provider.NAME][engine].cpu_support:
                    yield f"{name}-cpu", base


BASES = dict(_bases())


def delivers(base: str, how: str) -> bool:
    """Whether the provider is one that the deployment can be given to in this way: not every controller has all of
    them.
    """
    shim = PROVIDERS.shims.get(BASES[base]["provider"]["name"])
    return how == "direct" or (shim is not None and how in shim.get("groups", DELIVERIES))


CASES = [pytest.param(base, how, id=f"{base}-{how}") for base in BASES for how in DELIVERIES if delivers(base, how)]


@cache
def target(how: str) -> PlanContext:
    return PlanContext(PROVIDERS, builtin(), StackSettings.model_validate(DELIVERIES[how]))


def planned(
    entry: dict[str, Any], how: str = "direct", model: type[DeploymentEntry] = DeploymentEntry
) -> PlannedDeployment:
    spec, problems = parse_spec(entry, model)
    if spec is None:
        raise InputError(problems)
    return plan_deployment(spec, target(how))


def effects(deployment: PlannedDeployment) -> Any:
    """All that a plan comes to, but for what it warns of and the entry that it was made from."""
    rendered, selection = replace(deployment.rendered, warnings=()), deployment.request.selection
    decided = (selection.provider, selection.engine)
    return replace(deployment, request=None, rendered=rendered), decided  # type: ignore[arg-type]


def names(problem: Problem, leaf: str) -> bool:
    """Whether the problem is told at the leaf or at the section or list that it is in, or names the leaf in its
    text.
    """
    location = re.sub(r"\[[0-9]+\]", "[]", problem.field)
    return (
        leaf == location
        or location.startswith(f"{leaf}.")
        or leaf.startswith((f"{location}.", f"{location}["))
        or re.search(rf"\b{re.escape(leaf)}\b", problem.message) is not None
    )


def attempts(base: dict[str, Any], leaf: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Entries before and after the leaf is written, with each other value that it may have."""
    for value in values(leaf, LEAVES[leaf], default_of(DeploymentEntry, leaf)):
        before = merge_patch(base, COMPANIONS.get(f"{leaf}={value}", COMPANIONS.get(leaf, {})))
        yield before, changed(before, leaf, value)


def outcome(base: dict[str, Any], how: str, leaf: str) -> Iterator[str]:
    """For each other value of a leaf: honoured, refused, or what is wrong."""
    for before, after in attempts(base, leaf):
        try:
            result = effects(planned(after, how))
        except InputError as error:
            named = any(names(p, leaf) for p in error.problems)
            yield "refused" if named else f"{leaf}: refused without its name: {error}"
            continue
        yield "honoured" if result != effects(planned(before, how)) else f"{leaf}: dropped in silence"


@pytest.mark.parametrize(("base", "how"), CASES)
def test_every_leaf_of_the_spec_changes_the_plan_or_is_refused_by_name(base: str, how: str) -> None:
    outcomes = [o for leaf in LEAVES if leaf not in COORDINATES for o in outcome(BASES[base], how, leaf)]
    assert [o for o in outcomes if o not in ("honoured", "refused")] == []


def test_the_cases_cover_every_leaf_with_a_value_that_somebody_honours() -> None:
    honoured = {leaf for base in BASES.values() for leaf in LEAVES if "honoured" in outcome(base, "direct", leaf)}
    assert set(LEAVES) - honoured - COORDINATES == FOR_A_CONTROLLER
    plans = [effects(planned(base, how)) for name, base in BASES.items() for how in DELIVERIES if delivers(name, how)]
    assert all(one != other for index, one in enumerate(plans) for other in plans[:index])


@pytest.mark.parametrize(("base", "how"), CASES)
def test_a_leaf_that_is_written_with_its_default_is_no_problem(base: str, how: str) -> None:
    entry, before = BASES[base], effects(planned(BASES[base], how))
    for leaf in set(LEAVES) - COORDINATES - {"name", "model.id"}:
        default = default_of(DeploymentEntry, leaf)
        if "[]" in leaf or leaf.startswith(("scaling.prefill", "scaling.decode", "model.gguf", "resources.gpu")):
            continue  # in sections whose being there says something
        after = effects(planned(changed(entry, leaf, default), how))
        assert how != "direct" or after == before, leaf


def test_a_section_that_says_something_by_being_there_is_refused_as_one() -> None:
    base = BASES["dynamo-vllm-aggregated"]
    for gguf in ({}, {"build": False}, {"file": "x.gguf"}):
        with pytest.raises(InputError) as refused:
            planned(merge_patch(base, {"model": {"gguf": gguf}}))
        assert [p.field for p in refused.value.problems] == ["model.gguf"]


class MoreEngine(EngineSpec):
    new_field: int = 0


class MoreVariable(EnvVar):
    new_field: bool = False


class WithLeaf(DeploymentEntry):
    new_field: Text | None = None


class WithEngineLeaf(DeploymentEntry):
    engine: MoreEngine = MoreEngine()


class WithVariableLeaf(DeploymentEntry):
    env: list[MoreVariable] = Field([])  # type: ignore[assignment]


MORE: list[tuple[str, type[DeploymentEntry], Any]] = [
    ("newField", WithLeaf, "x"),
    ("engine.newField", WithEngineLeaf, 1),
    ("env[].newField", WithVariableLeaf, True),
]


@pytest.mark.parametrize(("base", "how"), CASES)
@pytest.mark.parametrize(("leaf", "model", "value"), MORE, ids=[leaf for leaf, _, _ in MORE])
def test_a_leaf_that_is_added_to_the_spec_is_refused_everywhere_until_somebody_honours_it(
    leaf: str, model: type[DeploymentEntry], value: Any, base: str, how: str
) -> None:
    entry = changed(merge_patch(BASES[base], {"env": [{"name": "A"}]} if leaf.startswith("env") else {}), leaf, value)
    with pytest.raises(InputError) as refused:
        planned(entry, how, model)
    assert any(names(p, leaf) for p in refused.value.problems), refused.value


@pytest.mark.parametrize(
    ("base", "fields", "problem"),
    [
        (
            "dynamo-vllm-disaggregated",
            {"scaling": {"replicas": 5}},
            (
                "scaling.replicas: provider dynamo can't honour this with engine vllm in mode disaggregated: prefill"
                " and decode have replicas of their own"
            ),
        ),
        (
            "kuberay-vllm-disaggregated",
            {"resources": {"gpu": {"type": "amd.com/gpu"}}},
            (
                "resources.gpu.type: 'amd.com/gpu' given; in disaggregated mode GPUs belong under scaling.prefill and"
                " scaling.decode"
            ),
        ),
        (
            "kaito-llamacpp-aggregated-cpu",
            {"resources": {"gpu": {"type": "amd.com/gpu"}}},
            "resources.gpu.type: 'amd.com/gpu' given; give resources.gpu.count too",
        ),
        (
            "dynamo-sglang-disaggregated",
            {"resources": {"memory": "7Gi"}, "scaling": {"prefill": {"memory": "1Gi"}, "decode": {"memory": "1Gi"}}},
            "resources.memory: '7Gi' given, but scaling.prefill and scaling.decode have memory of their own",
        ),
        (
            "kaito-vllm-aggregated",
            {"env": [{"name": "A", "value": "1"}, {"name": "B"}]},
            (
                "env: provider kaito can't honour this with engine vllm in mode aggregated: a KAITO preset brings its"
                " own environment"
            ),
        ),
        (
            "kaito-llamacpp-aggregated-cpu",
            {"model": {"source": "custom"}, "image": "registry.example/model:1"},
            (
                "model.id: provider kaito can't honour this: with model.source custom the image holds the model, and no"
                " id is used"
            ),
        ),
    ],
)
def test_a_refusal_names_field_and_provider_with_the_reason(base: str, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as refused:
        planned(merge_patch(BASES[base], fields))
    assert [str(p) for p in refused.value.problems] == [problem]


def test_a_field_without_a_reason_is_refused_with_a_way_out() -> None:
    with pytest.raises(InputError) as refused:
        planned(BASES["dynamo-vllm-aggregated"] | {"newField": "x"}, model=WithLeaf)
    assert (
        str(refused.value)
        == "newField: provider dynamo can't honour this with engine vllm in mode aggregated; leave it out, or write it"
        " into provider.overrides as the DynamoGraphDeployment has it"
    )


def test_all_of_a_deployment_s_problems_are_told_at_once() -> None:
    entry = merge_patch(
        BASES["kaito-vllm-aggregated"],
        {"name": "x" * 53, "tolerations": [{"operator": "Exists"}], "engine": {"args": {"bare": ""}}},
    )
    with pytest.raises(InputError) as refused:
        planned(entry)
    assert [p.field for p in refused.value.problems] == ["name", "tolerations", "engine.args.bare"]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.NAME)
def test_a_provider_declares_leaves_and_sections_that_the_spec_has(provider: Provider) -> None:
    sections = {".".join(leaf.replace("[]", "").split(".")[:n]) for leaf in LEAVES for n in range(1, 5)}
    for modes in provider.SUPPORTED.values():
        for honours in modes.values():
            assert honours.fields <= set(LEAVES)
            assert honours.fields & PLANNING_FIELDS == set()
            assert set(honours.reasons) <= sections
            assert honours.fields & set(honours.reasons) == set()


def test_what_a_controller_is_sent_has_only_fields_of_the_spec() -> None:
    for group in delivery.controller_data()["groups"]:
        assert delivery.supported_fields(group) <= {leaf for leaf, _ in leaves(ModelDeploymentSpec)}
    assert set(LEAVES) - {leaf for leaf, _ in leaves(ModelDeploymentSpec)} == ENTRY_FIELDS


def test_a_default_that_was_written_is_not_sent_where_the_group_has_no_such_field() -> None:
    entry = BASES["dynamo-vllm-aggregated"] | {"engine": {"type": "vllm", "enforceEager": False}}
    assert planned(entry, "airunway.ai").rendered.resource["spec"]["engine"] == {"type": "vllm", "enforceEager": False}
    assert planned(entry, "kubeairunway.ai").rendered.resource["spec"]["engine"] == {"type": "vllm"}


# The tuple PROVIDERS is typed, so mypy fails where a module lacks a member or has another signature; this says the same
# without mypy.
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.NAME)
def test_a_provider_fulfils_the_contract(provider: Provider) -> None:
    methods = {
        name: member
        for name, member in vars(Provider).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    assert set(methods) == {"name_limit", "endpoint", "render", "observe", "read_fields"}
    for name, method in methods.items():
        expected = [p.name for p in inspect.signature(method).parameters.values()][1:]
        assert list(inspect.signature(getattr(provider, name)).parameters) == expected
    for name in Provider.__annotations__:
        assert hasattr(provider, name), name


def test_a_name_and_a_kind_with_its_labels_are_one_provider_s() -> None:
    assert len({p.NAME for p in PROVIDERS}) == len(PROVIDERS)
    for one, other in itertools.permutations(PROVIDERS, 2):
        assert one.KIND != other.KIND or not one.SELECTOR.items() <= other.SELECTOR.items()


SOURCES = [p for d in ("airunway", "components") for p in sorted((ROOT / d).rglob("*.py"))]


def words(source: str) -> Iterator[str]:
    """The names and texts of a module, without comments and docstrings."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    prose = {
        id(n.value) for d in ast.walk(tree) if isinstance(d, documented) for n in d.body if isinstance(n, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value
        elif isinstance(node, ast.Name | ast.Attribute | ast.alias | ast.arg | ast.ImportFrom):
            yield from (str(v) for _, v in ast.iter_fields(node) if isinstance(v, str))


# A provider that is called like an engine, and a kind that Kubernetes has anyway, can't be told by their names. That
# nothing imports a provider but the list is Import Linter's to hold.
TELLING = {p.NAME for p in PROVIDERS} - {*Engine} | {p.KIND for p in PROVIDERS if not is_kubernetes_own(p.API_VERSION)}


@pytest.mark.parametrize("path", [*SOURCES, ROOT / "__main__.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_but_the_list_names_a_provider_outside_its_own_modules(path: Path) -> None:
    pattern = re.compile("|".join(rf"(?<![a-z]){name}(?![a-z])" for name in TELLING), re.IGNORECASE)
    assert [w for w in words(path.read_text()) if pattern.search(w) and "://" not in w] == []


def test_the_list_is_all_that_names_a_provider_where_it_stands() -> None:
    named = [
        w for w in words((ROOT / "providers/__init__.py").read_text()) if any(p.NAME in w.lower() for p in PROVIDERS)
    ]
    assert sorted(named) == sorted([p.NAME for p in PROVIDERS] * 2), "once imported and once in the list"


def labels(kind: str) -> dict[str, str]:
    """The labels by which an object of ``kind`` is a provider's."""
    return {k: v for p in PROVIDERS if kind == p.KIND for k, v in p.SELECTOR.items()}


def live(kind: str) -> Iterator[dict[str, Any]]:
    """The live objects of the status cases, acted on by their operators and not being deleted."""
    cases = yaml.safe_load((Path(__file__).parent / "status_cases.yaml").read_text())[kind]
    for case in cases.values():
        if "status" in case and "deletionTimestamp" not in case.get("metadata", {}):
            status = {k: v for k, v in case["status"].items() if k != "observedGeneration"}
            yield cases["base"] | {
                "kind": kind,
                "metadata": {"name": "demo", "namespace": "ml", "labels": labels(kind)},
                "status": status,
            }


@pytest.mark.parametrize("provider", [*PROVIDERS, delivery], ids=lambda p: p.KIND)
def test_status_says_running_where_an_update_stops_waiting(provider: Any) -> None:
    objects = list(live(provider.KIND))
    assert any(provider.READY.is_ready(obj) for obj in objects)
    for obj in objects:
        ready, phase = provider.READY.is_ready(obj), observe(obj).phase
        # What served and has failed since is Failed.
        assert (phase is Phase.RUNNING) == (ready and phase is not Phase.FAILED), obj


@given(
    state=st.sampled_from(["Ready", "Succeeded", "NotReady", "Running", "successful", "", "x"]),
    kind=st.sampled_from([p.KIND for p in PROVIDERS]),
)
def test_no_state_is_running_that_is_not_waited_for(state: str, kind: str) -> None:
    provider = next(p for p in PROVIDERS if kind == p.KIND)
    obj = {
        "kind": kind,
        "metadata": {"name": "demo", "labels": labels(kind)},
        "status": {"state": state, "conditions": [{"type": "WorkspaceSucceeded", "status": "True"}]},
    }
    assert (observe(obj).phase is Phase.RUNNING) == provider.READY.is_ready(obj)


def test_readiness_is_waited_for_in_pulumi_s_grammar() -> None:
    state = ReadyState("state", {"on": Phase.RUNNING, "off": Phase.PENDING})
    assert (state.wait_for({}), state.is_ready({"status": {"state": "on"}}), state.is_ready({})) == (
        "jsonpath={.status.state}=on",
        True,
        False,
    )
    condition = ReadyCondition("Ready")
    assert (condition.wait_for({}), condition.is_ready({})) == ("condition=Ready", False)
    for phases in ({"off": Phase.PENDING}, {"on": Phase.RUNNING, "up": Phase.RUNNING}):
        with pytest.raises(ValueError, match="one state is Running"):
            ReadyState("state", phases)


@pytest.mark.parametrize(
    ("base", "most"),
    [
        ("kaito-llamacpp-aggregated-cpu", 52),
        ("kuberay-vllm-aggregated", 47),
        ("dynamo-vllm-aggregated", 35),
        ("dynamo-vllm-disaggregated", 28),
    ],
)
@pytest.mark.parametrize("how", ["direct", "airunway.ai"])
def test_a_name_that_is_longer_than_the_upstream_object_s_may_be_is_refused(base: str, most: int, how: str) -> None:
    longest = most if how == "direct" else most - len("-md")
    planned(BASES[base] | {"name": "x" * longest}, how)
    with pytest.raises(InputError, match=f"name: makes a .* at most {most} characters"):
        planned(BASES[base] | {"name": "x" * (longest + 1)}, how)


def elements(value: Any, path: list[str]) -> Iterator[Any]:
    head, *rest = path
    inner = value.get(head.removesuffix("[]"), {})
    for one in inner if head.endswith("[]") else [inner]:
        if rest:
            yield from elements(one, rest)
        else:
            yield head in value


@pytest.mark.parametrize("base", BASES)
def test_what_the_operator_would_write_back_is_rendered_whatever_is_overridden(base: str) -> None:
    provider = next(p for p in PROVIDERS if BASES[base]["provider"]["name"] == p.NAME)
    lists = (
        {"inference": {"template": {"spec": {"containers": [{"name": "mine", "image": "example.com/mine:1"}]}}}}
        if base.startswith("kaito-llamacpp")
        else {}
    )
    for overrides in ({}, lists):
        resource = planned(merge_patch(BASES[base], {"provider": {"overrides": overrides}})).rendered.resource
        for path in provider.OPERATOR_DEFAULTS:
            assert all(elements(resource, path.split("."))), (path, resource)
