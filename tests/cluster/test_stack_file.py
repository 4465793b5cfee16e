"""Cluster (real Pulumi CLI, no cluster): a stack file says to the offline preview what it says to ``pulumi up``."""

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from airunway.program.stack_file import read_stack
from airunway.text.problems import InputError
from airunway.text.yaml_reading import StackLoader, read_document
from tests.cluster.tools import program
from tests.unit.test_yaml_reading import MEANING

ROOT = Path(__file__).parents[2]
NOT_TAKEN = [
    "airunway:a: .inf",
    "airunway:a: [.nan]",
    "airunway:a: 1\n  airunway:a: 2",
    "airunway:a: {b: 1, b: 2}",
    "airunway:a: &a [*a]",
]


class Project:
    """A project whose configuration the CLI reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        (folder / "Pulumi.yaml").write_text("name: airunway\nruntime: python\n")
        self.pulumi("stack", "init", "own")

    def pulumi(self, *arguments: str) -> str:
        """What the CLI prints. Raises ``CalledProcessError``."""
        done = subprocess.run(
            [program("pulumi"), *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def write(self, config: str) -> None:
        """Make ``config`` the stack's."""
        (self.folder / "Pulumi.own.yaml").write_text(f"config:\n  {config}\n")

    def values(self) -> dict[str, str]:
        """The stack's configuration as a program gets it."""
        return {
            key: entry.get("value", "")
            for key, entry in json.loads(self.pulumi("config", "--json", "--stack", "own")).items()
        }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def same(ours: str, theirs: str) -> bool:
    """Whether two values of a setting are the same data, or the same text."""
    try:
        return bool(json.loads(ours) == json.loads(theirs))
    except ValueError:
        return ours == theirs


def random_scalars(count: int) -> list[str]:
    """Numbers, near-numbers and words, the same ones in each run; those that a stack file may not hold are left out."""
    chance = random.Random(2026)
    created = ["".join(chance.choices("0123456789.-+_eExXoObB:T", k=chance.randint(1, 9))) for _ in range(count)]
    words = [
        chance.choice(["true", "yes", "on", "no", "null", "y", "inf", "nan", "TRUE"]).swapcase() for _ in range(20)
    ]
    return [text for text in [*created, *words] if not text.endswith(":") and readable(text)]


def readable(text: str) -> bool:
    try:
        read_document(f"a: [{text}]", "x", StackLoader)
    except InputError:
        return False
    return True


def test_every_scalar_means_the_same(project: Project) -> None:
    scalars = [*MEANING, *random_scalars(3000)]
    assert len(scalars) > 2000
    project.write("airunway:odd:" + "".join(f"\n  - {{a: {text}, b: [{text}]}}" for text in scalars))
    theirs: list[Any] = json.loads(project.values()["airunway:odd"])
    ours = json.loads(read_stack(project.folder, "own").values["airunway:odd"])
    wrong = {
        text: (one, other)
        for text, one, other in zip(scalars, ours, theirs, strict=True)
        if json.dumps(one) != json.dumps(other)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "014",
        "1.10",
        "1.0",
        "1e3",
        "1_000",
        "22:22",
        "true",
        "~",
        "'1.10'",
        "text",
        "[1, on]",
        "{a: {b: 1.0}, 2: c, true: d, 1.50: e, 0x10: f, ~: g}",
    ],
)
def test_a_setting_of_its_own_means_the_same(project: Project, text: str) -> None:
    project.write(f"airunway:a: {text}\n  airunway:b: set")
    assert same(read_stack(project.folder, "own").values["airunway:a"], project.values().get("airunway:a", "null"))


def test_settings_of_the_project_mean_the_same(project: Project) -> None:
    settings = "\n  ".join(
        [
            "a: short",
            "other:b: {value: 1.0}",
            "airunway:c: {default: on}",
            "airunway:d: {type: string, default: x}",
            "airunway:e: 014",
        ]
    )
    (project.folder / "Pulumi.yaml").write_text(f"name: airunway\nruntime: python\nconfig:\n  {settings}\n")
    project.write("airunway:e: 2")
    assert read_stack(project.folder, "own").values == project.values()


@pytest.mark.parametrize("path", sorted((ROOT / "stacks").glob("Pulumi.*.yaml")), ids=lambda p: p.name)
def test_a_shipped_stack_means_the_same(project: Project, path: Path) -> None:
    (project.folder / "Pulumi.own.yaml").write_text(path.read_text())
    ours, theirs = read_stack(project.folder, "own").values, project.values()
    assert set(ours) == set(theirs)
    assert [key for key in ours if not same(ours[key], theirs[key])] == []


@pytest.mark.parametrize("config", NOT_TAKEN)
def test_what_pulumi_does_not_take_is_refused_offline_too(project: Project, config: str) -> None:
    project.write(config)
    with pytest.raises(subprocess.CalledProcessError):
        project.pulumi("config", "--json", "--stack", "own")
    with pytest.raises(InputError):
        read_stack(project.folder, "own")
