"""Unit (files in a temporary folder): which files a setting names, and what is said of those that can't be read."""

import os
import re
import socket
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.planning.files import Files, Unreadable
from airunway.program.project_files import read_files

TREE = (
    "deployments/b.yaml",
    "deployments/a.yaml",
    "deployments/a.json",
    "deployments/team/c.yaml",
    "deployments/team/deep/d.yaml",
    "deployments/.hidden.yaml",
    "deployments/.git/e.yaml",
    "other[1].yaml",
    "models.yaml",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the files of ``TREE``, each holding its own path, as the working directory."""
    root = tmp_path / "project"
    for name in TREE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    monkeypatch.chdir(root)
    return root


def names(*patterns: str) -> list[str]:
    texts, problems = read_files(Path.cwd(), patterns).select_texts("x", patterns)
    assert problems == []
    return list(texts)


def refused(*patterns: str) -> str:
    texts, problems = read_files(Path.cwd(), patterns).select_texts("x", patterns)
    assert texts == {}
    return "\n".join(map(str, problems))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("deployments/*.yaml", ["deployments/a.yaml", "deployments/b.yaml"]),
        ("deployments/[!a].yaml", ["deployments/b.yaml"]),
        ("deployments/?.json", ["deployments/a.json"]),
        ("deployments/*/*.yaml", ["deployments/team/c.yaml"]),
        (
            "deployments/**/*.yaml",
            ["deployments/a.yaml", "deployments/b.yaml", "deployments/team/c.yaml", "deployments/team/deep/d.yaml"],
        ),
        ("**/d.yaml", ["deployments/team/deep/d.yaml"]),
        ("**/deep/**", ["deployments/team/deep/d.yaml"]),
        ("deployments/**/team/**/*.yaml", ["deployments/team/c.yaml", "deployments/team/deep/d.yaml"]),
        ("deployments/.*.yaml", ["deployments/.hidden.yaml"]),
        ("deployments/.git/*", ["deployments/.git/e.yaml"]),
        ("deployments/*", ["deployments/a.json", "deployments/a.yaml", "deployments/b.yaml"]),
        ("./deployments/../models.yaml", ["models.yaml"]),
        ("other[1].yaml", ["other[1].yaml"]),
        ("other[[]1].yaml", ["other[1].yaml"]),
    ],
)
def test_a_pattern_names_files_in_order(project: Path, pattern: str, expected: list[str]) -> None:
    assert names(pattern) == expected


def test_a_file_that_is_named_twice_is_read_once(project: Path) -> None:
    patterns = [
        "deployments/b.yaml",
        "deployments/*.yaml",
        "./deployments/b.yaml",
        str(project / "deployments" / "a.yaml"),
    ]
    assert names(*patterns) == ["deployments/b.yaml", "deployments/a.yaml"]
    (project / "link.yaml").symlink_to("models.yaml")
    assert names("*.yaml", "link.yaml") == ["models.yaml", "other[1].yaml"]


def test_links_that_lead_in_a_circle_are_not_followed_for_ever(project: Path) -> None:
    (project / "deployments" / "again").symlink_to(".")
    (project / "deployments" / "up").symlink_to("..")
    assert names("deployments/**/a.yaml") == ["deployments/a.yaml"]
    assert names("deployments/*/a.yaml") == ["deployments/a.yaml"]
    (project / "loop.yaml").symlink_to("loop.yaml")
    assert "loop" in refused("loop.yaml")


def test_an_absolute_path_may_lie_anywhere(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("outside")
    assert names(str(tmp_path / "outside.yaml"), str(tmp_path / "*.yaml")) == [str(tmp_path / "outside.yaml")]


@pytest.mark.parametrize(
    "pattern", ["../outside.yaml", "deployments/../../outside.yaml", "../*.yaml", "../nowhere.yaml"]
)
def test_a_path_that_leads_out_of_the_project_is_refused(project: Path, tmp_path: Path, pattern: str) -> None:
    (tmp_path / "outside.yaml").write_text("outside")
    assert re.fullmatch(
        rf"x\[0\]: .+ leads out of the project, to {tmp_path}.*; use files of the project, or an absolute path",
        refused(pattern),
    )


def test_a_link_that_leads_out_of_the_project_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("outside")
    (project / "deployments" / "c.yaml").symlink_to(tmp_path / "outside.yaml")
    for pattern in ("deployments/c.yaml", "deployments/*.yaml"):
        assert f"x[0]: {pattern} leads out of the project, to {tmp_path}/outside.yaml" in refused(pattern)


@pytest.mark.parametrize(
    ("pattern", "output"),
    [
        ("deployments/*.yml", "deployments/*.yml matches no file in {project}/deployments"),
        ("*.yml", "*.yml matches no file in {project}"),
        ("nowhere/*.yaml", "nowhere/*.yaml matches no file: there is no folder {project}/nowhere"),
        ("models.yaml/*.yaml", "models.yaml/*.yaml matches no file: there is no folder {project}/models.yaml"),
        ("deployments/**.yaml", "deployments/**.yaml has ** next to other characters; write it alone between slashes"),
        ("nowhere.yaml", "nowhere.yaml can't be read: No such file or directory"),
        ("deployments", "deployments is a folder; name its files, as in folder/*.yaml"),
        ("a\0b.yaml", "a\0b.yaml can't be read"),
        ("a" * 5000, "can't be read: File name too long"),
        ("/dev/zero", "/dev/zero is not a regular file"),
    ],
)
def test_what_names_no_file_is_refused(project: Path, pattern: str, output: str) -> None:
    assert output.format(project=project) in refused(pattern)


@pytest.mark.parametrize("pattern", ["deployments/odd.yaml", "deployments/od*"])
def test_what_is_no_text_is_refused_also_where_a_glob_names_it(project: Path, pattern: str) -> None:
    odd = project / "deployments" / "odd.yaml"
    odd.write_bytes("modèle".encode("latin-1"))
    assert refused(pattern) == "x[0]: deployments/odd.yaml is not UTF-8: invalid continuation byte at byte 3"
    odd.unlink()
    os.mkfifo(odd)
    assert refused(pattern) == "x[0]: deployments/odd.yaml is not a regular file"
    odd.unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("deployments/odd.yaml")
        assert refused(pattern) == "x[0]: deployments/odd.yaml is not a regular file"
    odd.unlink()
    odd.symlink_to("gone.yaml")
    assert "can't be read: No such file or directory" in refused(pattern)


def test_a_folder_that_can_t_be_listed_is_not_passed_over(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(folder: Path) -> object:
        if folder.name == "team":  # the tests may run as root, who may list everything
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr("os.scandir", scandir)
    assert refused("deployments/**/*.yaml") == "x[0]: deployments/**/*.yaml can't be read: Permission denied"


def test_texts_that_are_to_be_saved_stand_for_those_on_disk() -> None:
    patterns = ["pyproject.toml"]
    assert read_files(Path.cwd(), patterns, {"pyproject.toml": "new", "Makefile": "not named"}).texts == {
        "pyproject.toml": "new"
    }


def test_one_that_is_named_by_two_patterns_is_complained_of_once() -> None:
    files = Files({"a": ("f",), "b": ("f", "g")}, {"f": Unreadable("is odd"), "g": "text"})
    texts, problems = files.select_texts("x", ["a", "b"])
    assert (texts, [str(p) for p in problems]) == ({"g": "text"}, ["x[0]: f is odd"])


@given(st.lists(st.text(string.printable + "é*?[]!/.", min_size=1, max_size=12), max_size=4))
def test_whatever_a_setting_names_is_read_or_refused(patterns: list[str]) -> None:
    patterns = [f"tests/unit/golden/{pattern}" for pattern in patterns]
    texts, problems = read_files(Path.cwd(), patterns).select_texts("x", patterns)
    assert all(isinstance(text, str) for text in texts.values())
    assert all(p.field.startswith("x[") for p in problems)
