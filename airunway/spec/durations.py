"""Durations in stack files and options: 90s, 45m, 1h30m."""

import re
from typing import Annotated

from pydantic import Field

from airunway.text.problems import PATTERN_WORDS

PATTERN = r"^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,9}s)?$"
"""Hours, minutes and seconds, at least one of them. Go's durations are limited to 2,562,047 hours."""

PATTERN_WORDS[PATTERN] = "a duration such as 90s, 45m or 1h30m"

Duration = Annotated[str, Field(pattern=PATTERN, min_length=2)]
"""A duration in a stack file."""


def is_duration(text: str) -> bool:
    """Whether ``text`` is a duration."""
    return bool(text) and re.fullmatch(PATTERN, text, re.ASCII) is not None


def seconds(text: str) -> int:
    """The number of seconds of a duration. Raises ``ValueError`` if ``text`` is not a duration."""
    if not is_duration(text):
        raise ValueError(f"{text!r} is not a duration")
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"([0-9]+)([hms])", text))
