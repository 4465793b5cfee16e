"""The sections: overhead over bare Pulumi with and without the engine, selection, alternatives, start-up."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import pytest

from bench import selection as specs
from bench.process import Sample, run_in_turns, spread
from bench.projects import (
    ROOT,
    STACK,
    gc_settings,
    preview_of,
    write_bare,
    write_chart,
    write_kustomization,
    write_stack,
)
from bench.report import Report, goal

PYTHON = sys.executable
AIRUNWAY = (PYTHON, "-m", "airunway.cli")


def overhead(report: Report, quick: bool) -> None:
    """Compare the program with one that registers the same resources from a literal list."""
    sizes = (10, 100) if quick else (10, 100, 1000, 3000)
    rows, by_size, goals = [], {}, []
    with tempfile.TemporaryDirectory() as temporary:
        for size in sizes:
            folder = Path(temporary, str(size))
            preview = preview_of(write_stack(folder / "ours", size))
            write_bare(folder / "bare", preview)
            commands = {name: (PYTHON, "-m", "bench.run_program", str(folder / name)) for name in ("ours", "bare")}
            if size == 1000:
                same_gc = write_bare(folder / "same-gc", preview, gc_settings())
                commands["same-gc"] = (PYTHON, "-m", "bench.run_program", str(same_gc))
            by_size[size] = samples = run_in_turns(commands, ROOT, 3 if size <= 1000 else 1)
            rows.append(_overhead_row(size, samples, _same(int(s.output) for runs in samples.values() for s in runs)))
    if not quick:
        growth = median(_values(by_size[3000]["ours"], "wall")) / median(_values(by_size[1000]["ours"], "wall"))
        gc_ratio = _ratio(by_size[1000], "ours", "same-gc", "wall")
        goals = [
            *_overhead_goals(1000, by_size[1000]),
            goal("wall of 3,000 deployments over that of 1,000", growth, 3.2, reason=_WHY_GROWTH),
            (
                "Ours changes how often Python collects garbage (`__main__.py`). Over a bare program that does the"
                f" same: {gc_ratio:.2f}."
            ),
        ]
    report.section(
        "Overhead over bare Pulumi",
        "A whole process that registers all resources with a recording monitor; bare reads them from a list.",
        _OVERHEAD_HEADER,
        rows,
        goals,
    )


def on_the_engine(report: Report, quick: bool) -> None:
    """Compare the same programs as previews of the real Pulumi engine against a real API server."""
    from tests.cluster.apiserver import running_cluster

    sizes = (10,) if quick else (10, 100, 1000, 3000)
    rows, goals = [], []
    try:
        with tempfile.TemporaryDirectory() as temporary, running_cluster(Path(temporary)) as cluster:
            for size in sizes:
                folder = Path(temporary, str(size))
                preview = preview_of(write_stack(folder / "ours", size, {"kubeconfig": str(cluster.kubeconfig())}))
                write_bare(folder / "bare", preview)
                commands = {name: (PYTHON, "-m", "bench.run_engine", str(folder / name)) for name in ("ours", "bare")}
                runs = run_in_turns(commands, ROOT, {1000: 2, 3000: 1}.get(size, 3))  # 3,000 take minutes
                printed = {name: [json.loads(s.output) for s in each] for name, each in runs.items()}
                samples = {
                    name: [Sample(f["wall"], f["cpu"], f["memory"], "") for f in each] for name, each in printed.items()
                }
                rows.append(
                    _overhead_row(size, samples, _same(f["resources"] for each in printed.values() for f in each))
                )
                if size == 1000:
                    goals = _overhead_goals(size, samples)
    except pytest.skip.Exception as reason:
        print(f"  not measured: {reason}", file=sys.stderr)
        goals = [f"Not measured: {reason}"]
    report.section(
        "The same on the real engine",
        "One preview by the Automation API with the real Kubernetes provider, new stack, without the start of Python;"
        " CPU is that of program, engine and provider, memory the program's.",
        _OVERHEAD_HEADER,
        rows,
        goals,
    )


_OVERHEAD_HEADER = ("deployments", "resources", "airunway, s", "bare, s", "wall ratio", "CPU ratio", "memory ratio")


def _overhead_row(size: int, samples: dict[str, list[Sample]], resources: int) -> list[str]:
    ratios = [f"{_ratio(samples, 'ours', 'bare', part):.2f}" for part in ("wall", "cpu", "memory")]
    return [str(size), str(resources), *(spread(_values(samples[name], "wall")) for name in ("ours", "bare")), *ratios]


def _overhead_goals(size: int, samples: dict[str, list[Sample]]) -> list[str]:
    return [
        goal(f"wall at {size} deployments over bare", _ratio(samples, "ours", "bare", "wall"), 1.15, reason=_WHY_WALL),
        goal(
            f"memory at {size} deployments over bare",
            _ratio(samples, "ours", "bare", "memory"),
            1.25,
            reason=_WHY_MEMORY,
        ),
    ]


def _same(counts: Iterable[int]) -> int:
    """Return the count that all programs share, as they must register the same resources."""
    different = set(counts)
    if len(different) != 1:
        raise AssertionError(f"not the same resources: {different}")
    return different.pop()


_WHY_MEMORY = "The plan, with every spec and rendered object, is kept beside what Pulumi keeps."
_WHY_GROWTH = "Pulumi's SDK keeps every resource to the end, and the collector walks them all again."
_WHY_WALL = "The bare program neither checks, selects nor renders, and does not import what does."


def selection(report: Report, quick: bool) -> None:
    """Compare checking and selecting specs with evaluating the same rules with cel-expr-python."""
    count, times = (500, 3) if quick else (1500, 3)
    data, rows, best = specs.specs(count), [], 0.0
    for extra_rules in (0, 10, 100, 1000):
        configs, subset = specs.catalog(extra_rules), data[: count if extra_rules < 1000 else count // 5]
        first = specs.time_airunway(subset, configs)  # with empty caches: rules are compiled and evaluated
        airunway_times = [specs.time_airunway(subset, configs) for _ in range(times)]
        cel_times = [specs.time_cel_expr(subset, configs) for _ in range(times)]
        best = best or median(airunway_times)
        ratio = f"{median(airunway_times) / median(cel_times):.2f}"
        rules = sum(len(c.spec.selection_rules) for c in configs)
        rows.append([str(rules), f"{first:.0f}", spread(airunway_times, 0), spread(cel_times, 0), ratio])
    report.section(
        "Selection",
        "Microseconds per spec. airunway checks the spec and selects; cel-expr-python evaluates the compiled rules and"
        " does nothing else.",
        ("rules", "airunway, first pass", "airunway", "cel-expr-python", "ratio"),
        rows,
        [goal("one spec with the built-in catalog", best, 300, " µs")],
    )


def alternatives(report: Report, quick: bool) -> None:
    """Compare rendering the same objects with helm and kustomize."""
    size, times = (100, 3) if quick else (1000, 3)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        preview = preview_of(write_stack(folder / "ours", size))
        out = str(folder / "out")
        commands: dict[str, Sequence[str]] = {
            "airunway render": (*AIRUNWAY, "render", "--stack", STACK, "--cwd", str(folder / "ours"), "--output", out)
        }
        if helm := _helm():
            commands["helm template"] = (helm, "template", "bench", str(write_chart(folder / "chart", preview)))
        if kubectl := shutil.which("kubectl"):
            commands["kubectl kustomize"] = (
                kubectl,
                "kustomize",
                str(write_kustomization(folder / "kustomization", preview)),
            )
        samples = run_in_turns(commands, ROOT, times)
    rows = [
        [
            name,
            spread(_values(each, "wall")),
            f"{median(_values(each, 'memory')):.0f}",
            f"{_ratio(samples, 'airunway render', name, 'wall'):.2f}",
        ]
        for name, each in samples.items()
    ]
    goals = ["helm was not measured: it is not on PATH and can't be built without Go."]
    if "helm template" in samples:
        goals = [
            goal(
                "`airunway render` over `helm template`",
                _ratio(samples, "airunway render", "helm template", "wall"),
                1,
                reason=_WHY_HELM,
            )
        ]
    report.section(
        "Alternatives",
        f"Objects of {size} deployments. helm and kubectl are given finished objects; airunway checks, selects and"
        " renders first.",
        ("command", "wall, s", "memory, MiB", "airunway over it"),
        rows,
        goals,
    )


_WHY_HELM = (
    "helm's chart is given finished objects to print, and is compiled; ours decides and registers each with Pulumi's"
    " SDK first."
)


def start_up(report: Report, quick: bool) -> None:
    """Measure the command's start-up."""
    commands = {
        "airunway --help": (*AIRUNWAY, "--help"),
        "airunway preview (dev)": (*AIRUNWAY, "preview", "--stack", "dev"),
    }
    samples = run_in_turns(commands, ROOT, 5 if quick else 9)
    rows = [
        [name, spread(_values(each, "wall")), f"{median(_values(each, 'memory')):.0f}"]
        for name, each in samples.items()
    ]
    limits = {"airunway --help": 0.25, "airunway preview (dev)": 1.0}
    report.section(
        "Start-up",
        "From start to end of the process, warm.",
        ("command", "wall, s", "memory, MiB"),
        rows,
        [goal(name, median(_values(samples[name], "wall")), limit, " s") for name, limit in limits.items()],
    )
    command = [PYTHON, "-X", "importtime", *AIRUNWAY[1:], "preview", "--stack", "dev"]
    profile = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    report.section(
        "Imports of `airunway preview`",
        "Milliseconds in the modules of each package, without what they import; `python -X importtime`, which itself"
        " costs time.",
        ("package", "modules", "ms"),
        _imports(profile, 8),
        [],
    )


def _imports(profile: str, most: int) -> list[list[str]]:
    """Return the ``most`` expensive packages of an ``-X importtime`` log, and the sum of the others."""
    spent: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for micros, name in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", profile, re.MULTILINE):
        package = name.partition(".")[0]
        spent[package] += int(micros)
        modules[package] += 1
    dearest = spent.most_common(most)
    rest = [("all others", spent.total() - sum(micros for _, micros in dearest))]
    modules["all others"] = modules.total() - sum(modules[package] for package, _ in dearest)
    return [[package, str(modules[package]), f"{micros / 1000:.0f}"] for package, micros in dearest + rest]


def _values(samples: Sequence[Sample], part: str) -> list[float]:
    return [getattr(sample, part) for sample in samples]


def _ratio(samples: dict[str, list[Sample]], numerator: str, denominator: str, part: str) -> float:
    return median(_values(samples[numerator], part)) / median(_values(samples[denominator], part))


def _helm() -> str | None:
    from tests.cluster.tools import program

    try:
        return str(program("helm"))
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        print(f"  no helm: {error}", file=sys.stderr)
        return None
