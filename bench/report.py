"""BENCHMARKS.md: versions and machine, then a table per section with its goals."""

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Sequence

_PACKAGES = ("pulumi", "pulumi-kubernetes", "cel-python", "cel-expr-python", "pydantic")


class Report:
    """A Markdown report, built section by section."""

    def __init__(self, command: str) -> None:
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
        self._lines = [
            "# Benchmarks",
            "",
            (
                f"Written by `{command}` on {datetime.datetime.now(tz=datetime.UTC).date()}. Python"
                f" {platform.python_version()}, {versions};"
            ),
            (
                f"{os.cpu_count()} cores, {_memory():.0f} GiB, {platform.system()} {platform.machine()}. Figures are"
                " the median (min–max);"
            ),
            "compared commands ran in turns.",
        ]

    def section(
        self, title: str, description: str, header: Sequence[str], rows: Sequence[Sequence[str]], goals: Sequence[str]
    ) -> None:
        """Add a section: a description, a table and its goals."""
        self._lines += [
            "",
            f"## {title}",
            "",
            description,
            "",
            _row(header),
            _row(["---"] * len(header)),
            *map(_row, rows),
        ]
        self._lines += ["", *(f"- {goal}" for goal in goals)] if goals else []

    def text(self) -> str:
        """Return the whole report."""
        return "\n".join(self._lines) + "\n"


def goal(measure: str, value: float, limit: float, unit: str = "", reason: str = "") -> str:
    """Describe a goal: met, or missed by how much and why."""
    if value <= limit:
        return f"Goal met: {measure} {value:.2f}{unit}, limit {limit:g}{unit}."
    return (
        f"**Goal missed**: {measure} {value:.2f}{unit}, limit {limit:g}{unit} ({value / limit:.2f} times the limit)."
        f" {reason}".rstrip()
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
