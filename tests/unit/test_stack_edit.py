"""Unit (pure): stack files are changed where they have to be, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airunway.console.stack_edit import with_deployment, with_note, with_provider, without_deployment
from airunway.text.problems import InputError
from tests.unit.edited_files import NEW, TEXT, changed_lines, entries, names, values

STACKS = sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))


@pytest.mark.parametrize("path", STACKS, ids=lambda p: p.name)
def test_every_shipped_stack_file_stays_as_it_is_but_for_the_change(path: Path) -> None:
    text = path.read_text()
    for entry in entries(text):
        assert with_deployment(text, entry, entry["name"]) == text
    added = with_deployment(text, NEW)
    assert entries(added) == [*entries(text), NEW]
    assert changed_lines(text, added)[0] == []
    assert without_deployment(added, "new") == text
    for entry in entries(text):
        without = without_deployment(text, entry["name"])
        assert entries(without) == [e for e in entries(text) if e != entry]
        assert changed_lines(text, without)[1] == []
    for state in ("managed", "existing", "off"):
        assert len(changed_lines(text, with_provider(text, "kuberay", state))[0]) <= 1


def test_a_new_deployment_goes_below_the_last_one_and_above_what_follows() -> None:
    removed, added = changed_lines(TEXT, with_deployment(TEXT, NEW))
    assert removed == []
    assert added[0] == "    - name: new"
    assert with_deployment(TEXT, NEW).index("name: new") < TEXT.index("# Below.") + sum(len(line) + 1 for line in added)
    assert "  # Below.\n  airunway:namespace" in with_deployment(TEXT, NEW)


def test_a_changed_field_changes_its_line_only() -> None:
    new = with_deployment(TEXT, {"name": "one", "model": {"id": "a/c"}}, "one")
    removed, added = changed_lines(TEXT, new)
    assert removed == ["        id: 'a/b'   # why"]
    assert [line.split() for line in added] == [["id:", "'a/c'", "#", "why"]]


def test_a_field_that_comes_or_goes_leaves_the_comments_where_they_are() -> None:
    new = with_deployment(TEXT, {"name": "one", "model": {"id": "a/b"}, "scaling": {"replicas": 2}}, "one")
    assert changed_lines(TEXT, new) == ([], ["      scaling:", "        replicas: 2"])
    assert "replicas: 2\n\n    # Second," in new
    assert with_deployment(new, {"name": "one", "model": {"id": "a/b"}}, "one") == TEXT


def test_a_removed_deployment_takes_its_own_comment_with_it() -> None:
    first = without_deployment(TEXT, "one")
    assert "# First." not in first
    assert "# Second," in first
    second = without_deployment(TEXT, "two")
    assert "# Second," not in second
    assert "  # Below.\n  airunway:namespace" in second


def test_the_last_deployment_leaves_an_empty_list() -> None:
    text = without_deployment(without_deployment(TEXT, "one"), "two")
    assert entries(text) == []
    assert entries(with_deployment(text, NEW)) == [NEW]


NOTED = """\
config:
  airunway:deployments:
    # Ours.
    - name: one
      model: {id: a/b}

    - name: two
      model: {id: a/b}
"""


def test_a_note_is_the_comment_above_its_deployment_and_replaces_the_one_before() -> None:
    noted = with_note(NOTED, "two", "Sized by this")
    assert noted == NOTED.replace("    - name: two", "    # Sized by this\n    - name: two")
    noted = with_note(noted, "one", "Sized by that")
    assert "    # Ours.\n    # Sized by that\n    - name: one\n" in noted
    again = with_note(noted, "one", "Sized by another")
    assert again == noted.replace("Sized by that", "Sized by another")
    assert without_deployment(again, "one") == with_note(without_deployment(NOTED, "one"), "two", "Sized by this")


def test_a_note_in_flow_style_or_of_nobody_is_left_out() -> None:
    flow = "config: {'airunway:deployments': [{name: one, model: {id: a/b}}]}\n"
    assert with_note(flow, "one", "Sized by this") == flow
    with pytest.raises(InputError, match="no deployment 'three'"):
        with_note(NOTED, "three", "Sized by this")


def test_a_note_goes_above_the_entry_of_a_deployment_file_with_its_line_endings() -> None:
    text = "- name: one\r\n  model: {id: a/b}\r\n"
    assert with_note(text, "one", "Sized by this", "chat.yaml") == f"# Sized by this\r\n{text}"


def test_a_file_in_flow_style_is_changed_too() -> None:
    text = (
        '{"config": {"airunway:cluster": {"context": "x"}, "airunway:deployments": [{"name": "one", "model": {"id":'
        ' "org/m"}}]}}'
    )
    added = with_deployment(text, NEW)
    assert yaml.safe_load(added)["config"]["airunway:cluster"] == {"context": "x"}
    assert [e["name"] for e in entries(added)] == ["one", "new"]
    assert [e["name"] for e in entries(without_deployment(added, "one"))] == ["new"]
    changed = with_deployment(text, {"name": "one", "model": {"id": "org/n"}}, "one")
    assert entries(changed) == [{"name": "one", "model": {"id": "org/n"}}]


def test_settings_that_are_not_there_are_made() -> None:
    assert entries(with_deployment("config: {}\n", NEW)) == [NEW]
    assert entries(with_deployment("", NEW)) == [NEW]
    config = yaml.safe_load(with_provider(TEXT, "kaito", "existing"))["config"]
    assert config["airunway:providers"] == {"kaito": {"installation": "existing"}}


def test_a_provider_is_turned_off_and_on_again() -> None:
    off = with_provider(TEXT, "kaito", "off")
    assert yaml.safe_load(off)["config"]["airunway:providers"] == {"kaito": {"enabled": False}}
    on = yaml.safe_load(with_provider(off, "kaito", "managed"))["config"]
    assert on["airunway:providers"] == {"kaito": {"installation": "managed"}}


@settings(max_examples=60)
@given(st.dictionaries(names, values, max_size=4), st.dictionaries(names, values, max_size=4))
def test_whatever_an_entry_holds_is_read_back_and_can_be_replaced_and_removed(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    added = with_deployment(TEXT, {"name": "x", **first})
    assert entries(added)[2] == {"name": "x", **first}
    replaced = with_deployment(added, {"name": "x", **second}, "x")
    assert entries(replaced) == [*entries(TEXT), {"name": "x", **second}]
    assert "  # Below.\n" in replaced
    assert entries(without_deployment(replaced, "x")) == entries(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "yes",
        "1e3",
        "0X1F",
        "0O7",
        "0B1",
        "014",
        "1_000",
        "22:22",
        "2026-1-1",
        "2026-01-01",
        "null",
        "~",
        ".inf",
        "<<",
        "",
    ],
)
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    added = with_deployment(TEXT, {"name": "x", "env": [{"name": "A", "value": text}]})
    assert entries(added)[2]["env"] == [{"name": "A", "value": text}]


@pytest.mark.parametrize(
    "text", ["config:\n  airunway:providers:\n", "config:\n  airunway:providers:\n    kaito:\n", "config:\n", ""]
)
def test_a_setting_that_is_there_without_a_value_is_filled(text: str) -> None:
    assert yaml.safe_load(with_provider(text, "kaito", "off")) == {
        "config": {"airunway:providers": {"kaito": {"enabled": False}}}
    }
    assert entries(with_deployment(text + ("  airunway:deployments:\n" if text else ""), NEW)) == [NEW]
