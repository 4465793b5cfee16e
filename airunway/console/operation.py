"""Run ``preview`` or ``up`` of a stack in a separate process, stream its events, and cancel it like Ctrl-C."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from airunway.console.process_group import LIMITS, end_group, exited, lines

Event = dict[str, Any]
_KINDS = ("step", "log", "status", "summary")


class Operation:
    """A running or finished operation; ``events`` are plain data, the last of them of kind ``end``.

    ``files`` is a digest of what the stack's files said when it began.
    """

    def __init__(self, stack: str, action: str, files: str = "") -> None:
        self.stack, self.action, self.files = stack, action, files
        self.started = time.time()
        self.events: list[Event] = []
        self._changed = asyncio.Condition()
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False

    @property
    def done(self) -> bool:
        """Whether the operation has ended."""
        return bool(self.events) and self.events[-1]["kind"] == "end"

    @property
    def succeeded(self) -> bool:
        """Whether the operation has ended well."""
        return self.done and self.events[-1]["result"] == "succeeded"

    @property
    def counts(self) -> str:
        """How many resources it changes, in words: ``3 to create, 1 to update``."""
        counts: dict[str, int] = next((e["counts"] for e in reversed(self.events) if e["kind"] == "summary"), {})
        changes = [f"{count} to {name}" for name, count in counts.items() if name != "same" and count]
        return ", ".join(changes) or "nothing to change"

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
                start_new_session=True,  # so that cancelling reaches the engine, but Ctrl-C on the console does not
            )
            if self._cancelled:  # while it was being started
                self._signal(signal.SIGINT)
            await self._read(self._process)
        except Exception as failure:  # without an end, no other operation could start
            error = str(failure) or type(failure).__name__
        finally:
            if self._process:
                await end_group(self._process)
            code = self._process.returncode if self._process else None
            result = "cancelled" if self._cancelled else "succeeded" if code == 0 and not error else "failed"
            await self._add({"kind": "end", "result": result, "text": error})

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Add the events of ``process`` until it has exited and, for a moment more, until its output ends."""
        reading, ending = asyncio.create_task(self._add_lines(process)), asyncio.create_task(exited(process))
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
                await ending
            else:
                await asyncio.wait({reading}, timeout=LIMITS["drainSeconds"])
        finally:
            reading.cancel()
            ending.cancel()

    async def _add_lines(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout:
            async for line in lines(process.stdout):
                await self._add(_event(line))

    def cancel(self) -> None:
        """Ask the operation to stop after its current step; on the second call, kill it."""
        if self.done:
            return
        self._signal(signal.SIGKILL if self._cancelled else signal.SIGINT)
        self._cancelled = True

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def follow(self, last_number: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """Yield the events after ``last_number`` with their numbers, until the end.

        All of them if there is no such number: it is one of an earlier operation.
        """
        if last_number > len(self.events):
            last_number = 0
        while True:
            async with self._changed:
                while len(self.events) <= last_number and not self.done:
                    await self._changed.wait()
            for event in self.events[last_number:]:
                last_number += 1
                yield last_number, event
            if self.done and last_number == len(self.events):
                return

    async def _add(self, event: Event) -> None:
        async with self._changed:
            self.events.append(event)
            self._changed.notify_all()


def _event(line: str) -> Event:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        event = None
    # Any other line is ordinary output.
    return event if isinstance(event, dict) and event.get("kind") in _KINDS else {"kind": "log", "text": line}
