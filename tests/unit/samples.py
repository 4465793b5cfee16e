"""What the unit tests share: the built-in providers, and planning one spec."""

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
    return tuple(load_config(body, name) for name, body in PROVIDERS.documents.items())


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
    return plan_document(
        Document("demo.yaml", "ModelDeployment", body), PlanContext(PROVIDERS, builtin(), StackSettings())
    )


def containers(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The main container of each component of a DynamoGraphDeployment, by its name."""
    return {c["name"]: c["podTemplate"]["spec"]["containers"][0] for c in graph["spec"]["components"]}


def worker_containers(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The main container of each worker, by its name."""
    return {name: container for name, container in containers(graph).items() if name != "Frontend"}
