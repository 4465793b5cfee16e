"""One ``preview`` or ``up`` of a stack, in a process of its own, followed line by line and cancelled as Ctrl-C
would.
"""

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
        """Whether it has ended."""
        return bool(self.events) and self.events[-1]["kind"] == "end"

    async def run(self, command: Sequence[str], cwd: str) -> None:
        """Run ``command``, which prints an event as JSON on each line, to its end."""
        error = ""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=_LONGEST_LINE,
                start_new_session=True,  # so that a cancellation reaches the engine too, and ours does not
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
        """Ask it to stop after what it is doing; a second time, stop it at once."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL if self._cancelled else signal.SIGINT)
            self._cancelled = True

    async def follow(self, after: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """The events from number ``after`` on, with their numbers, until the end."""
        while True:
            async with self._changed:
                while len(self.events) <= after:
                    await self._changed.wait()
            for event in self.events[after:]:
                after += 1
                yield after, event
            if self.events[after - 1]["kind"] == "end":
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
    # What is no event is something that was printed on the way.
    return (
        event
        if isinstance(event, dict) and event.get("kind") in ("step", "log", "summary")
        else {"kind": "log", "text": line}
    )
