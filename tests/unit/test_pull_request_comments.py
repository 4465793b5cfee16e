"""Unit (pure): which comments of a pull request are created, changed and deleted, whatever others write there."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from airunway.report.pull_request_comments import (
    UNCHANGED,
    ChangedComment,
    Comment,
    CommentChange,
    NewComment,
    SurplusComment,
    comment_changes,
)

ME, OTHER = "github-actions[bot]", "pulumi-bot"


def changes(comments: Iterable[Comment], **texts: str | None) -> list[CommentChange]:
    return list(comment_changes(comments, ME, texts))


def written(text: str = "one\n", stack: str = "prod", id_: int = 1, author: str = ME) -> Comment:
    """A comment as an earlier run left it."""
    (created,) = comment_changes([], ME, {stack: text})
    assert isinstance(created, NewComment)
    return Comment(id_, author, created.body)


def test_a_stack_that_changes_gets_a_comment_and_one_that_does_not_gets_none() -> None:
    (created,) = changes([], prod="text\n", dev=None)
    assert isinstance(created, NewComment)
    assert created.stack == "prod"
    assert created.body.endswith("-->\ntext\n")


def test_the_same_text_is_not_written_again_however_its_lines_end() -> None:
    assert changes([written()], prod="one\n") == []
    assert changes([Comment(1, ME, written().body.rstrip().replace("\n", "\r\n"))], prod="one\n") == []


def test_another_text_changes_the_comment_of_its_stack_only() -> None:
    comments = [written(stack="dev", id_=1), written(stack="prod", id_=2), written(stack="production", id_=3)]
    (changed,) = changes(comments, prod="two\n")
    assert isinstance(changed, ChangedComment)
    assert (changed.id, changed.stack) == (2, "prod")
    assert "two" in changed.body


def test_a_stack_that_changes_no_more_says_so_in_its_comment() -> None:
    (changed,) = changes([written()], prod=None)
    assert isinstance(changed, ChangedComment)
    assert UNCHANGED in changed.body
    assert changes([Comment(1, ME, changed.body)], prod=None) == []


def test_a_second_comment_of_a_stack_is_deleted() -> None:
    assert changes([written(id_=4), written(id_=5), written(id_=6)], prod="one\n") == [
        SurplusComment("prod", 5),
        SurplusComment("prod", 6),
    ]


def test_comments_of_others_and_quoted_markers_are_left_alone() -> None:
    quoted = Comment(2, ME, "> " + written().body)
    below = Comment(3, ME, "See:\n" + written().body)
    comments = [written(author=OTHER), quoted, below, Comment(4, ME, "#### `prod` (preview)"), Comment(5, ME, "")]
    assert [type(change) for change in changes(comments, prod="one\n")] == [NewComment]


STACKS = st.sampled_from(["dev", "prod", "prod-eu"])
TEXTS = st.dictionaries(STACKS, st.none() | st.text())


@given(st.lists(st.tuples(STACKS, st.text(), st.sampled_from([ME, OTHER])), max_size=6), TEXTS, TEXTS)
def test_after_the_changes_nothing_is_left_to_change_and_nobody_else_s_comment_was_touched(
    existing: list[tuple[str, str, str]], before: dict[str, str | None], after: dict[str, str | None]
) -> None:
    comments = [written(text, stack, i, author) for i, (stack, text, author) in enumerate(existing)]
    for texts in (before, after):
        for change in comment_changes(comments, ME, texts):
            match change:
                case NewComment():
                    comments = [*comments, Comment(len(comments) + 100, ME, change.body)]
                case ChangedComment():
                    comments = [Comment(c.id, c.author, change.body) if c.id == change.id else c for c in comments]
                case SurplusComment():
                    comments = [c for c in comments if c.id != change.id]
        assert list(comment_changes(comments, ME, texts)) == []
    theirs = [written(text, stack, i, author) for i, (stack, text, author) in enumerate(existing) if author == OTHER]
    assert [c for c in comments if c.author == OTHER] == theirs
