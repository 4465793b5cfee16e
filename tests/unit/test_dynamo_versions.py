"""Unit (pure; upstream's CRDs where they are): graphs of both API versions mean the same and are valid."""

from typing import Any

import pytest

from airunway.live.adoption import adopt
from airunway.planning.deployment import PlanContext, plan_entry
from airunway.planning.settings import StackSettings
from airunway.program.type_token import kind_of
from airunway.report.compare import compare
from airunway.text.problems import InputError
from providers import PROVIDERS
from providers.dynamo import v1alpha1, v1beta1
from providers.dynamo.status import observe
from tests.unit.samples import builtin
from tests.unit.test_renderers import CASES, schema_of

DYNAMO = PROVIDERS.require("dynamo")
NEW = PlanContext(PROVIDERS, builtin(), StackSettings(namespace="ml"))
OLD = NEW.with_api_version(DYNAMO, v1alpha1.API_VERSION)
GRAPHS = sorted(case for case in CASES if case.startswith("dynamo-") and "overrides" not in case)


def entry_of(case: str) -> dict[str, Any]:
    fields: dict[str, Any] = CASES[case]
    return {"name": "demo"} | fields


def graph(case: str, context: PlanContext) -> dict[str, Any]:
    return plan_entry(entry_of(case), context).rendered.resource


@pytest.mark.parametrize("case", GRAPHS)
def test_a_graph_of_the_older_version_is_valid_by_its_schema(case: str) -> None:
    validator = schema_of("DynamoGraphDeployment", "v1alpha1")
    assert [e.message for e in validator.iter_errors(graph(case, OLD))] == []


@pytest.mark.parametrize("case", GRAPHS)
def test_both_versions_read_back_as_the_same_entry(case: str) -> None:
    old, new = adopt(graph(case, OLD), NEW), adopt(graph(case, NEW), NEW)
    assert old.reasons == new.reasons == ()
    assert old.entry == new.entry


def test_a_stack_says_that_its_operator_serves_the_older_version_only() -> None:
    rendered = plan_entry(entry_of(GRAPHS[0]), OLD).rendered
    assert rendered.resource["apiVersion"] == v1alpha1.API_VERSION
    assert rendered.other_api_versions == (v1beta1.API_VERSION,)


def test_a_version_that_nobody_renders_is_refused() -> None:
    message = "providers.dynamo.spec.apiVersion: 'nvidia.com/v2' given; valid: nvidia.com/v1beta1, nvidia.com/v1alpha1"
    with pytest.raises(InputError, match=message):
        plan_entry(entry_of(GRAPHS[0]), NEW.with_api_version(DYNAMO, "nvidia.com/v2"))


STATUSES = [
    ({"Frontend": {"readyReplicas": 1}, "VllmWorker": {"readyReplicas": 2}}, (2, 2)),
    ({"Frontend": {"readyReplicas": 1}, "VllmWorker": {"availableReplicas": 1}}, (2, 1)),
    ({}, (2, 0)),
]


@pytest.mark.parametrize(("components", "replicas"), STATUSES)
def test_a_status_says_the_same_in_both_versions(components: dict[str, Any], replicas: tuple[int, int]) -> None:
    fields = {"services": components}, {"components": components}
    entry = {"name": "x", "model": {"id": "a/b"}, "resources": {"gpu": {"count": 1}}, "scaling": {"replicas": 2}}
    for context, field in zip((OLD, NEW), fields, strict=True):
        live = plan_entry(entry, context).rendered.resource | {"status": {"state": "successful", **field}}
        observation = observe(live)
        assert (observation.replicas.desired, observation.replicas.ready) == replicas


def document(case: str, context: PlanContext) -> dict[str, Any]:
    rendered = plan_entry(entry_of(case), context).rendered
    resource = rendered.resource
    kind = f"kubernetes:{resource['apiVersion']}:{resource['kind']}"
    aliases = [f"kubernetes:{v}:{resource['kind']}" for v in rendered.other_api_versions]
    trigger = {"replacementTrigger": rendered.replacement_trigger}
    urn = f"urn:pulumi:s::p::airunway:index:ModelDeployment${kind}::x"
    row = {"urn": urn, "type": kind, "name": "x", "inputs": resource, "aliases": aliases, **trigger}
    return {"stack": "s", "deployments": [], "resources": [row]}


def test_another_version_of_the_same_graph_is_an_update_in_place() -> None:
    for before, after in ((OLD, NEW), (NEW, OLD)):
        (change,) = compare(document(GRAPHS[0], before), document(GRAPHS[0], after)).resources
        assert (change.operation, change.kind) == ("update", kind_of("kubernetes:x/v1:DynamoGraphDeployment"))


@pytest.mark.parametrize("context", [OLD, NEW], ids=["v1alpha1", "v1beta1"])
def test_other_components_are_a_replacement(context: PlanContext) -> None:
    aggregated, apart = document("dynamo-vllm-aggregated", context), document("dynamo-vllm-disaggregated", context)
    (change,) = compare(aggregated, apart).resources
    assert change.operation == "replace"
    assert "replacementTrigger" in change.forced_by
