"""YAML documents as a cluster would take them: ModelDeployments and InferenceProviderConfigs, several per file."""

import re
from dataclasses import dataclass
from typing import Any

from airunway.selection.provider_config import API_GROUPS
from airunway.spec.entry import ENTRY
from airunway.text.problems import InputError, Problem, nearest
from airunway.text.yaml_reading import read_documents


@dataclass(frozen=True)
class Document:
    """One document: ``source`` says where it stands, for messages; ``body`` is its content."""

    source: str
    kind: str
    body: dict[str, Any]


KINDS = ("ModelDeployment", "InferenceProviderConfig")


def parse_documents(text: str, source: str, kinds: tuple[str, ...] = KINDS) -> list[Document]:
    """Every document of ``text``. Raises ``InputError`` for what is not YAML or not one of ``kinds``."""
    bodies = [body for body in read_documents(text, source) if body is not None]
    if not bodies:
        raise InputError([Problem(source, f"holds no document; wanted: {', '.join(kinds)}")])
    documents, problems = [], []
    for index, body in enumerate(bodies):
        place = f"{source}[{index}]" if len(bodies) > 1 else source
        problem = _wrong(body, kinds)
        if problem:
            problems.append(Problem(f"{place}: {problem.path}" if problem.path else place, problem.message))
        else:
            documents.append(Document(place, body["kind"], body))
    if problems:
        raise InputError(problems)
    return documents


def _wrong(body: Any, kinds: tuple[str, ...]) -> Problem | None:
    if not isinstance(body, dict):
        return Problem("", f"a map is wanted, this is a {type(body).__name__}")
    kind, version = body.get("kind"), body.get("apiVersion")
    if kind not in kinds:
        return Problem("kind", f"{kind!r} given; {nearest(str(kind), kinds)}")
    wanted = [f"{group}/v1alpha1" for group in API_GROUPS]
    if version not in wanted:
        return Problem("apiVersion", f"{version!r} given; {nearest(str(version), wanted)}")
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return Problem("metadata.name", "required, but not given")
    return None


_METADATA = {"name", "namespace", "labels", "annotations"}
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
    """A ModelDeployment as an entry of a stack: its spec with ``name`` and ``namespace`` beside it."""
    metadata = document.body["metadata"]
    problems = [
        Problem(f"metadata.{key}", f"unknown key; {nearest(str(key), _METADATA)}")
        for key in metadata
        if key not in _METADATA | _SERVER
    ]
    problems += [
        Problem(str(key), f"unknown key; {nearest(str(key), {'metadata', 'spec'})}")
        for key in document.body
        if key not in ("apiVersion", "kind", "metadata", "spec", "status")
    ]
    spec = document.body.get("spec")
    if not isinstance(spec, dict):
        return {}, [*problems, Problem("spec", "required, but not given" if spec is None else "a map is wanted")]
    reserved = [key for key in spec if key in ENTRY]
    problems += [Problem(f"spec.{key}", "unknown key") for key in reserved]
    namespace = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
    return {"name": metadata["name"], **namespace, **spec}, problems


def in_document(problem: Problem, source: str) -> Problem:
    """``problem`` of an entry made by ``deployment_entry``, at its place in the document."""
    head = re.split(r"[.\[]", problem.path)[0]
    path = f"metadata.{problem.path}" if head in ("name", "namespace") else f"spec.{problem.path}"
    return Problem(f"{source}: {path}", problem.message)
