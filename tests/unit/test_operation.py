"""Unit (real processes): an operation of the console is followed line by line, cancelled, and comes to one end."""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from airunway.console.operation import Event, Operation
from airunway.console.process_group import LIMITS

PRINTS = (
    "import json, sys\nfor event in json.loads(sys.argv[1]):\n print(event if isinstance(event, str) else"
    " json.dumps(event), flush=True)\n"
)
# Says when it listens, and counts the interrupts: the first one it ends by as Pulumi does, after what it is at.
WAITS = """
import json, signal, sys, time
def interrupted(*_):
    print(json.dumps({"kind": "log", "text": "stopping"}), flush=True)
    if sys.argv[1] == "once": sys.exit(1)
signal.signal(signal.SIGINT, interrupted)
print(json.dumps({"kind": "log", "text": "running"}), flush=True)
while True: time.sleep(0.05)
"""


def command(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def run(*lines: Any, code: str = PRINTS) -> list[Event]:
    operation = Operation("own", "preview")
    asyncio.run(operation.run(command(code, json.dumps(lines)), "."))
    assert operation.done
    return operation.events


def test_each_event_is_kept_in_order_and_the_end_comes_last() -> None:
    step = {"kind": "step", "urn": "u", "operation": "create", "state": "done"}
    assert run(step, {"kind": "summary", "counts": {"create": 1}}) == [
        step,
        {"kind": "summary", "counts": {"create": 1}},
        {"kind": "end", "result": "succeeded", "text": ""},
    ]


@pytest.mark.parametrize(
    "line",
    [
        "plain",
        "",
        "[1]",
        '"text"',
        "{",
        '{"kind": "end", "result": "succeeded"}',
        '{"kind": 1}',
        '{"kind": ["step"]}',
        "\x1b[2J",
        "null",
    ],
)
def test_what_is_printed_on_the_way_is_a_line_of_the_log_and_never_an_end(line: str) -> None:
    assert run(line)[:-1] == [{"kind": "log", "text": line}]


def test_a_line_that_is_no_text_is_shown_as_far_as_it_is() -> None:
    code = "import sys; sys.stdout.buffer.write(b'\\xff\\xfeA\\n'); sys.stderr.write('of stderr\\n')"
    assert {e["text"] for e in run(code=code)[:-1]} == {"\ufffd\ufffdA", "of stderr"}


@pytest.mark.parametrize(
    ("code", "result"),
    [("import sys; sys.exit(3)", "failed"), ("import os; os.kill(os.getpid(), 9)", "failed"), ("", "succeeded")],
)
def test_how_it_ended_is_said(code: str, result: str) -> None:
    assert run(code=code) == [{"kind": "end", "result": result, "text": ""}]


def test_a_command_that_is_not_there_ends_it_with_the_reason() -> None:
    operation = Operation("own", "up")
    asyncio.run(operation.run(["/nonexistent/pulumi"], "."))
    (end,) = operation.events
    assert (end["kind"], end["result"], "No such file" in end["text"]) == ("end", "failed", True)


@pytest.mark.parametrize("end", ["", "\\n"])
def test_a_long_line_is_cut_and_the_operation_goes_on(end: str) -> None:
    code = f"import sys\nfor _ in range(30): sys.stdout.write('x' * 100_000)\nsys.stdout.write('{end}')\n"
    first, *others = run(code=code + ("print('after')" if end else ""))
    assert first["text"] == "x" * (1 << 20) + f" … ({3_000_000 - (1 << 20):,} more characters)"
    assert [e.get("text") for e in others] == (["after", ""] if end else [""])
    assert others[-1]["result"] == "succeeded"


def test_what_is_nested_too_deeply_for_an_event_is_a_line_of_the_log() -> None:
    assert run("[" * 100_000)[:-1] == [{"kind": "log", "text": "[" * 100_000}]


HOLDS = """
import subprocess, sys
child = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE if "quiet" in sys.argv[1] else None)
if process.stdout: process.stdout.readline()
print(process.pid, flush=True)
"""


@pytest.mark.parametrize("how", ["holding", "quiet"])
def test_a_process_that_is_left_is_ended_before_the_operation_is(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ignores interrupts, with the output open or not."""
    for name in ("drainSeconds", "interruptSeconds"):
        monkeypatch.setitem(LIMITS, name, 0.3)
    started = time.monotonic()
    events = run(how, code=HOLDS)
    assert time.monotonic() - started < 10
    assert events[-1] == {"kind": "end", "result": "succeeded", "text": ""}
    pid = next(int(e["text"]) for e in events if e.get("text", "").isdecimal())
    stat = Path(f"/proc/{pid}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_a_failure_of_the_console_ends_the_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> Event:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr("airunway.console.operation._event", fails)
    operation = Operation("own", "up")
    asyncio.run(asyncio.wait_for(operation.run(command(WAITS, "once"), "."), 20))
    assert operation.events == [{"kind": "end", "result": "failed", "text": "of ours"}]
    assert operation._process is not None
    assert operation._process.returncode == 1


async def cancelled(how: str, times: int) -> Operation:
    operation = Operation("own", "up")
    task = asyncio.create_task(operation.run(command(WAITS, how), "."))
    async for _, event in operation.follow():
        if event.get("text") == "running":
            break
    operation.cancel()
    async for _, event in operation.follow():
        if event.get("text") == "stopping":
            break
    for _ in range(times - 1):
        operation.cancel()
    await asyncio.wait_for(task, 20)
    operation.cancel()  # it is over
    return operation


@pytest.mark.parametrize(("how", "times"), [("once", 1), ("never", 2)])
def test_a_cancellation_interrupts_and_a_second_one_kills(how: str, times: int) -> None:
    operation = asyncio.run(cancelled(how, times))
    assert operation.events[-1] == {"kind": "end", "result": "cancelled", "text": ""}
    assert {"kind": "log", "text": "stopping"} in operation.events
    assert operation._process is not None
    assert operation._process.returncode == (1 if how == "once" else -signal.SIGKILL)


def test_a_cancellation_while_the_process_is_being_started_is_not_lost() -> None:
    async def act() -> Operation:
        operation = Operation("own", "up")
        task = asyncio.create_task(operation.run(command(WAITS, "once"), "."))
        operation.cancel()
        await asyncio.wait_for(task, 20)
        return operation

    assert asyncio.run(act()).events[-1] == {"kind": "end", "result": "cancelled", "text": ""}


def test_who_comes_late_or_comes_back_sees_every_event_once() -> None:
    async def act() -> list[list[int]]:
        operation = Operation("own", "preview")
        early = asyncio.create_task(numbers(operation, 0))
        await operation.run(command(PRINTS, json.dumps(["a", "b", "c"])), ".")
        return [
            await early,
            await numbers(operation, 0),
            await numbers(operation, 2),
            await numbers(operation, 3),
            await numbers(operation, 4),
            await numbers(operation, 5),
        ]

    async def numbers(operation: Operation, after: int) -> list[int]:
        return [number async for number, _ in operation.follow(after)]

    assert asyncio.run(asyncio.wait_for(act(), 20)) == [[1, 2, 3, 4], [1, 2, 3, 4], [3, 4], [4], [], [1, 2, 3, 4]]
