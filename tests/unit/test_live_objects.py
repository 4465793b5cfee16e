"""Unit (pure): live objects as models, against the upstream CRDs, the types of Pulumi's Kubernetes SDK, and any JSON
anywhere.
"""

import contextlib
import copy
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_origin

import pulumi_kubernetes as kubernetes
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from airunway.live.adoption import adopt
from airunway.live.objects import CustomResourceDefinition, Deployment, Pod, RegisteredProvider, Schema, Service
from airunway.live.status import observe
from airunway.planning import controller_delivery as delivery
from airunway.provider.live_object import LiveModel, UnreadableError, read_as
from providers import PROVIDERS
from providers.dynamo import v1alpha1, v1beta1
from providers.dynamo.status import ObservedGraph
from providers.kaito.reader import Workspace
from providers.kaito.status import ObservedWorkspace
from providers.kuberay.reader import RayService
from providers.kuberay.status import ObservedRayService
from providers.vllm.reader import ServingDeployment
from providers.vllm.status import ObservedDeployment
from tests.unit.samples import TARGET, builtin, paths, plan
from tests.unit.test_renderers import CRD_FILES
from tests.unit.test_status import ROWS, live
from tests.upstream_crds import crd_folder

GOLDEN = yaml.safe_load((Path(__file__).parent / "golden" / "cases.yaml").read_text())
CONFIGS = {config.name: config for config in builtin()}
GRAPHS = CRD_FILES["DynamoGraphDeployment"]
MODELS: list[tuple[type[LiveModel], str, str]] = [
    (Workspace, CRD_FILES["Workspace"], "v1beta1"),
    (ObservedWorkspace, CRD_FILES["Workspace"], "v1beta1"),
    (v1alpha1.Graph, GRAPHS, "v1alpha1"),
    (v1beta1.Graph, GRAPHS, "v1beta1"),
    (ObservedGraph, GRAPHS, "v1alpha1 v1beta1"),
    (RayService, CRD_FILES["RayService"], "v1"),
    (ObservedRayService, CRD_FILES["RayService"], "v1"),
    (delivery.ObservedModelDeployment, "airunway-0.7.0/airunway.ai_modeldeployments.yaml", "v1alpha1"),
    (RegisteredProvider, "airunway-0.7.0/airunway.ai_inferenceproviderconfigs.yaml", "v1alpha1"),
]


@functools.cache
def definition(file: str) -> Any:
    path = crd_folder() / file
    if not path.exists():
        pytest.skip(f"no upstream CRD: {path} is not there")
    return yaml.load(path.read_text(), yaml.CSafeLoader)


def schema_of(file: str, version: str) -> Any:
    versions: list[dict[str, Any]] = definition(file)["spec"]["versions"]
    return next(v["schema"]["openAPIV3Schema"] for v in versions if v["name"] == version)


def models_in(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """The models of a field's type, each with how it is reached: by itself, as an element of a list or a value of a
    map.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    origin = get_origin(annotation)
    step = "items" if origin is list else "additionalProperties" if origin is dict else ""
    for argument in get_args(annotation):
        yield from ((step or inner, model) for inner, model in models_in(argument))


def unknown(model: type[BaseModel], schema: Any, path: str = "") -> Iterator[str]:
    """Paths of the fields that ``model`` reads, its schema closed, and the schema does not have."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if path == "" and key == "metadata":
            continue  # the API server's own, of which a CRD says no more than that it is there
        below = (schema.get("properties") or {}).get(key)
        if below is None:
            if not schema.get("x-kubernetes-preserve-unknown-fields"):
                yield f"{path}.{key}"
            continue
        for step, inner in models_in(field.annotation):
            yield from unknown(inner, below.get(step) or {} if step else below, f"{path}.{key}{'[]' if step else ''}")


@pytest.mark.parametrize(("model", "file", "version"), MODELS, ids=lambda v: getattr(v, "__name__", None))
def test_what_is_read_of_an_object_is_in_the_schema_of_its_kind(
    model: type[LiveModel], file: str, version: str
) -> None:
    """A model of several versions reads what one of them has."""
    assert set.intersection(*(set(unknown(model, schema_of(file, v))) for v in version.split())) == set()


def test_the_check_against_schemas_finds_a_field_that_is_none() -> None:
    class Odd(LiveModel):
        services: dict[str, ObservedGraph]

    class OddGraph(LiveModel):
        spec: Odd

    schema = schema_of(CRD_FILES["DynamoGraphDeployment"], "v1alpha1")
    assert list(unknown(OddGraph, schema)) == [".spec.services[].spec", ".spec.services[].status"]


@pytest.mark.parametrize("file", sorted({file for _, file, _ in MODELS}))
def test_a_definition_of_a_kind_is_read_with_all_its_defaults(file: str) -> None:
    read = read_as(CustomResourceDefinition, definition(file))
    for version in definition(file)["spec"]["versions"]:
        assert defaults(read.schema_of(version["name"])) == raw_defaults(version["schema"]["openAPIV3Schema"])


def defaults(schema: Schema) -> int:
    more = [schema.additional_properties] if isinstance(schema.additional_properties, Schema) else []
    below = [*schema.properties.values(), *more, *([schema.items] if schema.items else [])]
    return (schema.default is not None) + sum(map(defaults, below))


def raw_defaults(schema: Any) -> int:
    more = [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    below = [*schema.get("properties", {}).values(), *more]
    return ("default" in schema) + sum(map(raw_defaults, below))


CONTAINER_TYPES = "PodSpec Container ContainerPort EnvVar EnvFromSource SecretEnvSource ResourceRequirements"
VOLUME_TYPES = "Volume VolumeMount PersistentVolumeClaimVolumeSource"
OUTPUTS: list[tuple[type[LiveModel], Any, str]] = [
    (Service, kubernetes.core.v1.outputs, "ServiceSpec ServicePort"),
    (Deployment, kubernetes.apps.v1.outputs, "DeploymentSpec DeploymentStatus"),
    (ObservedDeployment, kubernetes.apps.v1.outputs, "DeploymentSpec DeploymentStatus DeploymentCondition"),
    (
        ServingDeployment,
        SimpleNamespace(**vars(kubernetes.core.v1.outputs) | vars(kubernetes.apps.v1.outputs)),
        f"DeploymentSpec PodTemplateSpec {CONTAINER_TYPES} {VOLUME_TYPES}",
    ),
    (
        Pod,
        kubernetes.core.v1.outputs,
        (
            f"PodStatus {CONTAINER_TYPES} ContainerStatus ContainerState"
            f" ContainerStateTerminated PodCondition {VOLUME_TYPES}"
        ),
    ),
]


def models_below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for field in model.model_fields.values():
        for _, inner in models_in(field.annotation):
            yield inner
            yield from models_below(inner)


@pytest.mark.parametrize(("model", "types", "names"), OUTPUTS, ids=lambda v: getattr(v, "__name__", None))
def test_what_is_read_of_kubernetes_own_kinds_is_in_its_types(model: type[LiveModel], types: Any, names: str) -> None:
    known = {name: {to_snake(p) for p in dir(getattr(types, name))} for name in names.split()}
    known["ObjectMeta"] = set(dir(kubernetes.meta.v1.outputs.ObjectMeta))
    known["OwnerReference"] = set(dir(kubernetes.meta.v1.outputs.OwnerReference))
    for inner in set(models_below(model)):
        assert any(set(inner.model_fields) <= fields for fields in known.values()), inner


# --- any JSON in place of any field

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
words = st.sampled_from(
    [
        "",
        "1",
        "one",
        "-1",
        "9" * 30,
        "--",
        "--seed",
        "a: [",
        "~",
        "applications: [1]",
        "applications: {a: 1}",
        "²",
        "\x00",
    ]
)
others = json_values | words


def with_other(obj: Any, path: tuple[Any, ...], other: Any) -> Any:
    changed = here = copy.deepcopy(obj)
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = other
    return changed


@functools.cache
def rendered() -> list[dict[str, Any]]:
    return [plan(fields).rendered.resource for fields in GOLDEN.values()]


def tried(act: Callable[[], Any]) -> None:
    """``act``, which may raise the one declared error, and no other."""
    with contextlib.suppress(UnreadableError):
        act()


@settings(max_examples=600)
@given(st.data())
def test_any_json_in_place_of_any_field_is_read_or_unreadable(data: st.DataObject) -> None:
    obj = data.draw(st.sampled_from([o for o in rendered() if PROVIDERS.for_object(o)]))
    path = data.draw(st.sampled_from([p for p in paths(obj) if p[0] not in ("apiVersion", "kind")]))
    odd = with_other(obj, path, data.draw(others))
    provider = PROVIDERS.for_object(obj)
    assert provider is not None
    tried(lambda: provider.observe(odd))
    tried(lambda: provider.read_fields(odd, CONFIGS[provider.NAME]))
    tried(lambda: adopt(odd, TARGET))


@settings(max_examples=400)
@given(st.data())
def test_any_json_in_place_of_any_field_has_a_status(data: st.DataObject) -> None:
    obj = live(*data.draw(st.sampled_from(ROWS)))
    path = data.draw(st.sampled_from([p for p in paths(obj) if p != ("kind",)]))
    odd = with_other(obj, path, data.draw(others))
    assert all(isinstance(text, str) for text in (observe(odd).message, observe(odd).phase))
    tried(lambda: next(p for p in [*PROVIDERS, delivery] if obj["kind"] == p.KIND).READY.is_ready(odd))


@settings(max_examples=200)
@given(st.data())
def test_any_json_in_a_serve_configuration_is_read_or_unreadable(data: st.DataObject) -> None:
    obj = data.draw(st.sampled_from([o for o in rendered() if "serveConfigV2" in o.get("spec", {})]))
    serve = yaml.safe_load(obj["spec"]["serveConfigV2"])
    odd = with_other(serve, data.draw(st.sampled_from(list(paths(serve)))), data.draw(others))
    tried(lambda: adopt(with_other(obj, ("spec", "serveConfigV2"), yaml.safe_dump(odd)), TARGET))


ODD = ["a: !!timestamp x", "a: !!int x", "&a [*a]", "{" * 2000, "a: !!binary x", "? [a]\n: b", "- - - 1"]


@pytest.mark.parametrize("text", ODD, ids=lambda text: repr(text)[:20])
def test_yaml_that_is_odd_is_read_or_unreadable(text: str) -> None:
    obj = next(o for o in rendered() if "serveConfigV2" in o.get("spec", {}))
    assert adopt(with_other(obj, ("spec", "serveConfigV2"), text), TARGET).entry is None
