"""Unit (pure): YAML means here what it means to Pulumi, and what we write is read back as it was by all who read it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from airunway.planning.documents import parse_documents
from airunway.text.problems import InputError
from airunway.text.yaml_reading import (
    Loader,
    StackLoader,
    load_data,
    plain_value,
    read_document,
    read_documents,
    reads_as_text,
)
from airunway.text.yaml_writing import to_yaml

# As `pulumi config --json` of 3.259 gives them; tests/cluster/test_stack_file.py asks it again.
MEANING: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("~", "null", "Null", "NULL", ""), None),
    **{text: text for text in ("on", "off", "yes", "No", "y", "n", "tRUE", "nuLL", "=")},
    "0": 0,
    "-1": -1,
    "+5": 5,
    "1_000": 1000,
    "014": 12,
    "-014": -12,
    "0o14": 12,
    "0O14": 12,
    "0x1F": 31,
    "-0x1f": -31,
    "0b11": 3,
    "089": 89,
    "1.0": 1,
    "1.10": 1.1,
    ".5": 0.5,
    "5.": 5,
    "1e3": 1000,
    "1.5e3": 1500,
    "1e-1": 0.1,
    "-.5": -0.5,
    "1_0.5": 10.5,
    "+.9696_": 0.9696,
    "6e7_": 60000000,
    ".5_0": 0.5,
    ".5e1_0": 5000000000,
    "9223372036854775807": 9223372036854775807,
    "9223372036854775808": 9223372036854776000,
    "123456789012345678901234567890": 1.2345678901234568e29,
    "9" * 5000: "9" * 5000,
    **{
        text: text
        for text in (
            "22:22",
            "1:30:00",
            "1.2.3",
            "1e",
            ".5__0",
            "._5",
            "+e5",
            "0x",
            "0b2",
            "_1",
            "+",
            ".",
            "1e400",
            "v1",
            "2026-13-45",
            "2026-01",
            "1-2",
        )
    },
}


@pytest.mark.parametrize("text", MEANING, ids=lambda text: text[:12])
def test_a_bare_scalar_is_what_it_is_to_pulumi(text: str) -> None:
    result = [read_document(f"a: {text}", "x", loader)["a"] for loader in (Loader, StackLoader)]
    assert [(type(value), value) for value in result] == [(type(MEANING[text]), MEANING[text])] * 2
    assert plain_value(text) == MEANING[text]
    assert isinstance(MEANING[text], str) or not reads_as_text(text)


def test_maps_are_merged_as_in_pulumi() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: [*b, *a], z: 3}\nd: {x: 4, <<: *b}"
    assert read_document(text, "x") == {
        "a": {"x": 1, "y": 1},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1, "y": 2, "z": 3},
        "d": {"x": 4, "y": 2},
    }


@pytest.mark.parametrize("text", ["2026-01-01", "2026-1-1", "2026-01-01T10:00:00Z", "2026-01-01 10:00:00"])
def test_a_bare_date_is_text_in_a_document_and_refused_in_a_stack_file(text: str) -> None:
    assert read_document(f"a: {text}", "x") == {"a": text}
    assert read_document(f"a: '{text}'", "x", StackLoader) == {"a": text}
    with pytest.raises(InputError, match=rf"^x: {text} is a date to Pulumi; quote it, .*, line 1, column 4$"):
        read_document(f"a: {text}", "x", StackLoader)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("a: [", "x: not YAML: "),
        ("a: 1\nb: 2\na: 3", "x: 'a' appears twice in this map"),
        ("? [1]\n: 2", "x: a key must be text"),
        ("a: 1\n~: 2", "x: a key must be text, line 2, column 1"),
        ("a: {2026-01-01: 1, !!timestamp 2026-01-01: 1}", "x: a key must be text, line 1, column 20"),
        ("{!!binary aGVsbG8=: 1}", "x: a key must be text"),
        ("1: a\n01: b", "x: '1' appears twice in this map, line 2, column 1"),
        ("a: .inf", "x: .inf is not a number in JSON"),
        ("a: -.inf", "x: -.inf is not a number in JSON"),
        ("a: .NaN", "x: .NaN is not a number in JSON"),
        ("a: &a [*a]", "x: a.* nested deeper than 100 levels"),
        ("&a {b: *a}", "x: b.* nested deeper than 100 levels"),
        ("[" * 120 + "]" * 120, r"x\[0\]\[0\].* nested deeper than 100 levels"),
        ("[" * 50_000, "x: nested deeper"),
        ("- " * 50_000, "x: nested deeper"),
        ("{a: " * 900 + "}" * 900, "x: nested deeper|x: a.*nested deeper"),
        (
            "\n".join(["a: &0 [x]", *(f"b{n}: &{n + 1} [{', '.join([f'*{n}'] * 10)}]" for n in range(8))]),
            "x: .*its aliases make more than",
        ),
        (
            "\n".join(
                [
                    "a0: &0 {k: 1}",
                    *(f"a{n}: &{n} {{<<: [{', '.join([f'*{n - 1}'] * 10)}], k{n}: 1}}" for n in range(1, 9)),
                ]
            ),
            "x: its aliases make more than 1,000,000 values, line 7, column 9$",
        ),
        (
            "\n".join(
                ["a0: &0 {k: 1}", *(f"a{n}: &{n} {{<<: [{', '.join([f'*{n - 1}'] * 999)}]}}" for n in range(1, 5))]
            ),
            "x: its aliases make more than 1,000,000 values, line 4",
        ),
        ("a: &a {<<: *a}", "x: nested deeper than 100 levels"),
        ("a: {<<: [x]}", "x: not YAML: .*expected a mapping for merging"),
        ("a: {<<: x}", "x: not YAML: .*expected a mapping or list of mappings"),
        ("a: !!binary aGVsbG8=", "x: a: a bytes given"),
        ("- a: !!timestamp 2026-01-01\n", r"x\[0\].a: a date given"),
        ("a: !!set {b}", "x: a: a set given"),
        ("a: !!timestamp 2026-13-01", "x: not YAML: "),
        ("a: !!timestamp x", "x: 'x' is tagged as a date but is not one"),
        ("a: !!python/object:os.system {}", "x: not YAML: could not determine a constructor"),
        ("a: *b", "x: not YAML: found undefined alias"),
        ("a: 1\n---\nb: 2", "x: must be one YAML document, not 2"),
        ("a: \x00", "x: not YAML: "),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_not_plain_data_is_refused_with_its_place(text: str, output: str) -> None:
    with pytest.raises(InputError, match=f"(?s)^{output}"):
        read_document(text, "x")


@pytest.mark.parametrize("loader", [Loader, StackLoader])
def test_a_key_is_text_as_to_pulumi(loader: type[Loader]) -> None:
    text = "1: {true: a, 1.50: b, 0x10: c}\nx: [&a 2, {*a : d}]"
    assert read_document(text, "x", loader) == {"1": {"true": "a", "1.5": "b", "16": "c"}, "x": [2, {"2": "d"}]}
    assert read_document("a: {~: 1}", "x", StackLoader) == {"a": {"<nil>": 1}}


def test_of_several_documents_the_wrong_one_is_named() -> None:
    with pytest.raises(InputError, match=r"^x\[1\]: b: a bytes given"):
        read_documents("a: 1\n---\nb: !!binary aGVsbG8=", "x")


def test_a_manifest_is_read_like_a_stack_file_but_for_dates() -> None:
    text = (
        "apiVersion: airunway.ai/v1alpha1\nkind: ModelDeployment\nmetadata: {name: a, annotations: {on: on, day:"
        " 2026-01-01}}\n"
    )
    assert parse_documents(text, "x")[0].body["metadata"]["annotations"] == {"on": "on", "day": "2026-01-01"}


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda f: not f.is_integer())
    | st.text(max_size=8)
    | st.from_regex(r"\A[-+.]?[0-9][0-9_xobXOBeET.: -]{0,9}\Z")
    | st.sampled_from([*MEANING, "2026-1-1", "2026-01-01 10:00:00", ".inf", "<<", "a: b", "# a", "- a"])
)
data = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(data)
@example({"\x85": None, "a": ["\u2028", "b\n\x85", "\u2029\n"]})
@example(
    {
        "##[error]": "a\n ::error::b\n",
        "a": ["::error::", "\\##[x]", "a " * 5_000 + "::error::x", "\n" + "a " * 5_000 + "::error::x"],
    }
)
def test_what_we_write_is_read_back_as_it_was_by_pulumi_and_by_pyyaml(value: Any) -> None:
    text = to_yaml(value)
    assert not re.search(r"^\s*::|##\[", text, re.MULTILINE), "a GitHub runner takes it for a command"
    assert read_document(text, "x", StackLoader) == value
    assert read_document(text, "x") == value
    assert yaml.safe_load(text) == value
    assert json.loads(json.dumps(value)) == value


@given(st.text(max_size=12) | st.sampled_from(list(MEANING)))
def test_whatever_a_flag_says_is_a_plain_value(text: str) -> None:
    assert isinstance(plain_value(text), str | int | float | None)


ROOT = Path(__file__).parents[2]
DATA = sorted(path for folder in ("airunway", "providers") for path in (ROOT / folder).rglob("*.yaml"))


@pytest.mark.parametrize("path", DATA, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_data_file_means_the_same_to_every_reader(path: Path) -> None:
    content = load_data(path)
    assert content == yaml.safe_load(path.read_text())


def test_a_data_file_is_read_as_a_stack_file_is_and_once(tmp_path: Path) -> None:
    file = tmp_path / "data.yaml"
    file.write_text("state: on\nlimit: 1e3\n")
    assert load_data(file) == {"state": "on", "limit": 1000}
    file.write_text("changed: true")
    assert load_data(file) == {"state": "on", "limit": 1000}


@pytest.mark.parametrize(
    ("text", "output"), [("- a", "must be a map"), ("a: 1\na: 2", "'a' appears twice"), ("a: [", "not YAML")]
)
def test_a_data_file_that_is_no_map_is_refused_by_its_path(tmp_path: Path, text: str, output: str) -> None:
    file = tmp_path / "data.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=rf"data\.yaml: .*{output}"):
        load_data(file)
