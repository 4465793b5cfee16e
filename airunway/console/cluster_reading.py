"""Reads a cluster for a page, whose reader waits for it only so long."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from airunway.text.problems import InputError

_SECONDS = 20
_Found = TypeVar("_Found")


async def read_in_time(reading: Coroutine[Any, Any, _Found]) -> tuple[_Found | None, str]:
    """Return what is read of a cluster; None with the reason if it can't be."""
    try:
        async with asyncio.timeout(_SECONDS):
            return await reading, ""
    except InputError as error:
        return None, str(error)
    except TimeoutError:
        return None, f"the API server did not answer within {_SECONDS} seconds"
