"""Credentials that stand in plain text: found by their form, and hidden in messages."""

import re

_HUGGING_FACE = re.compile(r"\bhf_[A-Za-z0-9]{30,}")
"""A Hugging Face access token."""


def has_token(text: str) -> bool:
    """Whether ``text`` contains a Hugging Face token."""
    return _HUGGING_FACE.search(text) is not None


def without_tokens(text: str) -> str:
    """``text`` with the part of each Hugging Face token that is secret replaced by an ellipsis."""
    return _HUGGING_FACE.sub("hf_…", text)
