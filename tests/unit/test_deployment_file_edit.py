"""Unit (pure): deployment files are changed where they have to be, and nowhere else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airunway.console.stack_edit import with_deployment, without_deployment
from tests.unit.edited_files import FILE, NEW, changed_lines, listed, names, values


def test_a_deployment_file_is_changed_where_it_has_to_be_and_nowhere_else() -> None:
    added = with_deployment(FILE, NEW, file="d.yaml")
    assert listed(added) == [*listed(FILE), NEW]
    assert changed_lines(FILE, added)[0] == []
    assert added.endswith("      value: '1'\n# Below.\n")
    assert without_deployment(added, "new", "d.yaml") == FILE
    changed = with_deployment(FILE, {"name": "one", "model": {"id": "a/c"}}, "one", "d.yaml")
    assert changed_lines(FILE, changed)[0] == ["    id: 'a/b'   # why"]
    assert with_deployment(FILE, {"name": "two", "model": {"id": "c/d"}}, "two", "d.yaml") == FILE


def test_what_a_file_begins_with_stays_and_a_deployment_s_own_comment_goes_with_it() -> None:
    head = FILE.splitlines()[0]
    assert without_deployment(FILE, "one", "d.yaml").startswith(f"{head}\n# Second.\n- name: two\n")
    second = without_deployment(FILE, "two", "d.yaml")
    assert ("# Second." in second, second.endswith("# Below.\n")) == (False, True)
    none = without_deployment(second, "one", "d.yaml")
    assert (none.startswith(f"{head}\n[]\n"), none.endswith("# Below.\n"), listed(none)) == (True, True, [])
    again = with_deployment(none, NEW, file="d.yaml")
    assert (again.startswith(f"{head}\n- name: new\n"), again.endswith("# Below.\n"), listed(again)) == (
        True,
        True,
        [NEW],
    )


@pytest.mark.parametrize(
    "text",
    [
        '[{"name": "one", "model": {"id": "org/m"}}]',
        "# Head.\n---\n[\n  {name: one, model: {id: org/m}}, # beside\n]\n# Below.\n",
        "-\n  name: one\n  model: {id: org/m}\n# Below.\n",
        "  # Head.\n  - name: one\n    model: {id: org/m}\n",
        "--- # Head.\n- model: {id: org/m}\n  name: one",
    ],
)
def test_a_deployment_file_in_another_style_is_changed_too(text: str) -> None:
    one = {"name": "one", "model": {"id": "org/m"}}
    added = with_deployment(text, NEW, file="d.yaml")
    assert listed(added) == [one, NEW]
    assert listed(without_deployment(added, "one", "d.yaml")) == [NEW]
    assert listed(without_deployment(text, "one", "d.yaml")) == []
    assert listed(with_deployment(text, one | {"model": {"id": "org/n"}}, "one", "d.yaml")) == [
        one | {"model": {"id": "org/n"}}
    ]
    for comment in ("# Head.", "# Below."):
        assert (comment in added) == (comment in text)


@settings(max_examples=40)
@given(st.dictionaries(names, values, max_size=4), st.dictionaries(names, values, max_size=4))
def test_whatever_an_entry_of_a_file_holds_is_read_back_and_can_be_replaced_and_removed(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    added = with_deployment(FILE, {"name": "x", **first}, file="d.yaml")
    assert listed(added) == [*listed(FILE), {"name": "x", **first}]
    replaced = with_deployment(added, {"name": "x", **second}, "x", "d.yaml")
    assert listed(replaced) == [*listed(FILE), {"name": "x", **second}]
    assert listed(without_deployment(replaced, "x", "d.yaml")) == listed(FILE)
