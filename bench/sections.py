"""What is measured: overhead over bare Pulumi with and without the engine, selection, what else people use,
start-up.
"""

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
from bench.process import Sample, in_turns, spread
from bench.projects import ROOT, STACK, collector, preview_of, write_bare, write_chart, write_kustomization, write_stack
from bench.report import Report, goal

PYTHON = sys.executable
AIRUNWAY = (PYTHON, "-m", "airunway.cli")


def overhead(report: Report, quick: bool) -> None:
    """The program against one that registers the same resources from a literal list."""
    sizes = (10, 100) if quick else (10, 100, 1000, 3000)
    rows, found, goals = [], {}, []
    with tempfile.TemporaryDirectory() as place:
        for size in sizes:
            folder = Path(place, str(size))
            preview = preview_of(write_stack(folder / "ours", size))
            write_bare(folder / "bare", preview)
            commands = {name: (PYTHON, "-m", "bench.run_program", str(folder / name)) for name in ("ours", "bare")}
            if size == 1000:
                alike = write_bare(folder / "collecting alike", preview, collector())
                commands["alike"] = (PYTHON, "-m", "bench.run_program", str(alike))
            found[size] = samples = in_turns(commands, ROOT, 3 if size <= 1000 else 1)
            rows.append(_overhead_row(size, samples, _same(int(s.output) for each in samples.values() for s in each)))
    if not quick:
        growth = median(_values(found[3000]["ours"], "wall")) / median(_values(found[1000]["ours"], "wall"))
        alike_ratio = _ratio(found[1000], "ours", "alike", "wall")
        goals = [
            *_overhead_goals(1000, found[1000]),
            goal("wall of 3,000 deployments over that of 1,000", growth, 3.2, why=_WHY_GROWTH),
            (
                "Ours changes how often Python collects garbage (`__main__.py`). Over a bare program that does the"
                f" same: {alike_ratio:.2f}."
            ),
        ]
    report.section(
        "Overhead over bare Pulumi",
        "Start to end of a process that registers everything with a monitor that only keeps it; bare reads its"
        " resources from a list.",
        _OVERHEAD_HEADER,
        rows,
        goals,
    )


def on_the_engine(report: Report, quick: bool) -> None:
    """The same two programs as previews of the real Pulumi engine against a real API server."""
    from tests.cluster.apiserver import running_cluster

    sizes = (10,) if quick else (10, 100, 1000, 3000)
    rows, goals = [], []
    try:
        with tempfile.TemporaryDirectory() as place, running_cluster(Path(place)) as cluster:
            for size in sizes:
                folder = Path(place, str(size))
                preview = preview_of(write_stack(folder / "ours", size, {"kubeconfig": str(cluster.kubeconfig())}))
                write_bare(folder / "bare", preview)
                commands = {name: (PYTHON, "-m", "bench.run_engine", str(folder / name)) for name in ("ours", "bare")}
                runs = in_turns(commands, ROOT, {1000: 2, 3000: 1}.get(size, 3))  # 3,000 take minutes
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
        goal(f"wall at {size} deployments over bare", _ratio(samples, "ours", "bare", "wall"), 1.15, why=_WHY_WALL),
        goal(
            f"memory at {size} deployments over bare", _ratio(samples, "ours", "bare", "memory"), 1.25, why=_WHY_MEMORY
        ),
    ]


def _same(counts: Iterable[int]) -> int:
    """The one number that all of ``counts`` are: what is compared has to register the same resources."""
    different = set(counts)
    if len(different) != 1:
        raise AssertionError(f"not the same resources: {different}")
    return different.pop()


_WHY_MEMORY = "The plan, with every spec and rendered object, is kept beside what Pulumi keeps."
_WHY_GROWTH = "Pulumi's SDK keeps every resource to the end, and the collector walks them all again."
_WHY_WALL = "The bare program neither checks, selects nor renders, and does not import what does."


def selection(report: Report, quick: bool) -> None:
    """Specs checked and selected, and the same rules alone on cel-expr-python."""
    count, times = (500, 3) if quick else (1500, 3)
    data, rows, best = specs.specs(count), [], 0.0
    for extra in (0, 10, 100, 1000):
        configs, some = specs.catalog(extra), data[: count if extra < 1000 else count // 5]
        first = specs.ours(some, configs)  # nothing remembered: rules are compiled and evaluated
        mine = [specs.ours(some, configs) for _ in range(times)]
        theirs = [specs.reference(some, configs) for _ in range(times)]
        best = best or median(mine)
        ratio = f"{median(mine) / median(theirs):.2f}"
        rules = sum(len(c.spec.selection_rules) for c in configs)
        rows.append([str(rules), f"{first:.0f}", spread(mine, 0), spread(theirs, 0), ratio])
    report.section(
        "Selection",
        "Microseconds per spec. airunway checks the spec and selects; cel-expr-python evaluates the compiled rules and"
        " does nothing else.",
        ("rules", "airunway, first pass", "airunway", "cel-expr-python", "ratio"),
        rows,
        [goal("one spec with the built-in catalog", best, 300, " µs")],
    )


def alternatives(report: Report, quick: bool) -> None:
    """The same objects as YAML by what people use today."""
    size, times = (100, 3) if quick else (1000, 3)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
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
        samples = in_turns(commands, ROOT, times)
    rows = [
        [
            name,
            spread(_values(each, "wall")),
            f"{median(_values(each, 'memory')):.0f}",
            f"{_ratio(samples, 'airunway render', name, 'wall'):.2f}",
        ]
        for name, each in samples.items()
    ]
    goals = ["helm is neither on PATH nor can it be built (no Go), so it was not measured."]
    if "helm template" in samples:
        goals = [
            goal(
                "`airunway render` over `helm template`",
                _ratio(samples, "airunway render", "helm template", "wall"),
                1,
                why=_WHY_HELM,
            )
        ]
    report.section(
        "What else renders them",
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
    """How long the command takes before it prints."""
    commands = {
        "airunway --help": (*AIRUNWAY, "--help"),
        "airunway preview (dev)": (*AIRUNWAY, "preview", "--stack", "dev"),
    }
    samples = in_turns(commands, ROOT, 5 if quick else 9)
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
    """The ``most`` dearest packages of an ``-X importtime`` log, then the rest as one."""
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


def _ratio(samples: dict[str, list[Sample]], one: str, other: str, part: str) -> float:
    return median(_values(samples[one], part)) / median(_values(samples[other], part))


def _helm() -> str | None:
    from tests.cluster.tools import program

    try:
        return str(program("helm"))
    except (pytest.skip.Exception, pytest.fail.Exception) as error:
        print(f"  no helm: {error}", file=sys.stderr)
        return None
