"""A preview for a terminal: the selection table, and the tree of resources with their dependencies."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from airunway.planning.deployment import PlannedDeployment
from airunway.program.record import Preview, Resource
from airunway.report.assessment_document import assessed_parts
from airunway.report.assessment_sentences import findings_by_severity
from airunway.report.assessment_text import assessment_lines, finding_lines
from airunway.report.model_and_gpus import gpus_words, model_document, planned_gpus
from airunway.selection.select import Selection
from airunway.spec.entry import Delivery

_NOTHING = "This stack has no deployments; add one below airunway:deployments."


def preview_text(preview: Preview, width: int) -> RenderableType:
    """Render what ``airunway preview`` prints on ``width`` columns."""
    operators = [p.config.name for p in preview.plan.providers if p.operator and p.managed]
    existing = [p.config.name for p in preview.plan.providers if p.operator and not p.managed]
    summary = Text(f"\n{preview.sentence}", style="bold")
    for label, names in (("; operators installed: ", operators), ("; operators expected: ", existing)):
        if names:
            summary.append(label + ", ".join(names), style="not bold")
    warnings = [Text(f"warning: {w}", style="yellow") for w in preview.plan.warnings]
    decisions = selection_table(preview.plan.deployments, width) if preview.plan.deployments else Text(_NOTHING)
    known = assessed_parts(preview.assessment)
    findings = finding_lines(*findings_by_severity(known))
    findings += [""] if findings else []
    return Group(*findings, decisions, *assessment_lines(known, width), "", resource_tree(preview), *warnings, summary)


def selection_table(deployments: Sequence[PlannedDeployment], width: int) -> RenderableType:
    """Render each deployment's model, GPUs, provider and why; below 100 columns, as a list instead of a table."""
    if width < 100:
        return _selection_list(deployments)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("DEPLOYMENT", no_wrap=True)
    table.add_column("MODEL", overflow="fold")
    table.add_column("GPUS", justify="right", no_wrap=True)
    table.add_column("RUNS ON", no_wrap=True)
    table.add_column("WHY", overflow="fold", ratio=1)
    for planned in deployments:
        selection = planned.request.selection
        table.add_row(
            planned.name,
            Text(planned.model),
            planned_gpus(planned),
            Text(f"{selection.engine} on ").append(selection.provider, style="cyan"),
            Text(selection_reason(planned)),
        )
    return table


def _selection_list(deployments: Sequence[PlannedDeployment]) -> RenderableType:
    lines: list[RenderableType] = []
    for planned in deployments:
        selection = planned.request.selection
        head = Text(planned.name, style="bold").append(f"  {selection.engine} on ", style="not bold")
        lines.append(head.append(selection.provider, style="not bold cyan"))
        serves = f"{planned.model}, {gpus_words(model_document(planned))}"
        lines.append(Padding(Text(serves), (0, 0, 0, 4), expand=False))
        lines.append(Padding(Text(selection_reason(planned), style="dim"), (0, 0, 0, 4), expand=False))
    return Group(*lines)


def selection_reason(planned: PlannedDeployment) -> str:
    """Say which rule selected the provider, with its priority, and which providers it ranks above."""
    reason = _rule_reason(planned.request.selection)
    return (
        reason
        if planned.delivery is Delivery.DIRECT
        else f"{reason}; as ModelDeployment, for which the cluster's controller decides"
    )


def _rule_reason(selection: Selection) -> str:
    if selection.rule is None:
        return "named by provider.name"
    competitors = sorted(
        (c for c in selection.candidates if c.eligible and c.provider != selection.provider),
        key=lambda c: (-(c.priority or 0), c.provider),
    )
    rule = f"{selection.rule.words} ({selection.rule.priority})"
    if not competitors:
        return rule
    verb = "ties with" if competitors[0].priority == selection.rule.priority else "ranks above"
    return f"{rule}, {verb} {', '.join(f'{c.provider} ({c.priority})' for c in competitors)}"


def resource_tree(preview: Preview) -> Tree:
    """Build the tree of components and resources, each with its direct dependencies."""
    resources = [r for r in preview.resources if not r.is_provider]
    tree = Tree(Text(preview.stack, style="bold"), guide_style="dim")
    dependencies = _DirectDependencies(resources)
    branches = {"": tree}
    for resource in sorted(resources, key=lambda r: (r.parent.count("$") if r.parent else -1, _sort_key(r))):
        branch = branches.get(resource.parent, tree)
        branches[resource.urn] = branch.add(_label(resource, dependencies.names(resource)))
    return tree


def _sort_key(resource: Resource) -> tuple[int, str, str]:
    """Sort shared resources first, then by kind and name."""
    return (
        0 if resource.kind == "Platform" else 1,
        "" if resource.kind == "ModelDeployment" else resource.type,
        resource.name,
    )


def _label(resource: Resource, dependencies: Sequence[str]) -> Text:
    label = Text(resource.name)
    label.append(f"  {resource.kind}", style="cyan" if resource.custom else "magenta")
    chart = resource.inputs.get("chart") if resource.kind == "Release" else None
    if chart:
        version = resource.inputs.get("version")
        label.append(f" {chart} {version}" if version else f" {chart}", style="dim")
    if resource.protect:
        label.append("  protected", style="yellow")
    if dependencies:
        label.append(f"  after {', '.join(dependencies)}", style="dim")
    return label


class _DirectDependencies:
    """Direct dependencies in the fewest names: whole components instead of their children, nothing transitive."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._by_urn = {r.urn: r for r in resources}
        self._leaves: dict[str, set[str]] = {}
        self._transitive_by_urn: dict[str, set[str]] = {}
        for resource in resources:
            if resource.custom:
                for ancestor in self._ancestors(resource.urn):
                    self._leaves.setdefault(ancestor, set()).add(resource.urn)

    def names(self, resource: Resource) -> list[str]:
        """Return the names of the direct dependencies of ``resource``."""
        dependencies = {urn for urn in resource.dependencies if urn in self._by_urn}
        complete: set[str] = set()
        for component in sorted(
            {a for urn in dependencies for a in self._ancestors(urn)}, key=lambda urn: urn.count("$")
        ):
            leaves = self._leaves[component]
            if leaves <= dependencies and not any(a in complete for a in self._ancestors(component)):
                complete.add(component)
        covered_leaves = {leaf for component in complete for leaf in self._leaves[component]}
        remaining = dependencies - covered_leaves
        implied = {dependency for urn in dependencies for dependency in self._transitive(urn)}
        return sorted({self._by_urn[urn].name for urn in complete | (remaining - implied)})

    def _ancestors(self, urn: str) -> list[str]:
        ancestors = []
        while (urn := self._by_urn[urn].parent) in self._by_urn:
            ancestors.append(urn)
        return ancestors

    def _transitive(self, urn: str) -> set[str]:
        """Return everything that must exist before ``urn``."""
        if urn not in self._transitive_by_urn:
            direct = {u for u in self._by_urn[urn].dependencies if u in self._by_urn}
            self._transitive_by_urn[urn] = direct.union(*(self._transitive(u) for u in direct))
        return self._transitive_by_urn[urn]
