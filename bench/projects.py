"""The measured projects: N deployments as a stack, as a bare Pulumi program, as a chart and as manifests."""

import json
import shutil
from pathlib import Path
from typing import Any

from airunway.program.record import Preview, record
from airunway.program.stack_file import read_stack
from airunway.report.manifests import manifest_files, write_manifests
from airunway.text.yaml_writing import to_yaml
from providers import PROVIDERS

ROOT = Path(__file__).parents[1]
STACK = "bench"
_TEAMS = 20
_KINDS: tuple[dict[str, Any], ...] = (
    {"resources": {"gpu": {"count": 1}}},
    {},
    {"engine": {"type": "sglang"}, "resources": {"gpu": {"count": 2}}},
    {
        "serving": {"mode": "disaggregated"},
        "scaling": {"prefill": {"gpu": {"count": 1}}, "decode": {"gpu": {"count": 1}}},
    },
    {"provider": {"name": "kuberay"}, "resources": {"gpu": {"count": 1}}},
)
# Registers each resource of a literal list with its parent, dependencies and outputs, and decides nothing.
_BARE_PROGRAM = """
import json, pathlib
import pulumi, pulumi_kubernetes
made = {}
for r in json.loads(pathlib.Path("resources.json").read_text()):
    options = pulumi.ResourceOptions(
        parent=made.get(r["parent"]), depends_on=[made[d] for d in r["dependencies"]], version=r["version"] or None,
        provider=made.get(r["provider"]) if r["custom"] else None,
        retain_on_delete=r["retained"] or None, protect=r["protect"] or None)
    if r["type"] == "pulumi:providers:kubernetes":
        made[r["urn"]] = pulumi_kubernetes.Provider(r["name"], **r["arguments"])
    elif r["custom"]:
        made[r["urn"]] = pulumi.CustomResource(r["type"], r["name"], r["inputs"], options)
    else:
        made[r["urn"]] = pulumi.ComponentResource(r["type"], r["name"], r["inputs"], options)
        made[r["urn"]].register_outputs(r["outputs"])
"""


def write_stack(folder: Path, count: int, cluster: dict[str, str] | None = None) -> Path:
    """Write an airunway project with ``count`` deployments of five kinds, in one file per namespace."""
    _project(folder)
    shutil.copy(ROOT / "__main__.py", folder)
    deployments = [
        {
            "name": f"model-{i}",
            "model": {"id": f"org/model-{i}"},
            "namespace": f"team-{i % _TEAMS}",
            **_KINDS[i % len(_KINDS)],
        }
        for i in range(count)
    ]
    (folder / "deployments").mkdir()
    for team in range(min(_TEAMS, count)):
        (folder / "deployments" / f"team-{team:02}.yaml").write_text(to_yaml(deployments[team::_TEAMS]))
    # Otherwise the real provider would load the operators' charts.
    providers = {name: {"installation": "existing"} for name in PROVIDERS.documents}
    settings = {"airunway:cluster": cluster or {"context": "bench"}, "airunway:deploymentFiles": ["deployments/*.yaml"]}
    _settings(folder, settings | {"airunway:providers": providers})
    return folder


def gc_settings() -> str:
    """Return the lines of our program that configure Python's garbage collector."""
    lines = [line for line in (ROOT / "__main__.py").read_text().splitlines() if line.startswith("gc.")]
    return "\n".join(["import gc", *lines])


def write_bare(folder: Path, preview: Preview, preamble: str = "") -> Path:
    """Write a program that registers the resources of ``preview`` from a literal list, after ``preamble``."""
    _project(folder)
    _settings(folder, {})
    (folder / "__main__.py").write_text(preamble + _BARE_PROGRAM)
    resources = [_resource_literal(r) | {"outputs": preview.outputs.get(r.urn, {})} for r in preview.resources]
    (folder / "resources.json").write_text(json.dumps(resources))
    return folder


def write_chart(folder: Path, preview: Preview) -> Path:
    """Write a minimal Helm chart, whose only template prints the objects in its values."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: bench\nversion: 1.0.0\n")
    (folder / "templates" / "objects.yaml").write_text(
        "{{- range .Values.objects }}\n---\n{{ toYaml . }}\n{{- end }}\n"
    )
    (folder / "values.yaml").write_text(json.dumps({"objects": preview.objects}))
    return folder


def write_kustomization(folder: Path, preview: Preview) -> Path:
    """Write the same objects as files with a kustomization."""
    write_manifests(manifest_files(preview), folder)
    return folder


def preview_of(folder: Path) -> Preview:
    """Preview the project in ``folder``."""
    return record(folder, read_stack(folder, STACK))


def _project(folder: Path) -> None:
    (folder / "stacks").mkdir(parents=True)
    shutil.copy(ROOT / "Pulumi.yaml", folder)


def _settings(folder: Path, config: dict[str, Any]) -> None:
    (folder / "stacks" / f"Pulumi.{STACK}.yaml").write_text(json.dumps({"config": config}))


def _resource_literal(resource: Any) -> dict[str, Any]:
    literal = {
        name: getattr(resource, name) for name in ("urn", "type", "name", "parent", "dependencies", "custom", "version")
    }
    literal |= {"retained": resource.retained, "protect": resource.protect, "inputs": resource.inputs}
    literal["provider"] = resource.provider.rpartition("::")[0]
    if resource.is_provider:
        cluster = {name: resource.inputs[name] for name in ("context", "kubeconfig") if resource.inputs.get(name)}
        literal["arguments"] = {**cluster, "upsert_existing_objects": True, "enable_secret_mutable": True}
    return literal
