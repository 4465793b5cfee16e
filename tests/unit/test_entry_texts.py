"""Unit (pure, PyYAML): each entry of a file is found by its name, with its lines and the comment above as they are
written.
"""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airunway.program import entry_texts as module
from tests.graph.projects import ROOT

STACK = """\
# The models of a team.
config:
  airunway:cluster: {context: x}
  airunway:deployments:
    # The first one.
    - name: first   # beside
      engine:
        extraArgs: |
          --a
          # text, no comment

      # Its last comment.

    # Above the second,
    # in two lines.
    - model: {id: org/m}
      name: second
    - {name: third, model: {id: org/t}}  # in one line
  # About another setting.
  airunway:namespace: ml
"""


def entry_texts(text: str) -> dict[str, str] | None:
    """All of a file's entries, taken out."""
    found = module.entry_texts(text)
    return None if found is None else dict(found)


def test_an_entry_is_its_lines_and_the_comment_right_above_without_what_it_is_indented_by() -> None:
    assert entry_texts(STACK) == {
        "first": "# The first one.\n- name: first   # beside\n  engine:\n    extraArgs: |\n      --a\n"
        "      # text, no comment\n\n  # Its last comment.",
        "second": "# Above the second,\n# in two lines.\n- model: {id: org/m}\n  name: second",
        "third": "- {name: third, model: {id: org/t}}  # in one line",
    }


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("# About all of it.\n- name: a\n- name: b\n", {"a": "- name: a", "b": "- name: b"}),
        ("# Of the file.\n\n# Of a.\n- name: a\n", {"a": "# Of a.\n- name: a"}),
        (
            "- name: a\n  x: 1\n  # Of a.\n# Of b.\n- name: b",
            {"a": "- name: a\n  x: 1\n  # Of a.", "b": "# Of b.\n- name: b"},
        ),
        ("- name: a\n  text: |+\n    b\n\n\n- name: b\n", {"a": "- name: a\n  text: |+\n    b", "b": "- name: b"}),
        (
            "- &x {name: a}\n- name: b\n  l:\n    - *x\n    - *x\n",
            {"a": "- &x {name: a}", "b": "- name: b\n  l:\n    - *x\n    - *x"},
        ),
        ("-   name: a\n    x:\n-   name: b\n", {"a": "-   name: a\n    x:", "b": "-   name: b"}),
        ("-\n  name: a\n  x: 1\n", {"a": "  name: a\n  x: 1".replace("  ", "", 1).replace("\n  ", "\n")}),
        ("- {name: a}\n- x: 1\n- text\n- [name, a]\n- name: [a]\n", {"a": "- {name: a}"}),
        ("- name: a\n  x: 1\n- name: a\n  x: 2\n", {"a": "- name: a\n  x: 1"}),
        ('- "name": "a b"\n  x: "\\u00e9"\n', {"a b": '- "name": "a b"\n  x: "\\u00e9"'}),
    ],
)
def test_entries_of_a_deployment_file_are_found(text: str, entries: dict[str, str]) -> None:
    assert entry_texts(text) == entries


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        (
            "config: {airunway:deployments: [{name: a, x: 1}, {name: b,\n  x: 2}]}",
            {"a": "{name: a, x: 1}", "b": "{name: b,\n  x: 2}"},
        ),
        (
            "config:\n  airunway:deployments: [\n    {name: a},\n    {name: b,\n     x: 1}  # last\n  ]\n",
            {"a": "{name: a}", "b": "{name: b,\n x: 1}  # last"},
        ),
        (
            '{"config": {"airunway:deployments": [{"name": "a", "x": 1}, {"name": "b"}]}}',
            {"a": '{"name": "a", "x": 1}', "b": '{"name": "b"}'},
        ),
        ("[{name: a}, {name: b}]\n", {"a": "{name: a}", "b": "{name: b}"}),
    ],
)
def test_an_entry_that_shares_its_line_is_what_it_consists_of(text: str, entries: dict[str, str]) -> None:
    assert entry_texts(text) == entries


@pytest.mark.parametrize("declared", ["- name: a", "{value: [{name: a}]}", "{type: array, default: [{name: a}]}"])
def test_entries_that_a_project_file_gives_every_stack_are_found(declared: str) -> None:
    text = f"name: airunway\nconfig:\n  airunway:deployments:\n    {declared}\n"
    assert list(entry_texts(text) or {}) == ["a"]


def test_each_document_of_a_manifest_is_an_entry() -> None:
    text = (
        "# Licence.\nkind: ModelDeployment\nmetadata: {name: a}\n---\n# Of b.\nkind: ModelDeployment\n"
        "metadata:\n  name: b\nspec: {}\n---\nkind: Other\nmetadata: {name: c}\n"
    )
    assert entry_texts(text) == {
        "a": "kind: ModelDeployment\nmetadata: {name: a}",
        "b": "# Of b.\nkind: ModelDeployment\nmetadata:\n  name: b\nspec: {}",
    }


def test_line_endings_and_a_byte_order_mark_make_no_difference() -> None:
    assert entry_texts("\ufeff" + STACK.replace("\n", "\r\n")) == entry_texts(STACK)


@pytest.mark.parametrize(
    "text", ["", "# Nothing.\n", "a: 1\n", "config:\n", "config: {airunway:deployments: }", "[]", "[1, [2]]"]
)
def test_a_file_may_have_no_entries(text: str) -> None:
    assert entry_texts(text) == {}


@pytest.mark.parametrize(
    "text", ["[", "a: b: c", "\x00", "- *x\n", "<<<<<<< HEAD\n- name: a\n=======\n", "[" * 100_000, "\ud800"]
)
def test_what_is_no_yaml_has_none(text: str) -> None:
    assert entry_texts(text) is None


def test_aliases_that_lead_back_are_followed_once() -> None:
    assert entry_texts("- &a [*a]\n- name: x\n  y: &b\n    - *b\n    - name\n") == {
        "x": "- name: x\n  y: &b\n    - *b\n    - name"
    }


ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abcdef")},
        optional={
            "model": st.dictionaries(
                st.sampled_from("xyz"), st.text(max_size=6) | st.integers() | st.none(), max_size=3
            ),
            "args": st.lists(st.text(max_size=4), max_size=3),
        },
    ),
    unique_by=lambda entry: str(entry["name"]),
    max_size=4,
)


@given(ENTRIES, st.sampled_from([True, False, None]), st.sampled_from([2, 4]))
def test_an_entry_s_text_is_that_entry_in_every_style(
    entries: list[dict[str, Any]], flow: bool | None, indent: int
) -> None:
    for content in (entries, {"config": {"airunway:deployments": entries, "airunway:namespace": "ml"}}):
        text = yaml.safe_dump(content, default_flow_style=flow, indent=indent, sort_keys=False)
        found = entry_texts(text)
        assert found is not None
        assert list(found) == [entry["name"] for entry in entries]
        for entry in entries:
            read = yaml.safe_load(found[entry["name"]])
            assert (read[0] if isinstance(read, list) else read) == entry


@pytest.mark.parametrize("path", sorted(ROOT.glob("stacks/Pulumi.*.yaml")), ids=lambda path: str(path.name))
def test_every_entry_of_our_own_stacks_is_found(path: Any) -> None:
    text = path.read_text()
    entries = yaml.safe_load(text)["config"].get("airunway:deployments", [])
    found = entry_texts(text) or {}
    assert list(found) == [entry["name"] for entry in entries]
    assert [yaml.safe_load(written)[0] for written in found.values()] == entries
