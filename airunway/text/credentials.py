"""Credentials that stand in plain text: found by their form, and hidden in messages."""

import json
import re
from pathlib import Path
from typing import NamedTuple


class _Form(NamedTuple):
    """What credentials of one kind look like; ``shown`` is left of one in a message."""

    name: str
    shown: str
    pattern: re.Pattern[str]


# JSON, because the module that reads YAML reports problems, whose messages hide credentials.
_FORMS = tuple(
    _Form(form["name"], form["shown"], re.compile(form["pattern"]))
    for form in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
)
HUGGING_FACE = _FORMS[0].name
"""What a Hugging Face token is called."""


def credential_in(text: str) -> str | None:
    """What kind of credential ``text`` contains, in words; None if there is none."""
    return next((form.name for form in _FORMS if form.pattern.search(text)), None)


def without_tokens(text: str) -> str:
    """``text`` with the part of each credential that is secret replaced by an ellipsis."""
    for form in _FORMS:
        text = form.pattern.sub(form.shown, text)
    return text
