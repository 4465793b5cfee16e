"""A stack's Kubernetes objects as files for GitOps: one object per file, and a kustomization."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airunway.program.record import Preview
from airunway.text.names import digest, dns_label
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import read_document
from airunway.text.yaml_writing import order_keys, to_yaml

KUSTOMIZATION = "kustomization.yaml"
_HEADER = "# Written by `airunway render`, which removes obsolete files that it wrote before."
_WITH_SECRETS = ("Secret", "Release")
_ENCRYPTED = (
    "its {kind} has an encrypted value ({field}), which files can't hold; use a Secret of the cluster and"
    " env[].valueFrom"
)
_KIND_ORDER = (
    "CustomResourceDefinition",
    "Namespace",
    "ServiceAccount",
    "ConfigMap",
    "PersistentVolumeClaim",
    "NetworkPolicy",
)


def manifest_files(preview: Preview) -> dict[str, str]:
    """Return file contents by name, including ``kustomization.yaml``, whose comments name Secrets and Helm releases.

    ConfigMaps that only own a Secret for Pulumi are left out. Raises ``InputError`` for objects with encrypted values.
    """
    encrypted = [
        Problem(resource.name, _ENCRYPTED.format(kind=resource.kind, field=next(iter(resource.secrets))))
        for resource in preview.resources
        if resource.secrets and resource.kind not in _WITH_SECRETS
    ]
    if encrypted:
        raise InputError(encrypted)
    secrets = [m["metadata"] for m in preview.objects if m["kind"] == "Secret"]
    owners = {("ConfigMap", s.get("namespace", ""), owner["name"]) for s in secrets for owner in s["ownerReferences"]}
    releases = [r.inputs for r in preview.resources if r.kind == "Release"]
    manifests = sorted(
        (m for m in preview.objects if m["kind"] != "Secret" and _identity(m) not in owners), key=_sort_key
    )
    files: dict[str, str] = {}
    for manifest in sorted(manifests, key=_sort_key):
        name = _file_name(manifest)
        if name in files:  # "a" with "b-c" and "a-b" with "c" give the same name
            name = f"{name.removesuffix('.yaml')}-{digest([manifest['apiVersion'], *_identity(manifest)])}.yaml"
        files[name] = to_yaml(_without_pulumi_annotations(manifest))
    notes = [f"# Needs Secret {s['namespace']}/{s['name']}, which is not written here." for s in secrets]
    notes += [
        f"# Needs Helm release {r['namespace']}/{r['name']}: {r['chart']} {r.get('version', '')}".rstrip() + "."
        for r in releases
    ]
    kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(files)}
    return {**files, KUSTOMIZATION: "\n".join([_HEADER, *notes, to_yaml(kustomization)])}


def write_manifests(files: Mapping[str, str], folder: Path) -> Sequence[str]:
    """Write ``files`` to ``folder``, remove obsolete files of an earlier run and return their names.

    Raises ``InputError`` for a non-empty folder that `airunway render` did not write.
    """
    try:
        previous = _previous_files(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        removed = [name for name in previous if name not in files and (folder / name).is_file()]
        for name in removed:
            (folder / name).unlink()
    except OSError as error:
        raise InputError(
            [Problem("--output", f"{error.filename or folder} can't be written: {error.strerror}")]
        ) from error
    return removed


def _previous_files(folder: Path) -> list[str]:
    """Read the names of the files that an earlier run wrote from its kustomization."""
    if not folder.exists() or not any(folder.iterdir()):
        return []
    index = folder / KUSTOMIZATION
    text = index.read_text(encoding="utf-8", errors="replace") if index.exists() else ""
    if not text.startswith(_HEADER):
        raise InputError(
            [Problem("--output", f"{folder} is not empty and was not written by airunway render; use another folder")]
        )
    content = read_document(text, str(index))
    names = content.get("resources") if isinstance(content, dict) else None
    if not isinstance(names, list):
        raise InputError([Problem(f"{index}: resources", "must be a list; fix it, or use another folder")])
    return [name for name in names if isinstance(name, str) and name == Path(name).name]


def _identity(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    return manifest["kind"], manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def _sort_key(manifest: Mapping[str, Any]) -> tuple[int, str, str, str, str]:
    kind, metadata = manifest["kind"], manifest["metadata"]
    rank = _KIND_ORDER.index(kind) if kind in _KIND_ORDER else len(_KIND_ORDER)
    return rank, metadata.get("namespace", ""), kind, metadata["name"], manifest["apiVersion"]


def _file_name(manifest: Mapping[str, Any]) -> str:
    metadata = manifest["metadata"]
    return (
        dns_label(*filter(None, [metadata.get("namespace"), manifest["kind"].lower(), metadata["name"]]), limit=200)
        + ".yaml"
    )


def _without_pulumi_annotations(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object without Pulumi's annotations."""
    metadata = dict(manifest["metadata"])
    annotations = {
        k: v for k, v in (metadata.pop("annotations", None) or {}).items() if not k.startswith("pulumi.com/")
    }
    if annotations:
        metadata["annotations"] = annotations
    return order_keys({**manifest, "metadata": metadata})
