"""Unit (pure): descriptions in schemas are docstrings with each paragraph as one line."""

from hypothesis import given
from hypothesis import strategies as st

from airunway.text.descriptions import one_line_paragraphs, with_one_line_paragraphs


def test_line_breaks_within_a_paragraph_become_spaces() -> None:
    assert one_line_paragraphs("A model that is\n    served.\n\n    Its name\n    is short.\n    ") == (
        "A model that is served.\n\nIts name is short."
    )


def test_only_descriptions_change_wherever_they_are() -> None:
    schema = {"title": "a\nb", "items": [{"description": "a\n  b", "enum": ["c\nd"]}]}
    assert with_one_line_paragraphs(schema) == {"title": "a\nb", "items": [{"description": "a b", "enum": ["c\nd"]}]}


def test_a_field_named_description_keeps_its_schema() -> None:
    assert with_one_line_paragraphs({"properties": {"description": {"type": "string"}}}) == {
        "properties": {"description": {"type": "string"}}
    }


@given(st.text())
def test_a_description_is_the_same_when_made_twice(text: str) -> None:
    assert one_line_paragraphs(one_line_paragraphs(text)) == one_line_paragraphs(text)
