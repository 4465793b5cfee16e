"""A stack's entries and their locations: the stack file, a deployment file, or a ModelDeployment document."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airunway.planning.documents import (
    Document,
    deployment_entry,
    document_warnings,
    in_document,
    parse_documents,
)
from airunway.planning.files import Files
from airunway.planning.settings import StackSettings
from airunway.spec.checks import parse_spec
from airunway.spec.entry import ENTRY_FIELDS, DeploymentEntry
from airunway.text.config_text import config_text
from airunway.text.problems import InputError, Problem, format_value, join
from airunway.text.yaml_reading import StackLoader, read_document


@dataclass(frozen=True)
class EntryLocation:
    """The location of an entry: ``deployments[2]`` of the stack file, ``deployments/chat.yaml[0]``, or a document.

    ``file`` is the deployment file and ``index`` the entry's index in it; entries elsewhere have no ``file``.
    ``manifest`` is the file of a document.
    """

    path: str
    file: str | None = None
    index: int = 0
    document: bool = False
    manifest: str | None = None

    def qualify(self, problem: Problem) -> Problem:
        """A problem of the entry, with its location in front of the field."""
        return in_document(problem, self.path) if self.document else problem.under(self.path)


STANDALONE = EntryLocation("")
"""The location of an entry that is planned on its own."""


@dataclass(frozen=True)
class Entry:
    """One entry as data and as a checked spec; ``spec`` is None if there are ``problems``."""

    location: EntryLocation
    data: Any
    spec: DeploymentEntry | None
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str | None:
        """The entry's name, even if the rest is invalid."""
        name = self.data.get("name") if isinstance(self.data, dict) else None
        return name if isinstance(name, str) else None


def read_entries(settings: StackSettings, files: Files) -> tuple[list[Entry], list[Problem]]:
    """All entries of a stack, in the order of its settings, and the problems of the files that contain them."""
    entries = [_entry(EntryLocation(f"deployments[{index}]"), data) for index, data in enumerate(settings.deployments)]
    texts, problems = files.select_texts("deploymentFiles", settings.deployment_files)
    for file, text in texts.items():
        try:
            entries += [
                _entry(EntryLocation(f"{file}[{index}]", file, index), data)
                for index, data in enumerate(parse_entries(text, file))
            ]
        except InputError as error:
            problems += error.problems
    texts, file_problems = files.select_texts("manifests", settings.manifests)
    problems += file_problems
    for file, text in texts.items():
        try:
            entries += [document_entry(document) for document in parse_documents(text, file, ("ModelDeployment",))]
        except InputError as error:
            problems += error.problems
    return entries, problems


def parse_entries(text: str, file: str, setting: str = "deployments") -> list[Any]:
    """The entries of a file that continues a setting, parsed as Pulumi parses a stack file. Raises ``InputError``."""
    document = read_document(text, file, StackLoader)
    if not isinstance(document, list):
        content = "nothing" if document is None else format_value(document)
        raise InputError(
            [Problem(file, f"{content} given, must be a list, as under airunway:{setting}; [] is an empty one")]
        )
    secrets = [
        Problem(path, "is encrypted, but Pulumi decrypts only values in stack files")
        for path in _encrypted(document, file)
    ]
    if secrets:
        raise InputError(secrets)
    entries: list[Any] = json.loads(config_text(document))
    return entries


def _encrypted(value: Any, path: str) -> Iterator[str]:
    """Fields of ``value`` that have the form of a Pulumi secret."""
    if isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str):
        yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _encrypted(inner, join(path, f"[{key}]" if isinstance(value, list) else str(key)))


def _entry(location: EntryLocation, data: Any) -> Entry:
    spec, problems = parse_spec(data, DeploymentEntry)
    return Entry(location, data, spec, tuple(location.qualify(p) for p in problems))


def document_entry(document: Document) -> Entry:
    """The entry for a ModelDeployment document."""
    location = EntryLocation(document.source, document=True, manifest=document.file)
    data, document_problems = deployment_entry(document)
    spec, spec_problems = parse_spec(data, DeploymentEntry, hidden=ENTRY_FIELDS) if data else (None, [])
    problems = [Problem(document.source, str(p)) for p in document_problems] + [
        location.qualify(p) for p in spec_problems
    ]
    spec = None if document_problems else spec
    return Entry(location, data, spec, tuple(problems), tuple(document_warnings(document)))


def name_clashes(entries: Iterable[Entry]) -> list[Problem]:
    """Problems for names that several entries have, at each later entry, with the location of the first."""
    locations: dict[str, str] = {}
    problems = []
    for entry in entries:
        if entry.name is not None:
            problem = name_problem(entry.name, locations)
            problems += [entry.location.qualify(problem)] if problem else []
            locations.setdefault(entry.name, entry.location.path)
    return problems


def name_problem(name: str, locations: Mapping[str, str]) -> Problem | None:
    """A problem if another deployment has the name; ``locations`` are those of the other deployments, by name."""
    if name not in locations:
        return None
    return Problem("name", f"{format_value(name)} is the name of {locations[name]} too; a name is used once per stack")
