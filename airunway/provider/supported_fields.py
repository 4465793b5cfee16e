"""Refuses by default: a field that the user sets and no provider declares as supported is a problem."""

import dataclasses
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from pydantic import BaseModel

from airunway.spec.entry import ENTRY_FIELDS
from airunway.text.problems import InputError, Problem, join

SECTION_FIELDS = frozenset({"gateway", "model.storage"})
"""Sections that say nothing by being there: ``gateway: {enabled: false}`` is what every provider does anyway."""

PLANNING_FIELDS = (
    ENTRY_FIELDS
    | SECTION_FIELDS
    | {"provider.name", "provider.overrides", "engine.type", "serving.mode", "resources.gpu"}
)
"""Fields that planning reads for every provider; for ``resources.gpu``, only whether it is set."""

_INDEX = re.compile(r"\[[0-9]+\]")
_LAST = re.compile(r"(\.[^.\[]+|\[[^\]]*\])$")


def fields_set(section: BaseModel, prefix: str = "") -> Iterator[str]:
    """Fields whose value differs from the default, and sections that are set without any such field.

    A map with user-defined keys counts as one field, and so does a list of plain values.
    """
    for name, spec_field in type(section).model_fields.items():
        content = getattr(section, name)
        if name in section.model_fields_set and content != spec_field.get_default(call_default_factory=True):
            yield from _below(content, join(prefix, spec_field.alias or name))


def _below(content: object, field: str) -> Iterator[str]:
    if isinstance(content, BaseModel):
        yield from list(fields_set(content, field)) or [field]
    elif isinstance(content, list) and any(isinstance(element, BaseModel) for element in content):
        for index, element in enumerate(content):
            yield from _below(element, f"{field}[{index}]")
    else:
        yield field


def unsupported_fields(
    spec: BaseModel, supported: Collection[str], reasons: Mapping[str, str]
) -> dict[str, str | None]:
    """The fields set in ``spec`` that are not in ``supported``, each with its reason, if there is one.

    A reason for a section covers every field in it. If no field of a list's elements is supported, the list itself is
    reported.
    """
    unsupported: dict[str, str | None] = {}
    for field in fields_set(spec):
        pattern = _INDEX.sub("[]", field)
        # A section is supported if any field in it is.
        if pattern in supported or any(name.startswith((f"{pattern}.", f"{pattern}[")) for name in supported):
            continue
        sections = list(zip(_lineage(field), _lineage(pattern), strict=True))
        explained = next(((section, reasons[key]) for section, key in sections if key in reasons), None)
        lists = [
            section
            for section, key in sections
            if f"{key}[]" in pattern and not any(name.startswith(f"{key}[]") for name in supported)
        ]
        section, reason = explained or (lists[-1] if lists else field, None)
        unsupported.setdefault(section, reason)
    return unsupported


def _lineage(field: str) -> Iterator[str]:
    """``field`` and the sections that contain it, innermost first."""
    yield field
    while (shorter := _LAST.sub("", field)) != field:
        field = shorter
        yield field


@dataclasses.dataclass
class Refusals:
    """Collects the values that a provider can't honour, so that they are reported together."""

    provider: str
    problems: list[Problem] = dataclasses.field(default_factory=list)

    def refuse(self, refused: object, field: str, reason: str) -> None:
        """Record a problem at ``field`` if ``refused`` is true."""
        if refused:
            self.problems.append(Problem(field, f"provider {self.provider} can't honour this: {reason}"))

    def raise_if_any(self, more: Iterable[Problem] = ()) -> None:
        """Raise ``InputError`` if there are any problems, including ``more``."""
        problems = [*self.problems, *more]
        if problems:
            raise InputError(problems)
