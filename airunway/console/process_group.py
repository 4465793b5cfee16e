"""The output of a process line by line, however it is written, and the end of its process group."""

import asyncio
import codecs
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from airunway.text.yaml_reading import load_data

LIMITS: dict[str, int] = load_data(Path(__file__).with_name("limits.yaml"))
_CHUNK = 1 << 16
_POLL_SECONDS = 0.05


async def lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of ``stream``; what is above the limit of a line is left out."""
    decoder, line, cut = codecs.getincrementaldecoder("utf-8")("replace"), "", 0
    limit = LIMITS["lineLength"]
    while chunk := await stream.read(_CHUNK):
        for index, part in enumerate(decoder.decode(chunk).split("\n")):
            if index:
                yield _marked(line, cut)
                line, cut = "", 0
            room = limit - len(line)
            line += part[:room]
            cut += max(0, len(part) - room)
    line += decoder.decode(b"", final=True)
    if line:
        yield _marked(line, cut)


def _marked(line: str, cut: int) -> str:
    return f"{line} … ({cut:,} more characters)" if cut else line


async def exited(process: asyncio.subprocess.Process) -> None:
    """Wait for the process itself; ``Process.wait`` (3.11) also waits for whoever holds its output open."""
    while process.returncode is None:
        await asyncio.sleep(_POLL_SECONDS)


async def end_group(process: asyncio.subprocess.Process) -> None:
    """Interrupt what is left of the group that ``process`` leads, then kill it."""
    for number, seconds in ((signal.SIGINT, LIMITS["interruptSeconds"]), (signal.SIGKILL, LIMITS["killSeconds"])):
        if not _signal(process.pid, number):
            break
        for _ in range(round(seconds / _POLL_SECONDS)):
            await asyncio.sleep(_POLL_SECONDS)
            if not _signal(process.pid, 0):
                break
    await exited(process)


def _signal(group: int, number: int) -> bool:
    """Send a signal to a process group; whether it has a process that takes it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS refuses permission for a process that is not yet reaped
        return False
    return True
