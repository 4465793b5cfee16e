"""Unit (pure): a provider whose objects are of a kind that others use too. It is a stand-in: KubeRay's module with
another kind.
"""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
import yaml

from airunway.live import failures, status
from airunway.live.adoption import adopt
from airunway.live.api_server.connection import label_selector
from airunway.planning.deployment import PlanContext, plan_entry
from airunway.planning.plan import PlannedProvider, has_operator
from airunway.planning.settings import StackSettings
from airunway.provider.contract import Provider, is_kubernetes_own
from airunway.provider.provider_set import Providers
from airunway.provider.render import render
from airunway.report import compare
from airunway.selection.provider_config import load_config
from airunway.text.problems import InputError
from providers import PROVIDERS, kuberay
from tests.unit.samples import builtin, config, plan

LABELS = {"airunway.ai/provider": "one"}


def sharing(name: str, **more: Any) -> Provider:
    module = ModuleType(name)
    vars(module).update(
        vars(kuberay) | {"NAME": name, "KIND": "Deployment", "API_VERSION": "apps/v1", "SELECTOR": LABELS} | more
    )
    return cast(Provider, module)


ONE = sharing("one", REPLACE_ON_CHANGES=("spec.fixed",))
OTHER = sharing("other", SELECTOR={"airunway.ai/provider": "other"})
BOTH = Providers([*PROVIDERS, ONE, OTHER])


def deployment(**labels: str) -> dict[str, Any]:
    metadata = {"name": "demo", "namespace": "ml", "labels": labels} if labels else {"name": "demo", "namespace": "ml"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


MINE = deployment(**LABELS, more="x")
REGISTRY = deployment(**{"airunway.ai/managed-by": "airunway"})


def test_whose_an_object_is_shows_in_its_labels_where_kinds_are_shared() -> None:
    assert BOTH.for_object(MINE) is ONE
    assert BOTH.for_object(deployment(**OTHER.SELECTOR)) is OTHER
    assert BOTH.for_object(REGISTRY) is None
    assert BOTH.for_object(deployment()) is None
    assert BOTH.for_object({"kind": "Workspace", "metadata": {}}) is PROVIDERS.get("kaito")
    assert BOTH.for_object({}) is None


def test_what_is_rendered_has_the_labels_whatever_the_provider_does() -> None:
    planned = plan({"provider": {"name": "kuberay"}, "resources": {"gpu": {"count": 1}}})
    metadata = render(ONE, planned.request).resource["metadata"]
    assert metadata["labels"] == planned.rendered.resource["metadata"]["labels"] | LABELS
    assert "airunway.ai/provider" not in planned.rendered.resource["metadata"]["labels"]


def test_a_selector_names_all_labels() -> None:
    assert label_selector({"b": "2", "a": "1"}) == "a=1,b=2"
    assert label_selector({}) == ""


def test_a_conflict_of_another_s_object_is_not_said_to_be_an_entry_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "PROVIDERS", BOTH)
    error = "Apply failed with 1 conflict: conflict with x"
    assert "takeOver: true" in failures.failure_message("demo", MINE, error)
    assert "takeOver: true" not in failures.failure_message("registry", REGISTRY, error)


def test_who_understands_a_status_is_who_the_object_belongs_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PROVIDERS", BOTH)
    assert status.observer_of(MINE) is ONE.observe
    assert status.observer_of(REGISTRY) is None
    assert status.observe(REGISTRY).message == "no provider creates a Deployment like it"


def test_a_deployment_s_status_is_read_by_its_own_provider_whatever_its_live_labels_are() -> None:
    planned = replace(plan({"provider": {"name": "kuberay"}, "resources": {"gpu": {"count": 1}}}), provider=ONE)
    live = deployment() | {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert status.deployment_status(planned, live).phase == "Running"


def test_what_a_provider_says_is_fixed_holds_for_its_own_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "PROVIDERS", BOTH)

    def document(obj: dict[str, Any], path: str, value: int) -> dict[str, Any]:
        resource = {
            "urn": "u",
            "type": "kubernetes:apps/v1:Deployment",
            "name": "n",
            "inputs": obj | {"spec": {path: value}},
        }
        return {"stack": "s", "deployments": [], "resources": [resource]}

    for obj, path, operation in (
        (MINE, "fixed", "replace"),
        (REGISTRY, "fixed", "update"),
        (REGISTRY, "selector", "replace"),
    ):
        (change,) = compare.compare(document(obj, path, 1), document(obj, path, 2)).resources
        assert change.operation == operation


def test_an_object_of_a_shared_kind_that_is_nobody_s_is_not_taken_for_an_entry() -> None:
    result = adopt(REGISTRY, PlanContext(BOTH, builtin(), StackSettings()))
    assert result.reasons == ("no provider creates such objects",)


def test_a_provider_of_kubernetes_own_kinds_takes_no_operator_unless_it_is_given_a_chart() -> None:
    assert not has_operator(config("one"), BOTH)
    chart = {"name": "gpu", "chart": "oci://x/gpu", "version": "1", "namespace": "gpu"}
    body = config("one").spec.model_dump(by_alias=True, mode="json") | {"installation": {"helmCharts": [chart]}}
    document = {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "InferenceProviderConfig",
        "metadata": {"name": "one"},
        "spec": body,
    }
    assert has_operator(load_config(document, "one"), BOTH)
    assert has_operator(config("kaito"), BOTH), "its kind is its operator's, though this document has no chart"
    assert has_operator(config("unknown"), BOTH)


def test_an_operator_that_there_is_none_of_is_not_missed() -> None:
    result = status.operator_status(PlannedProvider(config("one"), True, operator=False), True, {}, [], shim=False)
    assert result.message == "its provider shim is not ready, so the controller does not select it"


def test_who_has_not_acted_yet_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PROVIDERS", BOTH)
    assert status.observe(MINE).message == "no status yet: is its controller running?"
    ray = {"apiVersion": "ray.io/v1", "kind": "RayService", "metadata": {"name": "demo"}}
    assert status.observe(ray).message == "no status yet: is its operator running?"


@pytest.mark.parametrize(
    ("name", "group", "delivered"),
    [("one", "airunway.ai", False), ("two", "airunway.ai", True), ("two", "kubeairunway.ai", False)],
)
def test_a_controller_is_given_only_what_it_has_a_provider_for(
    name: str, group: str, delivered: bool, tmp_path: Path
) -> None:
    if name == "two":
        (tmp_path / "shim.yaml").write_text(yaml.safe_dump({"groups": ["airunway.ai"], "rules": []}))
    providers = Providers([sharing(name, FOLDER=tmp_path)])
    settings = StackSettings.model_validate({"delivery": "modeldeployment", "controller": {"apiGroup": group}})
    entry = {"name": "demo", "model": {"id": "a/b"}, "provider": {"name": name}, "engine": {"type": "vllm"}}
    target = PlanContext(providers, [config(name)], settings)
    if delivered:
        assert plan_entry(entry, target).rendered.resource["kind"] == "ModelDeployment"
        return
    with pytest.raises(InputError) as refused:
        plan_entry(entry, target)
    assert str(refused.value) == f"delivery: the controller of {group} has no provider {name}; use delivery: direct"


def test_the_defaults_of_a_kind_without_a_crd_are_in_the_provider_s_folder(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text("properties: {spec: {properties: {paused: {default: false}}}}")
    assert Providers([sharing("one", FOLDER=tmp_path)]).schemas["one"]["properties"]["spec"]["properties"] == {
        "paused": {"default": False}
    }
    assert PROVIDERS.schemas.keys() == {p.NAME for p in PROVIDERS if is_kubernetes_own(p.API_VERSION)}
