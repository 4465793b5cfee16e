"""Refuse by default: a leaf of the spec that was written, and that nobody declares to honour, is a problem."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from airunway.spec.entry import ENTRY
from airunway.text.problems import InputError, Problem, join

PLANNED = ENTRY | {"provider.name", "provider.overrides", "engine.type", "serving.mode", "resources.gpu"}
"""What planning reads itself, for every provider; of ``resources.gpu`` only whether it is there."""

_INDEX = re.compile(r"\[[0-9]+\]")
_LAST = re.compile(r"(\.[^.\[]+|\[[^\]]*\])$")


def written(section: BaseModel, path: str = "") -> Iterator[str]:
    """Paths of the leaves that hold something else than their defaults, and of sections that are there without any such
    leaf.

    A map with keys of the user's own is one leaf; so is a list of plain values.
    """
    for name, spec_field in type(section).model_fields.items():
        content = getattr(section, name)
        if name in section.model_fields_set and content != spec_field.get_default(call_default_factory=True):
            yield from _below(content, join(path, spec_field.alias or name))


def _below(content: object, path: str) -> Iterator[str]:
    if isinstance(content, BaseModel):
        yield from list(written(content, path)) or [path]
    elif isinstance(content, list) and any(isinstance(element, BaseModel) for element in content):
        for index, element in enumerate(content):
            yield from _below(element, f"{path}[{index}]")
    else:
        yield path


def unhonoured(spec: BaseModel, leaves: Collection[str], reasons: Mapping[str, str]) -> dict[str, str | None]:
    """What was written in ``spec`` beyond ``leaves``, by path, each with its reason where there is one.

    A reason for a section stands for all that was written in it. A list of which no leaf is honoured is named as a
    whole.
    """
    refused: dict[str, str | None] = {}
    for path in written(spec):
        leaf = _INDEX.sub("[]", path)
        # A section is honoured by honouring anything in it.
        if leaf in leaves or any(known.startswith((f"{leaf}.", f"{leaf}[")) for known in leaves):
            continue
        lineage = list(zip(_lineage(path), _lineage(leaf), strict=True))
        reason = next(((place, reasons[key]) for place, key in lineage if key in reasons), None)
        lists = [
            place
            for place, key in lineage
            if f"{key}[]" in leaf and not any(known.startswith(f"{key}[]") for known in leaves)
        ]
        place, why = reason or (lists[-1] if lists else path, None)
        refused.setdefault(place, why)
    return refused


def _lineage(path: str) -> Iterator[str]:
    """``path`` and the sections that it is in, the nearest first."""
    yield path
    while (shorter := _LAST.sub("", path)) != path:
        path = shorter
        yield path


@dataclass
class Refusals:
    """Collects the values that a provider can't honour, so that all of them are reported at once."""

    provider: str
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, given: object, path: str, why: str) -> None:
        """Note ``path`` as a problem if something was ``given`` there."""
        if given:
            self.problems.append(Problem(path, f"provider {self.provider} can't honour this: {why}"))

    def done(self, more: Iterable[Problem] = ()) -> None:
        """Raise ``InputError`` if anything was refused."""
        problems = [*self.problems, *more]
        if problems:
            raise InputError(problems)
