"""Commands that need no stack: `airunway select`, `render` and `providers`; imported only when one of them runs."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from airunway.cli.options import Format
from airunway.cli.streams import print_json, read_text
from airunway.planning.catalog import provider_configs
from airunway.planning.deployment import PlanContext, PlannedDeployment, plan_document
from airunway.planning.documents import parse_documents
from airunway.planning.files import Files
from airunway.planning.settings import StackSettings
from airunway.report.preview_document import deployment_document
from airunway.report.preview_text import selection_table
from airunway.selection.provider_config import InferenceProviderConfig, SelectionRule
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import console, one_line
from airunway.text.yaml_writing import to_documents
from providers import PROVIDERS


def show_selection(files: list[str], format: Format) -> None:
    """Print the selected engine and provider of each document in ``files``."""
    planned = _plan_files(files)
    if format is Format.JSON:
        print_json([deployment_document(p) for p in planned])
        return
    terminal = console()
    terminal.print(selection_table(planned, terminal.width))


def show_objects(files: list[str]) -> None:
    """Print the upstream objects of each document in ``files``."""
    planned = _plan_files(files)
    sys.stdout.write(to_documents(obj for p in planned for obj in (*p.rendered.supporting, p.rendered.resource)))


def show_providers(root: Path | None, stack: str | None, format: Format) -> None:
    """Print the providers as ``stack`` configures them, or the built-in ones."""
    configs = _load_configs(root, stack)
    if format is Format.JSON:
        print_json(
            [{"name": c.name, **c.spec.model_dump(mode="json", by_alias=True, exclude_none=True)} for c in configs]
        )
        return
    terminal = console()
    terminal.print(_capability_table(configs))
    for config in configs:
        terminal.print()
        terminal.print(_provider_lines(config))


def _load_configs(root: Path | None, stack: str | None) -> Sequence[InferenceProviderConfig]:
    if root is not None and stack is not None:
        from airunway.program.stack_plan import stack_target

        return stack_target(root, stack).configs
    return provider_configs(StackSettings(), Files(), PROVIDERS)


def _capability_table(configs: Sequence[InferenceProviderConfig]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("PROVIDER", "ENGINE", "GPU", "CPU", "SERVING"):
        table.add_column(heading)
    for config in configs:
        for capability in config.spec.capabilities.engines:
            support = ["yes" if supported else "no" for supported in (capability.gpu_support, capability.cpu_support)]
            table.add_row(
                Text(config.name, style="cyan"), str(capability.name), *support, ", ".join(capability.serving_modes)
            )
    return table


def _in_words(rule: SelectionRule) -> str:
    return f" ({rule.description})" if rule.description else ""


def _provider_lines(config: InferenceProviderConfig) -> Text:
    installation = config.spec.installation
    text = Text(config.name, style="bold cyan")
    text.append(f"  {installation.description}\n", style="not bold default")
    rules = config.spec.selection_rules
    rows = [f"priority {r.priority:>3} if {r.condition}{_in_words(r)}" for r in rules] or ["chosen by name only"]
    rows += [
        f"chart {chart.chart} {chart.version or ''} as {chart.name} in {chart.namespace}"
        + (f", from {address}" if (address := installation.address(chart)) else "")
        for chart in installation.helm_charts
    ]
    rows += [f"docs {config.spec.documentation}"] if config.spec.documentation else []
    rows += [f"manual step: {step.command}" for step in installation.steps if step.command]
    text.append("\n".join(f"  {row}" for row in rows), style="not bold default")
    return text


def _plan_files(files: list[str]) -> list[PlannedDeployment]:
    """Plan every document in ``files`` with the built-in providers, and print their warnings to standard error.

    Raises ``InputError`` with all problems.
    """
    target = PlanContext(PROVIDERS, _load_configs(None, None), StackSettings())
    planned: list[PlannedDeployment] = []
    problems: list[Problem] = []
    for file in files:
        try:
            for document in parse_documents(read_text(file), "stdin" if file == "-" else file, ("ModelDeployment",)):
                try:
                    planned.append(plan_document(document, target))
                except InputError as error:
                    problems += error.problems
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    for deployment in planned:
        for warning in deployment.warnings:
            console(stderr=True).print(f"warning: {deployment.name}: {one_line(warning)}", markup=False, soft_wrap=True)
    return planned
