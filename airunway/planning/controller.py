"""The objects that a stack creates for a cluster's KubeAIRunway controller."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.planning.controller_delivery import provider_config
from airunway.planning.settings import ControllerSettings, InstallationMode
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.clear_text import credential_problems
from airunway.text.problems import InputError, Problem, format_value
from airunway.text.yaml_reading import read_documents

_FIRST = ("Namespace", "CustomResourceDefinition")


@dataclass(frozen=True)
class PlannedController:
    """The controller that deployments are delivered to.

    ``foundation`` are its namespaces and CRDs, ``objects`` the rest of its installation; both are empty for an existing
    controller. ``configs`` are the InferenceProviderConfig objects.
    """

    managed: bool
    foundation: tuple[dict[str, Any], ...]
    objects: tuple[dict[str, Any], ...]
    configs: tuple[dict[str, Any], ...]


def plan_controller(
    settings: ControllerSettings,
    texts: Mapping[str, str],
    configs: Sequence[InferenceProviderConfig],
    namespaces: Iterable[str],
) -> PlannedController:
    """Plan the controller's objects, but not the ``namespaces`` of the stack itself. Raises ``InputError``."""
    objects: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for file, text in texts.items():
        file_objects, file_problems = _objects(text, file)
        objects += file_objects
        problems += file_problems
    if problems:
        raise InputError(problems)
    created = set(namespaces)
    remaining = [o for o in objects if not (o["kind"] == "Namespace" and o["metadata"]["name"] in created)]
    return PlannedController(
        managed=settings.installation is InstallationMode.MANAGED,
        foundation=tuple(o for o in remaining if o["kind"] in _FIRST),
        objects=tuple(o for o in remaining if o["kind"] not in _FIRST),
        configs=tuple(provider_config(config, settings.api_group) for config in configs),
    )


def _objects(text: str, file: str) -> tuple[list[dict[str, Any]], list[Problem]]:
    try:
        documents = [d for d in read_documents(text, file) if d is not None]
    except InputError as error:
        return [], list(error.problems)
    problems = []
    for index, document in enumerate(documents):
        problem = _object_problem(document)
        if problem:
            problems.append(Problem(f"{file}[{index}]", problem))
        problems += credential_problems(document, f"{file}[{index}]")
    if not documents:
        problems.append(Problem(file, "contains no objects"))
    return documents, problems


def _object_problem(document: Any) -> str | None:
    """What a document lacks of an object that the stack can create."""
    document = document if isinstance(document, dict) else {}
    metadata = document.get("metadata") if isinstance(document.get("metadata"), dict) else {}
    required = [document.get("apiVersion"), document.get("kind"), metadata.get("name")]
    if not all(required):
        return "must be an object with apiVersion, kind and metadata.name"
    texts = dict(zip(("apiVersion", "kind", "metadata.name"), required, strict=True))
    texts |= {"metadata.namespace": metadata.get("namespace") or ""}
    wrong = [f"{field}: {format_value(value)} given" for field, value in texts.items() if not isinstance(value, str)]
    return f"{wrong[0]}, must be a string" if wrong else None
