"""Unit (pure; upstream's CRDs where they are): overrides merge into lists by name, and what a kind lacks is refused."""

from typing import Any

import pytest
import yaml

from airunway.provider.overrides import FILE, Shape
from airunway.text.problems import InputError
from airunway.text.yaml_reading import load_data
from providers import PROVIDERS
from tests.unit.samples import GPU, plan
from tests.unit.test_renderers import CRD_FILES
from tests.upstream_crds import crd_folder

RAY = GPU | {"provider": {"name": "kuberay"}}
VLLM = GPU | {"provider": {"name": "vllm"}}


def components(name: str) -> dict[str, Any]:
    return {"spec": {"components": [{"name": name}]}}


def groups(*groups: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"rayClusterConfig": {"workerGroupSpecs": list(groups)}}}


def pod(container: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": container}]}}


def overridden(fields: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    provider = fields.get("provider", {}) | {"overrides": overrides}
    return plan(fields | {"provider": provider}).rendered.resource


def refusal(fields: dict[str, Any], overrides: dict[str, Any]) -> str:
    with pytest.raises(InputError) as refused:
        overridden(fields, overrides)
    return str(refused.value)


@pytest.mark.parametrize(
    ("fields", "overrides", "message"),
    [
        (GPU, {"routerMode": "kv"}, "provider.overrides.routerMode: no field of the root of a DynamoGraphDeployment"),
        (GPU, {"frontend": {"x": 2}}, "valid: spec"),
        (GPU, {"spec": {"routerMode": "kv"}}, "provider.overrides.spec.routerMode: no field of spec of a Dynamo"),
        (GPU, {"spec": {"components": [{"name": "VllmWorker", "sharedMemory": 1}]}}, "mean 'sharedMemorySize'"),
        ({}, {"spec": {"x": 1}}, "provider.overrides.spec: no field of the root of a Workspace"),
        ({}, {"resource": {"nodes": 2}}, "provider.overrides.resource.nodes: no field of resource of a Workspace"),
        (RAY, {"rayClusterConfig": {}}, "provider.overrides.rayClusterConfig: no field of the root of a RayService"),
        (RAY, {"spec": {"rayClusterConfigs": {}}}, "did you mean 'rayClusterConfig'"),
        (VLLM, {"template": {}}, "provider.overrides.template: no field of the root of a Deployment"),
    ],
)  # fmt: skip
def test_a_field_that_the_kind_lacks_is_refused(fields: dict[str, Any], overrides: Any, message: str) -> None:
    assert message in refusal(fields, overrides)


@pytest.mark.parametrize(
    ("fields", "overrides", "message"),
    [
        (GPU, components("VLLMWorker"), "VLLMWorker is new there and must have type; did you mean 'VllmWorker'"),
        (GPU, components("frontend"), "did you mean 'Frontend'"),
        (RAY, groups({"groupName": "gpu"}), "gpu is new there and must have template"),
        (VLLM, {"spec": {"template": pod("model")}}, "model is new there and must have image"),
        ({}, {"inference": {"template": pod("modell")}}, "did you mean 'model'"),
    ],
)
def test_a_new_element_that_lacks_what_it_needs_is_taken_for_a_typo(fields: Any, overrides: Any, message: str) -> None:
    assert message in refusal(fields, overrides)


def test_a_new_component_and_a_new_group_are_accepted() -> None:
    planner = {"name": "Planner", "type": "planner", "podTemplate": {"spec": {}}}
    components = overridden(GPU, {"spec": {"components": [planner]}})["spec"]["components"]
    assert [c["name"] for c in components] == ["Frontend", "VllmWorker", "Planner"]
    groups = [{"groupName": "cpu-workers", "template": {"spec": {}}}]
    spec = overridden(RAY, {"spec": {"rayClusterConfig": {"workerGroupSpecs": groups}}})["spec"]
    assert [g["groupName"] for g in spec["rayClusterConfig"]["workerGroupSpecs"]] == ["gpu-workers", "cpu-workers"]


def test_an_override_of_a_container_keeps_its_other_fields() -> None:
    mount = {"name": "cache", "mountPath": "/cache"}
    pod = {"containers": [{"name": "model", "volumeMounts": [mount]}], "volumes": [{"name": "cache", "emptyDir": {}}]}
    before = plan({}).rendered.resource["inference"]["template"]["spec"]["containers"][0]
    after = overridden({}, {"inference": {"template": {"spec": pod}}})["inference"]["template"]["spec"]
    assert after["containers"] == [before | {"volumeMounts": [mount]}]
    assert after["volumes"] == pod["volumes"]


def test_an_override_of_a_worker_group_keeps_its_template() -> None:
    groups = [{"groupName": "gpu-workers", "idleTimeoutSeconds": 60}]
    before = plan(RAY).rendered.resource["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]
    after = overridden(RAY, {"spec": {"rayClusterConfig": {"workerGroupSpecs": groups}}})
    assert after["spec"]["rayClusterConfig"]["workerGroupSpecs"] == [before | groups[0]]


def test_sizes_and_security_can_t_be_overridden_within_a_named_element_either() -> None:
    component = {"name": "VllmWorker", "replicas": 3}
    assert "components[0].replicas: can't be overridden" in refusal(GPU, {"spec": {"components": [component]}})


@pytest.mark.parametrize("provider", [p for p in PROVIDERS if p.KIND in CRD_FILES], ids=lambda p: p.NAME)
def test_the_known_fields_are_those_of_the_crd(provider: Any) -> None:
    """Every map in the file has all fields that the CRD has there, and no other."""
    path = crd_folder() / CRD_FILES[provider.KIND]
    if not path.exists():
        pytest.skip(f"no upstream CRD: {path} is not there")
    versions = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]["versions"]
    for version, data in load_data(provider.FOLDER / FILE).items():
        crd = next(v for v in versions if v["name"] == version.rpartition("/")[2])["schema"]["openAPIV3Schema"]
        for field, names in Shape.model_validate(data).fields.items():
            own = {"apiVersion", "kind", "metadata", "status"} if field == "" else set()
            assert set(names) == set(below(crd, field)["properties"]) - own, (version, field)


def below(schema: Any, field: str) -> Any:
    for part in field.split(".") if field else []:
        schema = schema["properties"][part.removesuffix("[]")]
        schema = schema["items"] if part.endswith("[]") else schema
    return schema
