"""BENCHMARKS.md: versions and machine, then a table per section with the goal and whether it was met."""

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Sequence

_PACKAGES = ("pulumi", "pulumi-kubernetes", "cel-python", "cel-expr-python", "pydantic")


class Report:
    """Markdown that grows section by section."""

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
                " the median (least–most);"
            ),
            "what is compared ran in turns in one run.",
        ]

    def section(
        self, title: str, what: str, header: Sequence[str], rows: Sequence[Sequence[str]], goals: Sequence[str]
    ) -> None:
        """A table with what it measures above and the goals below."""
        self._lines += ["", f"## {title}", "", what, "", _row(header), _row(["---"] * len(header)), *map(_row, rows)]
        self._lines += ["", *(f"- {goal}" for goal in goals)] if goals else []

    def text(self) -> str:
        """The whole file."""
        return "\n".join(self._lines) + "\n"


def goal(what: str, value: float, limit: float, unit: str = "", why: str = "") -> str:
    """One line about a goal: met, or by how much not and why."""
    if value <= limit:
        return f"Goal met: {what} {value:.2f}{unit}, at most {limit:g}{unit} wanted."
    return (
        f"**Goal missed**: {what} {value:.2f}{unit}, at most {limit:g}{unit} wanted ({value / limit:.2f} times that)."
        f" {why}".rstrip()
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
