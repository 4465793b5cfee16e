"""What a filled-in form would be: which engine and provider, by which rule, why not the others, and what is wrong,
field by field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airunway.console.fields import entry_of, field_of
from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_deployment
from airunway.planning.entries import name_problem
from airunway.selection.select import Selection, select
from airunway.spec.checks import parse_spec, spec_warnings
from airunway.spec.entry import DeploymentEntry
from airunway.text.problems import InputError
from airunway.text.yaml_writing import to_documents, to_yaml


@dataclass(frozen=True)
class Context:
    """The stack that the entry is for, and the places of its entries by name."""

    target: PlanContext
    places: Mapping[str, str]


@dataclass
class Checked:
    """The entry and its decision; ``errors`` are by the field's path, ``general`` those that belong to none."""

    entry: dict[str, Any]
    errors: dict[str, list[str]] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    selection: Selection | None = None
    planned: PlannedDeployment | None = None

    @property
    def fine(self) -> bool:
        """Whether it can be saved."""
        return self.planned is not None and not self.errors and not self.general

    @property
    def entry_yaml(self) -> str:
        """The entry as it would stand in the stack file."""
        return to_yaml([self.entry])

    @property
    def objects_yaml(self) -> str:
        """What would be created."""
        return to_documents([*self.planned.rendered.supporting, self.planned.rendered.resource]) if self.planned else ""


def check(form: Mapping[str, str], context: Context, replacing: str | None = None) -> Checked:
    """Check a form for a new deployment, or for the one called ``replacing``."""
    entry, problems = entry_of(form)
    checked = Checked(entry)
    spec, found = parse_spec(entry, DeploymentEntry)
    unread = {p.field for p in problems}
    problems += [p for p in found if p.field not in unread]
    clash = name_problem(
        entry.get("name", ""), {name: place for name, place in context.places.items() if name != replacing}
    )
    problems += [clash] if clash else []
    if spec is not None:
        checked.warnings = spec_warnings(spec)
        try:
            # First, as a provider may be chosen that then refuses a field.
            checked.selection = select(spec, context.target.configs)
            checked.planned = plan_deployment(spec, context.target)
            checked.warnings = checked.planned.warnings
        except InputError as error:
            problems += error.problems
    for problem in problems:
        beside = field_of(problem.field)
        if beside is None:
            checked.general.append(str(problem))
        else:
            rest = problem.field.removeprefix(beside.path).lstrip(".") if problem.field != beside.path else ""
            checked.errors.setdefault(beside.path, []).append(f"{rest}: {problem.message}" if rest else problem.message)
    return checked
