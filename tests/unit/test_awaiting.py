"""Unit (pure): what Pulumi is told to wait for."""

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any, cast

from airunway.planning.await_annotations import supporting_objects, with_await_annotations
from airunway.planning.deployment import PlannedDeployment
from airunway.provider.contract import Provider
from airunway.provider.observation import Phase, ReadyState
from airunway.provider.render import render
from providers import kaito
from tests.unit.samples import plan

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "demo", "annotations": {"note": "x"}},
    "spec": {},
}
CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "demo-cache"}, "spec": {}}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "demo"}}


def annotations(planned: PlannedDeployment) -> Any:
    return with_await_annotations(planned)["metadata"].get("annotations")


def with_wait(wait_for: str, **more: Any) -> PlannedDeployment:
    planned = plan({})
    return replace(planned, rendered=replace(planned.rendered, wait_for=wait_for), **more)


def test_an_object_is_waited_for_as_its_provider_says() -> None:
    assert annotations(with_wait("condition=Ready")) == {"pulumi.com/waitFor": "condition=Ready"}
    assert annotations(with_wait("condition=Ready", skip_await=True)) == {"pulumi.com/skipAwait": "true"}
    assert annotations(with_wait("x", take_over=True)) == {"pulumi.com/waitFor": "x", "pulumi.com/patchForce": "true"}


def test_what_is_waited_for_may_depend_on_the_object_as_it_is_after_overrides() -> None:
    class Counted(ReadyState):
        def wait_for(self, resource: Mapping[str, Any]) -> str:
            return f"jsonpath={{.status.count}}={resource['resource']['count']}"

    module = ModuleType("counted")
    vars(module).update(vars(kaito) | {"READY": Counted("state", {"on": Phase.RUNNING})})
    request = plan({"provider": {"overrides": {"resource": {"count": 7}}}}).request
    assert render(cast(Provider, module), request).wait_for == "jsonpath={.status.count}=7"


def test_a_service_and_a_claim_do_not_wait_for_pods_that_come_after_them() -> None:
    planned = plan({})
    result = supporting_objects(
        replace(planned, rendered=replace(planned.rendered, supporting=(SERVICE, CONFIG, CLAIM)))
    )
    assert result[0]["metadata"]["annotations"] == {"note": "x", "pulumi.com/skipAwait": "true"}
    assert result[1] == CONFIG
    assert result[2]["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_what_an_object_is_annotated_with_anyway_stays() -> None:
    planned = with_wait("condition=Ready")
    planned.rendered.resource["metadata"]["annotations"] = {"note": "x"}
    assert annotations(planned) == {"note": "x", "pulumi.com/waitFor": "condition=Ready"}
