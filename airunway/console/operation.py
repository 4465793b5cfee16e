"""Run ``preview`` or ``up`` of a stack in a separate process, stream its events, and cancel it like Ctrl-C."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

Event = dict[str, Any]
_LONGEST_LINE = 1 << 20


class Operation:
    """A running or finished operation; ``events`` are plain data, the last of them of kind ``end``."""

    def __init__(self, stack: str, action: str) -> None:
        self.stack, self.action = stack, action
        self.events: list[Event] = []
        self._changed = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False

    @property
    def done(self) -> bool:
        """Whether the operation has ended."""
        return bool(self.events) and self.events[-1]["kind"] == "end"

    async def run(self, command: Sequence[str], cwd: str) -> None:
        """Run ``command``, which prints a JSON event per line, until it exits."""
        error = ""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=_LONGEST_LINE,
                start_new_session=True,  # so that cancelling reaches the engine, but Ctrl-C on the console does not
            )
            if self._process.stdout:
                async for line in self._process.stdout:
                    await self._add(_event(line.decode("utf-8", "replace").rstrip("\n")))
            await self._process.wait()
        except (OSError, ValueError) as failure:
            error = str(failure)
        code = self._process.returncode if self._process else None
        result = "cancelled" if self._cancelled else "succeeded" if code == 0 and not error else "failed"
        await self._add({"kind": "end", "result": result, "text": error})

    def cancel(self) -> None:
        """Ask the operation to stop after its current step; on the second call, kill it."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL if self._cancelled else signal.SIGINT)
            self._cancelled = True

    async def follow(self, last_number: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """Yield the events after ``last_number`` with their numbers, until the end."""
        while True:
            async with self._changed:
                while len(self.events) <= last_number:
                    await self._changed.wait()
            for event in self.events[last_number:]:
                last_number += 1
                yield last_number, event
            if self.events[last_number - 1]["kind"] == "end":
                return

    async def _add(self, event: Event) -> None:
        async with self._changed:
            self.events.append(event)
            self._changed.notify_all()


def _event(line: str) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    # Any other line is ordinary output.
    return (
        event
        if isinstance(event, dict) and event.get("kind") in ("step", "log", "summary")
        else {"kind": "log", "text": line}
    )
