"""Unit (pure, and files in a temporary folder): project and stack files are read whole, or refused with what is
wrong.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airunway.program.record import record
from airunway.program.stack_file import read_stack, stack_names
from airunway.text.problems import InputError
from airunway.text.yaml_writing import to_yaml

PROJECT = "name: airunway\nruntime: python\n"


def write(folder: Path, project: str = PROJECT, stack: str | None = "config: {}") -> Path:
    (folder / "Pulumi.yaml").write_text(project)
    if stack is not None:
        (folder / "Pulumi.dev.yaml").write_text(stack)
    return folder


def test_settings_of_the_project_hold_where_the_stack_says_nothing(tmp_path: Path) -> None:
    project = (
        PROJECT
        + "config:\n  a: short\n  other:b: {value: 1.0}\n  airunway:c: {default: on}\n  airunway:d: {type: string}\n "
        " airunway:e: 1\n"
    )
    write(tmp_path, project, "config: {airunway:e: 2}")
    assert read_stack(tmp_path, "dev").values == {
        "airunway:a": "short",
        "other:b": "1",
        "airunway:c": "on",
        "airunway:e": "2",
    }


def test_stack_files_lie_where_the_project_says(tmp_path: Path) -> None:
    write(tmp_path, PROJECT + "stackConfigDir: files\n", None)
    with pytest.raises(
        InputError, match=r"no stack 'dev' \(.*/files/Pulumi\.dev\.yaml does not exist\); the project has no stacks$"
    ):
        read_stack(tmp_path, "dev")
    (tmp_path / "files").mkdir()
    write(tmp_path / "files")
    assert stack_names(tmp_path) == ["dev"]
    with pytest.raises(InputError, match=r"no stack 'dv'.*did you mean 'dev'"):
        read_stack(tmp_path, "dv")


@pytest.mark.parametrize(
    ("project", "output"),
    [
        ("runtime: python", "name: must be text"),
        ("name: 3", "name: must be text"),
        ("name: a\nstackConfigDir: [1]", "stackConfigDir: must be text"),
        ("name: a\nconfig: [1]", "config: must be a map"),
        ("- name", "must be a map"),
        ("name: [", "not YAML"),
    ],
)
def test_a_project_file_that_is_none_is_refused(tmp_path: Path, project: str, output: str) -> None:
    with pytest.raises(InputError, match=rf"Pulumi\.yaml: {output}"):
        read_stack(write(tmp_path, project), "dev")


def test_a_stack_file_that_no_one_can_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "Pulumi.dev.yaml").write_bytes("config: {airunway:namespace: modèle}".encode("latin-1"))
    with pytest.raises(InputError, match=r"Pulumi\.dev\.yaml: is not UTF-8: .* at byte 32"):
        read_stack(tmp_path, "dev")
    write(tmp_path, stack="config:\n  airunway:namespace: a\n  airunway:namespace: b\n")
    with pytest.raises(InputError, match="'airunway:namespace' appears twice in this map, line 3, column 3"):
        read_stack(tmp_path, "dev")


def test_another_program_is_not_taken_for_ours(tmp_path: Path) -> None:
    config = read_stack(write(tmp_path), "dev")
    with pytest.raises(InputError, match=r"__main__\.py: does not exist"):
        record(tmp_path, config)
    (tmp_path / "__main__.py").write_text("import pulumi\n")
    with pytest.raises(InputError, match=r"__main__\.py: serves no stack"):
        record(tmp_path, config)


TEXTS = st.text(max_size=8) | st.sampled_from(["[secret] 0123456789ab", "secure", "v1:abc", "a: b"])
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "secure"]), inner, max_size=2)
    ),
    max_leaves=6,
)
KEYS = st.from_regex(r"\A[a-z]{1,4}(:[a-z]{1,4})?\Z")


def is_secret(value: Any) -> bool:
    """Whether it has an encrypted part, as `pulumi config set --secret` writes one."""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(map(is_secret, value.values()))
    return isinstance(value, list) and any(map(is_secret, value))


@given(st.dictionaries(KEYS, VALUES, max_size=3))
def test_a_stack_s_settings_are_texts_and_its_secrets_are_told_apart(config: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read = read_stack(write(Path(folder), stack=to_yaml({"config": config})), "dev")
    full = {key if ":" in key else f"airunway:{key}": value for key, value in config.items()}
    assert read.values.keys() == full.keys()
    assert set(read.secrets) == {key for key, value in full.items() if is_secret(value)}
    for key, value in full.items():
        text = read.values[key]
        assert isinstance(text, str)
        if key not in read.secrets:
            assert text == value if isinstance(value, str) else json.loads(text) == value


@settings(max_examples=30)
@given(st.text(min_size=5, max_size=20), st.text(max_size=20))
def test_of_a_secret_nothing_but_a_mark_is_read_that_differs_where_it_does(one: str, other: str) -> None:
    assume("[secret]" not in one and one not in "airunway:token airunway:deep")
    marks = []
    for secret in (one, other):
        config = {"token": {"secure": secret}, "deep": {"list": [1, {"inner": {"secure": secret}}]}}
        with tempfile.TemporaryDirectory() as folder:
            read = read_stack(write(Path(folder), stack=to_yaml({"config": config})), "dev")
        assert set(read.secrets) == {"airunway:token", "airunway:deep"}
        assert re.fullmatch(r"\[secret\] [0-9a-f]{12}", read.values["airunway:token"])
        assert json.loads(read.values["airunway:deep"])["list"][1]["inner"] == read.values["airunway:token"]
        assert read.without_secrets == {"airunway:token": "", "airunway:deep": '{"list":[1,{"inner":""}]}'}
        marks.append(read.values["airunway:token"])
    assert (marks[0] == marks[1]) == (one == other)


@pytest.mark.parametrize(
    ("project", "stack", "values"),
    [
        ("config: {a: {default: 1}}", "{}", {"airunway:a": "1"}),
        ("config: {a: {value: 1, default: 2}}", "{}", {"airunway:a": "1"}),
        ("config: {a: {default: null}}", "{}", {"airunway:a": ""}),
        ("config: {a: {type: string}}", "{}", {}),
        ("config: {a: {value: {b: c}}}", "{}", {"airunway:a": '{"b":"c"}'}),
        ("config: {a: [1, x]}", "{}", {"airunway:a": '[1,"x"]'}),
        ("config: {a: 1}", "{a: 2}", {"airunway:a": "2"}),
        ("config: {a: 1}", "{airunway:a: null}", {"airunway:a": ""}),
        ("config: null", "{other:a: true}", {"other:a": "true"}),
        ("", "{a: 1.50, b: 1e3, c: 0x1F, d: on, e: 'on', f: ''}", {
            "airunway:a": "1.5", "airunway:b": "1000", "airunway:c": "31", "airunway:d": "on",
            "airunway:e": "on", "airunway:f": "",
        }),
    ],
)  # fmt: skip
def test_project_and_stack_make_one_configuration(
    project: str, stack: str, values: dict[str, str], tmp_path: Path
) -> None:
    assert read_stack(write(tmp_path, f"{PROJECT}{project}\n", f"config: {stack}\n"), "dev").values == values


@pytest.mark.parametrize("name", ["dev", "prod-eu", "a.b", "x y", "ünit", "-"])
def test_a_stack_is_called_as_its_file_is(name: str, tmp_path: Path) -> None:
    write(tmp_path, stack=None)
    for file in (
        f"Pulumi.{name}.yaml",
        "Pulumi.yaml",
        "Pulumi..yaml",
        "pulumi.lower.yaml",
        "Pulumi.yml",
        "Pulumi.x.yml",
        "Pulumi.x.yaml.bak",
    ):
        (tmp_path / file).touch()
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    assert stack_names(tmp_path) == [name]
    (tmp_path / f"Pulumi.{name}.yaml").write_text("config: {a: 1}")
    assert read_stack(tmp_path, name).values == {"airunway:a": "1"}
