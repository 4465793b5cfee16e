"""YAML documents of Kubernetes objects: ModelDeployments and InferenceProviderConfigs, several per file."""

import re
from dataclasses import dataclass
from typing import Any

from airunway.selection.provider_config import API_GROUPS
from airunway.spec.entry import ENTRY_FIELDS, is_reserved
from airunway.text.problems import InputError, Problem, format_value, join, suggest_name, unknown_keys
from airunway.text.yaml_reading import read_documents


@dataclass(frozen=True)
class Document:
    """One document; ``source`` names its file and index, for messages, and ``file`` the file alone."""

    source: str
    kind: str
    body: dict[str, Any]
    file: str | None = None


KINDS = ("ModelDeployment", "InferenceProviderConfig")


def parse_documents(text: str, source: str, kinds: tuple[str, ...] = KINDS) -> list[Document]:
    """All documents of ``text``. Raises ``InputError`` for invalid YAML and for kinds that are not in ``kinds``."""
    bodies = [body for body in read_documents(text, source) if body is not None]
    if not bodies:
        raise InputError([Problem(source, f"contains no documents; expected: {', '.join(kinds)}")])
    documents, problems = [], []
    for index, body in enumerate(bodies):
        location = f"{source}[{index}]" if len(bodies) > 1 else source
        problem = _document_problem(body, kinds)
        if problem:
            problems.append(Problem(f"{location}: {problem.field}" if problem.field else location, problem.message))
        else:
            documents.append(Document(location, body["kind"], body, source))
    if problems:
        raise InputError(problems)
    return documents


def _document_problem(body: Any, kinds: tuple[str, ...]) -> Problem | None:
    if not isinstance(body, dict):
        return Problem("", f"must be a map, not a {type(body).__name__}")
    kind, version = body.get("kind"), body.get("apiVersion")
    if kind not in kinds:
        return Problem("kind", f"{format_value(kind)} given; {suggest_name(str(kind), kinds)}")
    versions = [f"{group}/v1alpha1" for group in API_GROUPS]
    if version not in versions:
        return Problem("apiVersion", f"{format_value(version)} given; {suggest_name(str(version), versions)}")
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return Problem("metadata.name", "required, but not given")
    return None


_METADATA = {"name", "namespace", "labels", "annotations"}
_USER_METADATA = ("labels", "annotations")
_SERVER = {
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "ownerReferences",
    "finalizers",
    "selfLink",
}


def deployment_entry(document: Document) -> tuple[dict[str, Any], list[Problem]]:
    """The entry for a ModelDeployment: its spec with what its metadata says added, and problems."""
    metadata = document.body["metadata"]
    problems = unknown_keys((key for key in metadata if key not in _METADATA | _SERVER), _METADATA, "metadata")
    others = (key for key in document.body if key not in ("apiVersion", "kind", "metadata", "spec", "status"))
    problems += unknown_keys(others, {"metadata", "spec"})
    spec = document.body.get("spec")
    if not isinstance(spec, dict):
        return {}, [*problems, Problem("spec", "required, but not given" if spec is None else "must be a map")]
    reserved = [key for key in spec if key in ENTRY_FIELDS]
    problems += [Problem(f"spec.{key}", "unknown key") for key in reserved]
    namespace = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
    user_metadata = {key: _without_reserved(metadata[key]) for key in _USER_METADATA if metadata.get(key)}
    return {"name": metadata["name"], **namespace, **{k: v for k, v in user_metadata.items() if v}, **spec}, problems


def document_warnings(document: Document) -> list[str]:
    """Warnings about labels and annotations that mean something to other tools, but nothing here."""
    warnings = []
    for section in _USER_METADATA:
        keys = document.body["metadata"].get(section)
        for key in keys if isinstance(keys, dict) else ():
            domain, _, name = str(key).rpartition("/")
            if domain in API_GROUPS and name == "reconcile-paused":
                warnings.append(
                    f"metadata.{section}.{key}: a controller leaves a paused deployment alone, but here it is deployed"
                )
            elif is_reserved(str(key)) and domain not in (*API_GROUPS, "kubectl.kubernetes.io"):
                warnings.append(f"metadata.{section}.{key}: is left out; only this program's own are put on the object")
    return warnings


def _without_reserved(keys: Any) -> Any:
    """Labels or annotations without those that tools write for themselves; anything else than a map as it is."""
    return {k: v for k, v in keys.items() if not is_reserved(str(k))} if isinstance(keys, dict) else keys


def in_document(problem: Problem, source: str) -> Problem:
    """``problem`` of an entry from ``deployment_entry``, with the field as in the document."""
    head = re.split(r"[.\[]", problem.field)[0]
    field = join("metadata" if head in _METADATA else "spec", problem.field)
    return Problem(f"{source}: {field}", problem.message)
