"""What the unit tests share: the built-in providers, planning one spec, and finding one's way in objects."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_document
from airunway.planning.documents import Document
from airunway.planning.settings import StackSettings
from airunway.selection.provider_config import InferenceProviderConfig, load_config
from airunway.selection.select import Selection, select
from airunway.spec.checks import parse_spec
from airunway.spec.model import ModelDeploymentSpec
from providers import PROVIDERS

GPU = {"resources": {"gpu": {"count": 1}}}
DISAGGREGATED = {
    "serving": {"mode": "disaggregated"},
    "scaling": {"prefill": {"gpu": {"count": 1}}, "decode": {"gpu": {"count": 1}}},
}


@cache
def builtin() -> tuple[InferenceProviderConfig, ...]:
    """The InferenceProviderConfigs of the catalog."""
    return tuple(load_config(body, name) for name, body in PROVIDERS.documents.items())


TARGET = PlanContext(PROVIDERS, builtin(), StackSettings())
"""A stack that says nothing but its deployments."""


def config(name: str, *rules: tuple[str, int], engines: list[dict[str, Any]] | None = None) -> InferenceProviderConfig:
    capable = [
        {"name": e, "servingModes": ["aggregated", "disaggregated"], "gpuSupport": True, "cpuSupport": True}
        for e in ("vllm", "llamacpp")
    ]
    document = {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "InferenceProviderConfig",
        "metadata": {"name": name},
        "spec": {
            "capabilities": {"engines": engines or capable},
            "selectionRules": [{"condition": c, "priority": p} for c, p in rules],
        },
    }
    return load_config(document, name)


def spec(**fields: Any) -> ModelDeploymentSpec:
    parsed, problems = parse_spec({"model": {"id": "org/model"}} | fields, ModelDeploymentSpec)
    assert parsed is not None, problems
    return parsed


def choose(configs: Any = None, **fields: Any) -> Selection:
    return select(spec(**fields), list(configs) if configs is not None else list(builtin()))


def plan(fields: dict[str, Any], name: str = "demo") -> PlannedDeployment:
    body = {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name, "namespace": "ml"},
        "spec": {"model": {"id": "org/model"}} | fields,
    }
    return plan_document(Document("demo.yaml", "ModelDeployment", body), TARGET)


def containers(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The main container of each component of a DynamoGraphDeployment, by its name."""
    return {c["name"]: c["podTemplate"]["spec"]["containers"][0] for c in graph["spec"]["components"]}


def worker_containers(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The main container of each worker, by its name."""
    return {name: container for name, container in containers(graph).items() if name != "Frontend"}


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a JSON value, each below what it is in."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*above, key)
        yield from paths(inner, (*above, key))
