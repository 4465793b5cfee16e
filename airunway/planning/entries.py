"""A stack's entries and where each stands: in the stack file, in a deployment file, or as a ModelDeployment
document.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airunway.planning.documents import Document, deployment_entry, in_document, parse_documents
from airunway.planning.files import Files
from airunway.planning.settings import StackSettings
from airunway.spec.checks import parse_spec
from airunway.spec.entry import DeploymentEntry
from airunway.text.config_text import config_text
from airunway.text.problems import InputError, Problem, join, shown
from airunway.text.yaml_reading import StackLoader, read_document


@dataclass(frozen=True)
class Place:
    """Where an entry stands: ``deployments[2]`` of the stack file, ``deployments/chat.yaml[0]``, or a document of a
    manifest.

    ``file`` is the deployment file, and ``index`` the entry's in it; other entries have none.
    """

    path: str
    file: str | None = None
    index: int = 0
    document: bool = False

    def of(self, problem: Problem) -> Problem:
        """A problem of the entry, with the path that leads to it."""
        return in_document(problem, self.path) if self.document else problem.under(self.path)


ALONE = Place("")
"""The place of an entry that is planned by itself."""


@dataclass(frozen=True)
class Entry:
    """One entry as it is written, and what it says; ``spec`` is None where there are ``problems``, which have their
    places.
    """

    place: Place
    data: Any
    spec: DeploymentEntry | None
    problems: tuple[Problem, ...]

    @property
    def name(self) -> str | None:
        """The name that it asks for, whether or not the rest is right."""
        name = self.data.get("name") if isinstance(self.data, dict) else None
        return name if isinstance(name, str) else None


def read_entries(settings: StackSettings, files: Files) -> tuple[list[Entry], list[Problem]]:
    """Every entry of a stack, in the order of its settings, and what is wrong with the files that hold them."""
    entries = [_entry(Place(f"deployments[{index}]"), data) for index, data in enumerate(settings.deployments)]
    texts, problems = files.read("deploymentFiles", settings.deployment_files)
    for file, text in texts.items():
        try:
            entries += [
                _entry(Place(f"{file}[{index}]", file, index), data)
                for index, data in enumerate(entries_of(text, file))
            ]
        except InputError as error:
            problems += error.problems
    texts, unread = files.read("manifests", settings.manifests)
    problems += unread
    for file, text in texts.items():
        try:
            entries += [document_entry(document) for document in parse_documents(text, file, ("ModelDeployment",))]
        except InputError as error:
            problems += error.problems
    return entries, problems


def entries_of(text: str, file: str) -> list[Any]:
    """The entries of a deployment file, as they would be in a stack file that Pulumi hands over. Raises
    ``InputError``.
    """
    document = read_document(text, file, StackLoader)
    if not isinstance(document, list):
        content = "nothing" if document is None else shown(document)
        raise InputError(
            [Problem(file, f"{content} given, a list is wanted, as under airunway:deployments; [] is an empty one")]
        )
    secrets = [
        Problem(path, "is encrypted, and Pulumi decrypts only what stands in a stack file")
        for path in _encrypted(document, file)
    ]
    if secrets:
        raise InputError(secrets)
    entries: list[Any] = json.loads(config_text(document))
    return entries


def _encrypted(value: Any, path: str) -> Iterator[str]:
    """Where ``value`` holds what Pulumi would take for a secret."""
    if isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str):
        yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _encrypted(inner, join(path, f"[{key}]" if isinstance(value, list) else str(key)))


def _entry(place: Place, data: Any) -> Entry:
    spec, problems = parse_spec(data, DeploymentEntry)
    return Entry(place, data, spec, tuple(place.of(p) for p in problems))


def document_entry(document: Document) -> Entry:
    """The entry that a ModelDeployment is."""
    place = Place(document.source, document=True)
    data, wrong = deployment_entry(document)
    spec, problems = parse_spec(data, DeploymentEntry) if data else (None, [])
    placed = [Problem(f"{document.source}: {p.path}", p.message) for p in wrong] + [place.of(p) for p in problems]
    return Entry(place, data, None if wrong else spec, tuple(placed))


def name_clashes(entries: Iterable[Entry]) -> list[Problem]:
    """Names that more than one entry asks for; each is told at the later entry, with the place of the first."""
    places: dict[str, str] = {}
    problems = []
    for entry in entries:
        if entry.name is not None:
            problem = name_problem(entry.name, places)
            problems += [entry.place.of(problem)] if problem else []
            places.setdefault(entry.name, entry.place.path)
    return problems


def name_problem(name: str, places: Mapping[str, str]) -> Problem | None:
    """What is wrong with a deployment's name that another one of the stack has; ``places`` are those of the others, by
    name.
    """
    if name not in places:
        return None
    return Problem("name", f"{shown(name)} is the name of {places[name]} too; a name is used once per stack")
