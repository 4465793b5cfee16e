"""Unit (pure, and files in a temporary folder): project and stack files are read whole, or refused with what is wrong."""

from pathlib import Path

import pytest

from airunway.program.record import record
from airunway.program.stack_file import read_stack, stack_names
from airunway.text.problems import InputError

PROJECT = "name: airunway\nruntime: python\n"


def write(folder: Path, project: str = PROJECT, stack: str | None = "config: {}") -> Path:
    (folder / "Pulumi.yaml").write_text(project)
    if stack is not None:
        (folder / "Pulumi.dev.yaml").write_text(stack)
    return folder


def test_settings_of_the_project_hold_where_the_stack_says_nothing(tmp_path: Path) -> None:
    project = (
        PROJECT
        + "config:\n  a: short\n  other:b: {value: 1.0}\n  airunway:c: {default: on}\n  airunway:d: {type: string}\n  airunway:e: 1\n"
    )
    write(tmp_path, project, "config: {airunway:e: 2}")
    assert read_stack(tmp_path, "dev").values == {"airunway:a": "short", "other:b": "1", "airunway:c": "on", "airunway:e": "2"}


def test_stack_files_lie_where_the_project_says(tmp_path: Path) -> None:
    write(tmp_path, PROJECT + "stackConfigDir: files\n", None)
    with pytest.raises(InputError, match=r"no stack 'dev' \(.*/files/Pulumi\.dev\.yaml does not exist\); there is none$"):
        read_stack(tmp_path, "dev")
    (tmp_path / "files").mkdir()
    write(tmp_path / "files")
    assert stack_names(tmp_path) == ["dev"]
    with pytest.raises(InputError, match=r"no stack 'dv'.*did you mean 'dev'"):
        read_stack(tmp_path, "dv")


@pytest.mark.parametrize(
    ("project", "said"),
    [
        ("runtime: python", "name: text is wanted"),
        ("name: 3", "name: text is wanted"),
        ("name: a\nstackConfigDir: [1]", "stackConfigDir: text is wanted"),
        ("name: a\nconfig: [1]", "config: a map is wanted"),
        ("- name", "a map is wanted"),
        ("name: [", "not YAML"),
    ],
)
def test_a_project_file_that_is_none_is_refused(tmp_path: Path, project: str, said: str) -> None:
    with pytest.raises(InputError, match=rf"Pulumi\.yaml: {said}"):
        read_stack(write(tmp_path, project), "dev")


def test_a_stack_file_that_no_one_can_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "Pulumi.dev.yaml").write_bytes("config: {airunway:namespace: modèle}".encode("latin-1"))
    with pytest.raises(InputError, match=r"Pulumi\.dev\.yaml: not UTF-8: .* at byte 32"):
        read_stack(tmp_path, "dev")
    write(tmp_path, stack="config:\n  airunway:namespace: a\n  airunway:namespace: b\n")
    with pytest.raises(InputError, match="'airunway:namespace' stands twice in this map, line 3, column 3"):
        read_stack(tmp_path, "dev")


def test_another_program_is_not_taken_for_ours(tmp_path: Path) -> None:
    config = read_stack(write(tmp_path), "dev")
    with pytest.raises(InputError, match=r"__main__\.py: does not exist"):
        record(tmp_path, config)
    (tmp_path / "__main__.py").write_text("import pulumi\n")
    with pytest.raises(InputError, match=r"__main__\.py: serves no stack"):
        record(tmp_path, config)
