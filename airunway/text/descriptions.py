"""Descriptions in schemas, which come from docstrings: each paragraph as one line."""

import inspect
from typing import Any


def one_line_paragraphs(text: str) -> str:
    """``text`` without its indentation and line breaks; blank lines stay, as they separate paragraphs."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def with_one_line_paragraphs(schema: Any) -> Any:
    """``schema`` with every ``description`` in it as ``one_line_paragraphs`` writes it."""
    if isinstance(schema, dict):
        return {
            key: one_line_paragraphs(value)
            if key == "description" and isinstance(value, str)
            else with_one_line_paragraphs(value)
            for key, value in schema.items()
        }
    return [with_one_line_paragraphs(inner) for inner in schema] if isinstance(schema, list) else schema
