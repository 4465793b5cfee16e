"""Unit (pure, and files in a temporary folder): stack files and deployment files are changed where they have to be, and
nowhere else.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airunway.console.file_edit import ConflictError, fingerprint, read_text, save, unified_diff
from airunway.console.stack_edit import with_deployment, with_provider, without_deployment
from airunway.planning.entries import parse_entries
from airunway.text.problems import InputError
from airunway.text.yaml_reading import StackLoader, read_document

STACKS = sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))
NEW = {"name": "new", "model": {"id": "org/x"}, "env": [{"name": "A", "value": "1"}]}
TEXT = """# Head.
config:
  airunway:cluster: {context: kind}   # beside
  airunway:deployments:
    # First.
    - name: one
      model:
        id: 'a/b'   # why

    # Second,
    # in two lines.
    - name: two
      model: {id: c/d}
      engine:
        contextLength: null
  # Below.
  airunway:namespace: "ml"
"""


def entries(text: str) -> list[Any]:
    """As Pulumi reads them."""
    return list(read_document(text, "x", StackLoader)["config"].get("airunway:deployments") or [])


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    lines = [line for line in unified_diff(old, new, "x").splitlines() if not line.startswith(("---", "+++", "@@"))]
    return tuple([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")  # type: ignore[return-value]


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


names = st.text("abcdefghij", min_size=1, max_size=4)
values = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=8)
    | st.text(" \n\ta#:-'\"", max_size=6)
    | st.from_regex(r"\A[-+.]?[0-9][0-9_xobXOBeE.:-]{0,9}\Z"),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v, max_size=3),
)


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


def test_a_change_that_would_take_something_else_with_it_is_not_made() -> None:
    text = (
        "config:\n  airunway:deployments:\n    - name: one\n      env:\n        - name: A\n          value: |+\n       "
        "     text\n\n\n"
    )
    assert entries(text)[0]["env"][0]["value"] == "text\n\n\n"
    with pytest.raises(InputError, match=r"config\.airunway:deployments: can't be changed without side effects"):
        with_deployment(text, NEW)
    with pytest.raises(InputError, match=r"config\.airunway:providers: can't be changed"):
        with_provider(text, "kaito", "off")


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
    ("text", "output"),
    [
        ("a: [", "stack file: not YAML"),
        ("config: {a: b: c}", "stack file: not YAML"),
        ("a: 2026-13-01", "stack file: not YAML"),
        ("a: 1\na: 2", "stack file: 'a' appears twice in this map"),
        ("a: 2026-01-01", "stack file: 2026-01-01 is a date to Pulumi"),
        ("config: {}\n---\n", "stack file: must be one YAML document, not 2"),
        ("[" * 5000, "stack file: nested deeper than 100 levels"),
        ("{a: " * 120 + "1" + "}" * 120, "nested deeper than 100 levels"),
    ],
    ids=lambda text: text[:20],
)
def test_what_pulumi_would_not_read_is_refused_at_once(text: str, output: str) -> None:
    with pytest.raises(InputError, match=output):
        with_deployment(text, NEW)
    with pytest.raises(InputError, match=output):
        without_deployment(text, "one")
    with pytest.raises(InputError, match=output):
        with_provider(text, "kaito", "off")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("[]", "stack file: must be a map"),
        ("''", "stack file: must be a map"),
        ("config: 1", "stack file: config: must be a map"),
        ("config: [1]", "stack file: config: must be a map"),
        ("config: {airunway:deployments: 3}", r"stack file: config\.airunway:deployments: must be a list"),
        ("config: {airunway:deployments: {name: one}}", r"stack file: config\.airunway:deployments: must be a list"),
        ("config:\n  airunway:deployments: one\n", r"stack file: config\.airunway:deployments: must be a list"),
    ],
)
def test_a_stack_file_that_holds_something_else_is_not_changed_into_what_it_is_not(text: str, output: str) -> None:
    with pytest.raises(InputError, match=f"^{output}; fix it in an editor"):
        with_deployment(text, NEW)
    with pytest.raises(InputError, match=f"^{output}; fix it in an editor"):
        without_deployment(text, "one")


@pytest.mark.parametrize(
    ("settings", "location"),
    [("3", ""), ("[kaito]", ""), ("kaito", ""), ("{kaito: 3}", ".kaito"), ("{kaito: [off]}", ".kaito")],
)
@pytest.mark.parametrize("style", ["config: {{airunway:providers: {}}}", "config:\n  airunway:providers: {}\n"])
def test_settings_of_providers_that_are_none_are_left_to_an_editor(style: str, settings: str, location: str) -> None:
    with pytest.raises(
        InputError, match=rf"^stack file: config\.airunway:providers{location}: must be a map; fix it in an editor"
    ):
        with_provider(style.format(settings), "kaito", "off")


@pytest.mark.parametrize(
    "text", ["config:\n  airunway:providers:\n", "config:\n  airunway:providers:\n    kaito:\n", "config:\n", ""]
)
def test_a_setting_that_is_there_without_a_value_is_filled(text: str) -> None:
    assert yaml.safe_load(with_provider(text, "kaito", "off")) == {
        "config": {"airunway:providers": {"kaito": {"enabled": False}}}
    }
    assert entries(with_deployment(text + ("  airunway:deployments:\n" if text else ""), NEW)) == [NEW]


def test_a_deployment_that_is_not_in_the_file_is_refused() -> None:
    with pytest.raises(InputError, match="no deployment 'gone' in the stack file"):
        with_deployment(TEXT, NEW, "gone")
    with pytest.raises(InputError, match="no deployment 'gone' in the stack file"):
        without_deployment(TEXT, "gone")


FILE = """# yaml-language-server: $schema=../stacks/deployments.schema.json
- name: one
  model:
    id: 'a/b'   # why

# Second.
- name: two
  model: {id: c/d}
# Below.
"""


def listed(text: str) -> list[Any]:
    """The entries of a deployment file, as they are planned."""
    return parse_entries(text, "d.yaml")


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


def test_a_change_of_a_file_that_would_take_something_else_with_it_is_not_made() -> None:
    text = "- name: one\n  env:\n    - name: A\n      value: |+\n        text\n\n\n"
    with pytest.raises(InputError, match=r"^d\.yaml: can't be changed without side effects; change it in an editor"):
        with_deployment(text, NEW, file="d.yaml")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("a: [", "d.yaml: not YAML"),
        ("name: one", "d.yaml: must be a list of deployments"),
        ("# - name: one", "d.yaml: must be a list of deployments"),
    ],
)
def test_a_file_that_is_no_list_is_refused(text: str, output: str) -> None:
    with pytest.raises(InputError, match=output):
        with_deployment(text, NEW, file="d.yaml")
    with pytest.raises(InputError, match=r"no deployment 'gone' in d\.yaml; edit one from a manifest there"):
        without_deployment(FILE, "gone", "d.yaml")


def test_a_file_that_somebody_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text("theirs")
    with pytest.raises(ConflictError, match=r"stack\.yaml was changed by someone else"):
        save(path, "ours", fingerprint("before"))
    assert path.read_text() == "theirs"
    path.chmod(0o640)
    save(path, "ours", fingerprint("theirs"))
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("ours", 0o640)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_end_as_they_ended(end: str) -> None:
    """As Windows ends them too, so that no other line of the file changes."""
    for text, file in ((TEXT, None), (FILE, "d.yaml")):
        written = text.replace("\n", end)
        added = with_deployment(written, NEW, file=file)
        assert added == with_deployment(text, NEW, file=file).replace("\n", end)
        assert without_deployment(added, "new", file) == written
        changed = with_deployment(written, {"name": "one", "model": {"id": "a/c"}}, "one", file)
        assert changed == with_deployment(text, {"name": "one", "model": {"id": "a/c"}}, "one", file).replace("\n", end)
        assert len(changed_lines(written, changed)[0]) == 1
    assert with_provider(TEXT.replace("\n", end), "kaito", "off") == with_provider(TEXT, "kaito", "off").replace(
        "\n", end
    )


def test_a_file_whose_lines_end_in_two_ways_is_changed_where_it_has_to_be() -> None:
    text = TEXT.replace("# First.\n", "# First.\r\n")
    added = with_deployment(text, NEW)
    assert changed_lines(text, added)[0] == []
    assert entries(added) == [*entries(TEXT), NEW]


def test_what_is_saved_keeps_its_line_ends_and_its_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    path, link = tmp_path / "real" / "stack.yaml", tmp_path / "stack.yaml"
    path.write_bytes(b"a: 1\r\nb: 2\r\n")
    link.symlink_to(path)
    text = read_text(link)
    assert text == "a: 1\r\nb: 2\r\n"
    save(link, text.replace("1", "3"), fingerprint(text))
    assert path.read_bytes() == b"a: 3\r\nb: 2\r\n"
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["real", "stack.yaml", "stack.yaml"]
