"""`airunway size`: the size of a deployment for a load, as a change of its entry; imported only when it runs."""

import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from airunway.assessment.assessment import Assessment
from airunway.assessment.finding import Finding, Severity
from airunway.assessment.sized_entry import sized_entry
from airunway.assessment.sizing import ENGINES, Configuration, SizingError, Workload, sizing_data
from airunway.cli.named_deployment import named_deployment
from airunway.cli.options import Format
from airunway.cli.streams import print_json
from airunway.console.file_edit import ConflictError, FileEdit, fingerprint, read_text, save
from airunway.console.project import Project
from airunway.console.stack_edit import with_deployment, with_note
from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import Plan
from airunway.program.aiconfigurator import SizingTask, find_aiconfigurator
from airunway.program.stack_assessment import assess_stack
from airunway.report.sizing import Sizing, provenance, sizing_document, sizing_table
from airunway.spec.model import Mode
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import LogText, console
from airunway.text.yaml_reading import StackLoader, read_document

_PRODUCT = "nvidia.com/gpu.product"


@dataclass(frozen=True)
class SizeOptions:
    """What to size for, and whether to write it; None where the stack or the estimate decides."""

    workload: Workload
    system: str | None
    mode: Mode | None
    model_dir: Path | None
    write: bool


@dataclass(frozen=True)
class _Change:
    """A configuration, the change that makes the entry have it, and what is planned and found then."""

    configuration: Configuration
    edit: FileEdit
    plan: Plan
    assessment: Assessment
    findings: tuple[Finding, ...]

    @property
    def is_stopped(self) -> bool:
        """Whether a finding stops an update."""
        return any(finding.severity is Severity.MANDATORY for finding in self.findings)


def size_deployment(root: Path, stack: str, name: str, options: SizeOptions, format: Format) -> bool:
    """Print the proposal, and write it where asked; return whether nothing stops it. Raises ``InputError``."""
    project = Project(root)
    plan = project.plan(stack)
    planned = named_deployment(plan, stack, name)
    assessment = assess_stack(root, stack, plan)
    task = _task(planned, assessment, plan, options)
    tool = find_aiconfigurator(os.environ)
    asked = f"Asking aiconfigurator {tool.version} for {task.engine} on {task.system}; this takes up to a minute …"
    console(stderr=True).print(asked, markup=False, soft_wrap=True)
    found, refused = tool.configurations(task)
    changes = list(_changes(project, stack, planned, found, options.mode, assessment, refused))
    change = _best_change(changes, planned, refused, options.mode)
    sizing = Sizing(
        name,
        stack,
        planned.request.spec,
        task.engine,
        task.system,
        tool.version,
        options.workload,
        found,
        refused,
        change.configuration,
        named_deployment(change.plan, stack, name).request.selection.provider,
        change.edit.name or change.edit.path.name,
        "",
        change.findings,
        tuple(_notes(change, planned, task.system)),
    )
    edit = replace(change.edit, after=with_note(change.edit.after, name, provenance(sizing), change.edit.name))
    written = options.write and not change.is_stopped
    if written:
        project.check(stack, edit)
        _write(edit)
    _show(replace(sizing, difference=edit.difference), format, written=written)
    return not change.is_stopped


def _task(planned: PlannedDeployment, assessment: Assessment, plan: Plan, options: SizeOptions) -> SizingTask:
    """What to ask. Raises ``InputError`` where the engine, the GPUs or the model can't be told."""
    engine, model = planned.request.selection.engine, planned.request.spec.model.id
    if engine not in ENGINES:
        raise InputError([Problem("engine.type", f"is {engine}; aiconfigurator knows {', '.join(ENGINES)}")])
    if model is None:
        raise InputError([Problem("model.id", "required to size a deployment")])
    system = options.system or _system(_products(assessment, plan, planned))
    systems = sizing_data().systems
    if system not in systems:
        raise InputError([Problem("--system", f"no system '{system}'; {suggest_name(system, systems)}")])
    return SizingTask(model, system, engine, options.workload, options.model_dir)


def _products(assessment: Assessment, plan: Plan, planned: PlannedDeployment) -> list[str]:
    """The GPU types that a deployment selects, or that the node pools have that it is in."""
    if selected := planned.request.spec.node_selector.get(_PRODUCT):
        return [selected]
    pools = {pool for known in assessment.deployments if known.name == planned.name for pool in known.pools}
    return sorted({pool.gpu.product for pool in plan.node_pools if pool.name in pools and pool.gpu})


def _system(products: list[str]) -> str:
    systems = sizing_data().systems
    found = {product: sizing_data().system_of(product) for product in products}
    known = sorted({system for system in found.values() if system})
    if len(known) == 1 and None not in found.values():
        return known[0]
    reason = (
        f"it is on {', '.join(products)}"
        if products
        else "neither a nodeSelector nor a node pool says which GPUs it is on"
    )
    raise InputError([Problem("--system", f"required: {reason}; valid: {', '.join(systems)}")])


def _changes(
    project: Project,
    stack: str,
    planned: PlannedDeployment,
    found: Mapping[Mode, Configuration],
    mode: Mode | None,
    assessment: Assessment,
    refused: MutableMapping[Mode, str],
) -> Iterator[_Change]:
    """The changes that can be planned, of one mode or all; why others can't is added to ``refused``."""
    for configuration in found.values():
        if mode in (None, configuration.mode):
            try:
                yield _change(project, stack, planned, configuration, assessment)
            except SizingError as error:
                refused[configuration.mode] = str(error)
            except InputError as error:
                refused[configuration.mode] = "; ".join(map(str, error.problems))


def _best_change(
    changes: Sequence[_Change], planned: PlannedDeployment, refused: Mapping[Mode, str], mode: Mode | None
) -> _Change:
    """The change to the fewest GPUs. Raises ``InputError`` with what is ``refused`` if there is none.

    One that nothing stops is better than one with fewer GPUs; of equals, the one that keeps the serving mode.
    """
    if not changes:
        raise InputError([Problem(str(m), reason) for m, reason in refused.items() if mode in (None, m)])
    now = Mode.DISAGGREGATED if planned.request.spec.disaggregated else Mode.AGGREGATED
    return min(changes, key=lambda c: (c.is_stopped, c.configuration.gpus, c.configuration.mode is not now))


def _change(
    project: Project, stack: str, planned: PlannedDeployment, configuration: Configuration, now: Assessment
) -> _Change:
    """Raises ``SizingError`` for what an entry can't express, and ``InputError`` for what can't be planned."""
    name = planned.name
    entry = project.entries(stack).get(name)
    if entry is None:
        raise InputError([Problem(name, "stands in a ModelDeployment file, which is not changed here")])
    file = entry.location.file
    path = project.path(stack) if file is None else project.root / file
    text = read_text(path)
    # As written, with secrets: the entry as it is planned has none.
    sized = sized_entry(_written(text, file, name), configuration, planned.request.selection.engine)
    edit = FileEdit(path, file, text, with_deployment(text, sized, name, file))
    plan = project.plan_after(stack, edit)
    assessment = assess_stack(project.root, stack, plan)
    # Others' too, as GPUs that it takes may be those that they have.
    findings = tuple(f for f in assessment.findings if f.deployment == name or f not in now.findings)
    return _Change(configuration, edit, plan, assessment, findings)


def _written(text: str, file: str | None, name: str) -> Mapping[str, Any]:
    document = read_document(text, file or "stack file", StackLoader)
    entries = document if file else document["config"].get("airunway:deployments", [])
    found = [entry for entry in entries if isinstance(entry, dict) and entry.get("name") == name]
    if not found:
        raise InputError([Problem(name, "is not in config.airunway:deployments of the stack file")])
    return found[0]


def _notes(change: _Change, planned: PlannedDeployment, system: str) -> list[str]:
    """What is to be known where the GPUs that it would run on are not those that it is sized for."""
    products = _products(change.assessment, change.plan, planned)
    others = [product for product in products if sizing_data().system_of(product) != system]
    select = f"nodeSelector {_PRODUCT} chooses the GPUs"
    return [f"sized for {system}, but it would run on {product}; {select}" for product in others]


def _write(edit: FileEdit) -> None:
    try:
        save(edit.path, edit.after, fingerprint(edit.before))
    except ConflictError as error:
        raise InputError([Problem(edit.path.name, f"{error}; run airunway size again")]) from error


def _show(sizing: Sizing, format: Format, *, written: bool) -> None:
    if format is Format.JSON:
        print_json(sizing_document(sizing, written=written))
        return
    out = console()
    out.print(f"{sizing.name}: {sizing.engine} on {sizing.provider}, {sizing.workload}", markup=False, soft_wrap=True)
    out.print()
    out.print(sizing_table(sizing))
    out.print()
    source = f"Estimates of aiconfigurator {sizing.version}: {sizing.system}, {sizing.engine}"
    out.print(f"{source} {sizing.proposed.engine_version}.", markup=False, soft_wrap=True)
    for mode, reason in sizing.refused.items():
        out.print(f"{mode}: {reason}", markup=False, soft_wrap=True)
    for note in sizing.notes:
        out.print(f"note: {note}", markup=False, soft_wrap=True)
    for finding in sizing.findings:
        word = "stopped" if finding.severity is Severity.MANDATORY else "advice"
        out.print(f"{word}: {finding.message}", markup=False, soft_wrap=True)
    out.print(f"\n{LogText().piece(sizing.difference)}", markup=False, soft_wrap=True)
    end = f"Wrote {sizing.file}." if written else "Nothing was written; --write writes it."
    console(stderr=True).print(end, markup=False, soft_wrap=True)
