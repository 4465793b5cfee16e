"""``airunway`` itself in a process of its own: the program changes the state of the process that it runs in."""

import asyncio
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    """What a command printed, and whether it succeeded."""

    succeeded: bool
    output: str
    errors: str


async def airunway(*arguments: str) -> Done:
    """Run ``airunway`` with ``arguments`` to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "airunway.cli", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = (text.decode("utf-8", "replace") for text in await process.communicate())
    return Done(process.returncode == 0, output, errors)
