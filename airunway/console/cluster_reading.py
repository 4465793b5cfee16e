"""What pages read of a cluster, within the time that a person waits for a page."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from airunway.live.missing_rights import MissingRightError
from airunway.report.rbac import rule_for
from airunway.text.problems import InputError

_SECONDS = 20
"""Longest time that a page waits for a cluster."""
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class MissingRight:
    """A right that the account lacks: the rule of a Role in ``namespace`` that gives it, as a line of YAML."""

    namespace: str
    rule: str


@dataclass(frozen=True)
class Reading(Generic[_Value]):
    """What was read of a cluster; without a value, ``problem`` says why there is none."""

    value: _Value | None = None
    problem: str = ""
    missing: MissingRight | None = None


async def read_in_time(reading: Coroutine[Any, Any, _Value]) -> Reading[_Value]:
    """What is read of a cluster, or why it can't be."""
    try:
        async with asyncio.timeout(_SECONDS):
            return Reading(await reading)
    except InputError as error:
        return Reading(problem=str(error), missing=missing_right(error))
    except TimeoutError:
        return Reading(problem=f"the API server did not answer within {_SECONDS} seconds")


def missing_right(error: InputError) -> MissingRight | None:
    """The right that an account lacks, if that is the error."""
    if not isinstance(error, MissingRightError):
        return None
    rule = ", ".join(f"{key}: {json.dumps(values)}" for key, values in rule_for(error.access).items())
    return MissingRight(error.namespace, f"- {{{rule}}}")
