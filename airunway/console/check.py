"""Check a filled-in form: its decision, its objects, and its problems by field."""

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
    """The stack's target, and the locations of its entries by name."""

    target: PlanContext
    locations: Mapping[str, str]


@dataclass
class FormCheck:
    """The checked entry; ``errors`` are by form field, ``general`` those of no field."""

    entry: dict[str, Any]
    errors: dict[str, list[str]] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    selection: Selection | None = None
    planned: PlannedDeployment | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the entry can be saved."""
        return self.planned is not None and not self.errors and not self.general

    @property
    def entry_yaml(self) -> str:
        """The entry as YAML for a stack file."""
        return to_yaml([self.entry])

    @property
    def objects_yaml(self) -> str:
        """The objects that would be created, as YAML."""
        return to_documents([*self.planned.rendered.supporting, self.planned.rendered.resource]) if self.planned else ""


def check(form: Mapping[str, str], context: Context, replacing: str | None = None) -> FormCheck:
    """Check a form for a new deployment, or for the one called ``replacing``."""
    entry, problems = entry_of(form)
    checked = FormCheck(entry)
    spec, spec_problems = parse_spec(entry, DeploymentEntry)
    unreadable = {p.field for p in problems}
    problems += [p for p in spec_problems if p.field not in unreadable]
    conflict = name_problem(
        entry.get("name", ""), {name: location for name, location in context.locations.items() if name != replacing}
    )
    problems += [conflict] if conflict else []
    if spec is not None:
        checked.warnings = spec_warnings(spec)
        try:
            # Selected first, as planning fails if the provider refuses a field.
            checked.selection = select(spec, context.target.configs)
            checked.planned = plan_deployment(spec, context.target)
            checked.warnings = checked.planned.warnings
        except InputError as error:
            problems += error.problems
    for problem in problems:
        form_field = field_of(problem.field)
        if form_field is None:
            checked.general.append(str(problem))
        else:
            rest = problem.field.removeprefix(form_field.name).lstrip(".") if problem.field != form_field.name else ""
            checked.errors.setdefault(form_field.name, []).append(
                f"{rest}: {problem.message}" if rest else problem.message
            )
    return checked
