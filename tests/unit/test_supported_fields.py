"""Unit (pure): every leaf of the spec is honoured by a provider that declares it or refused by name, for every
provider, engine, mode and delivery.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import Field

from airunway.planning import controller_delivery as delivery
from airunway.planning.deployment import PlannedDeployment
from airunway.provider.contract import Provider
from airunway.provider.supported_fields import PLANNING_FIELDS
from airunway.spec.entry import ENTRY_FIELDS, DeploymentEntry
from airunway.spec.model import EngineSpec, EnvVar, ModelDeploymentSpec, Text
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError, Problem
from providers import PROVIDERS
from tests.unit.smallest_deployments import BASES, CASES, DELIVERIES, delivers, planned
from tests.unit.spec_leaves import COMPANIONS, changed, default_of, leaves, values

LEAVES = dict(leaves(DeploymentEntry))
# The base of each case has these already: that they are read shows in the cases being different.
COORDINATES = {"provider.name", "engine.type", "serving.mode", "delivery"}
# What only a controller does.
FOR_A_CONTROLLER = {"gateway.enabled", "gateway.modelName", "gateway.httpRouteRef"}


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
