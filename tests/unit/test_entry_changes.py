"""Unit (pure): what a commit did to one entry, from the versions of its file. The commits are made up; real git makes
them in tests/graph/test_entry_history.py.
"""

from collections.abc import Sequence

import pytest

from airunway.program.entry_changes import Change, Kind, change_of, committed_changes
from airunway.program.file_versions import Commit, Version

A = "- name: a\n  x: 1\n  y: 1\n"
A2 = "- name: a\n  x: 2\n  y: 1\n"
B = "- name: b\n  x: 1\n"


def version(number: int, after: str | None, *before: str | None) -> Version:
    return Version(Commit(f"{number:040}", None, "Ada", f"Commit {number}"), after, before)


def changes(name: str, *versions: Version) -> list[Change]:
    """The changes where each object's id is its text; "broken" is none."""
    return list(committed_changes(name, versions, lambda blob: None if blob == "broken" else blob))


def told(found: Sequence[Change]) -> list[tuple[str, str]]:
    return [(change.commit.subject if change.commit else "", str(change.kind)) for change in found]


def test_only_commits_that_changed_the_entry_are_told() -> None:
    found = changes("a", version(3, A2 + B, A + B), version(2, A + B, A), version(1, A, None))
    assert told(found) == [("Commit 3", "changed"), ("Commit 1", "added")]
    assert found[0].lines == (" - name: a", "-  x: 1", "+  x: 2", "   y: 1")
    assert (found[0].added, found[0].removed) == (1, 1)
    assert found[1].lines == ("+- name: a", "+  x: 1", "+  y: 1")


def test_an_entry_that_moves_within_its_file_has_not_changed() -> None:
    assert told(changes("a", version(2, B + A, A + B), version(1, A + B, B))) == [("Commit 1", "added")]


def test_a_neighbour_s_change_in_the_same_lines_of_a_diff_is_not_the_entry_s() -> None:
    """git log -L (2.39) takes the commit that wrote the neighbour's last line for one of the entry."""
    assert told(changes("a", version(2, B.replace("1", "2") + A, B), version(1, B, None))) == [("Commit 2", "added")]


def test_line_endings_are_no_change() -> None:
    assert changes("a", version(1, A.replace("\n", "\r\n"), A)) == []


def test_a_renamed_entry_is_followed_to_its_earlier_name() -> None:
    former = A.replace("name: a", "name: z")
    found = changes("a", version(3, A2, A), version(2, A, former), version(1, former, B))
    assert told(found) == [("Commit 3", "changed"), ("Commit 2", "renamed"), ("Commit 1", "added")]
    assert found[1].former == "z"
    assert found[1].lines[:2] == ("-- name: z", "+- name: a")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (B, A.replace("x", "k").replace("y", "l")),  # unlike it
        (B + B.replace("b", "c"), A),  # which of two
        (B, A + A.replace("name: a", "name: d")),  # two have come
        (B, A + B),  # none has gone
    ],
)
def test_what_may_not_be_a_new_name_is_a_new_entry(before: str, after: str) -> None:
    (found,) = changes("a", version(1, after, before))
    assert (found.kind, found.former) == (Kind.ADDED, "")


def test_an_entry_that_was_removed_and_came_back_has_both() -> None:
    found = changes("a", version(4, A + B, B), version(3, B, A + B), version(2, A + B, B), version(1, B, None))
    assert told(found) == [("Commit 4", "added"), ("Commit 3", "removed"), ("Commit 2", "added")]
    assert found[1].lines == ("-- name: a", "-  x: 1", "-  y: 1")


def test_a_file_that_was_deleted_and_came_back_is_told_too() -> None:
    assert told(changes("a", version(3, A, None), version(2, None, A), version(1, A, None))) == [
        ("Commit 3", "added"),
        ("Commit 2", "removed"),
        ("Commit 1", "added"),
    ]


def test_a_merge_did_only_what_none_of_its_parents_has() -> None:
    other = A.replace("y: 1", "y: 2")
    both = A2.replace("y: 1", "y: 2")
    taken = changes("a", version(3, A2 + B, A2, A + B))
    assert taken == []
    (resolved,) = changes("a", version(3, both, A2, other))
    assert resolved.lines == (" - name: a", "   x: 2", "-  y: 1", "+  y: 2")


def test_a_version_that_is_no_yaml_makes_what_its_commits_did_unknown() -> None:
    found = changes("a", version(4, A2, A), version(3, A, "[a"), version(2, "[a", A), version(1, A, None))
    assert told(found) == [
        ("Commit 4", "changed"),
        ("Commit 3", "unknown"),
        ("Commit 2", "unknown"),
        ("Commit 1", "added"),
    ]
    assert found[1].lines == ()


def test_a_version_that_can_not_be_read_is_told_as_one_that_is_no_yaml() -> None:
    assert told(changes("a", version(2, A, "broken"), version(1, "broken", None))) == [
        ("Commit 2", "unknown"),
        ("Commit 1", "unknown"),
    ]


def test_each_version_is_read_once() -> None:
    read: list[str] = []

    def reading(blob: str) -> str:
        read.append(blob)
        return blob

    texts = [A.replace("x: 1", f"x: {number}") for number in range(20)]
    versions = [version(n, texts[n], texts[n - 1] if n else None) for n in reversed(range(20))]
    assert len(list(committed_changes("a", versions, reading))) == 20
    assert read == texts[::-1]


def test_what_is_not_committed_is_a_change_without_a_commit() -> None:
    assert change_of(None, "a", {"a": "x: 1"}, {"a": "x: 1"}) is None
    change = change_of(None, "a", {"a": "x: 1"}, {"a": "x: 2"})
    assert change == Change(None, Kind.CHANGED, ("-x: 1", "+x: 2"))
