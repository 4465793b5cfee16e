"""Run ``airunway`` in a separate process, as the program changes global state."""

import asyncio
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class CommandResult:
    """A command's output, and whether it succeeded."""

    succeeded: bool
    output: str
    errors: str


async def run_airunway(*arguments: str) -> CommandResult:
    """Run ``airunway`` with ``arguments`` until it exits."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "airunway.cli", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = (text.decode("utf-8", "replace") for text in await process.communicate())
    return CommandResult(process.returncode == 0, output, errors)
