"""Graph (in this process; a real process stands in for Pulumi's run): an operation that the console's pages begin,
follow and cancel.
"""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from airunway.console.app import Console
from airunway.console.project import Project
from tests.graph.projects import write_project, write_stack

HOST = "127.0.0.1:1234"
URL, ORIGIN = f"http://{HOST}", {"Origin": f"http://{HOST}"}
# What `python -m airunway.console.run` prints, and how it ends when it is interrupted.
RUNS = """
import json, signal, sys, time
def say(**event): print(json.dumps(event), flush=True)
def interrupted(*_):
    say(kind="log", text="interrupted")
    sys.exit(1)
signal.signal(signal.SIGINT, interrupted)
say(kind="log", text=" ".join(sys.argv[1:]))
say(kind="step", urn="u", type="Workspace", name="<b>w</b>", operation="create", state="done")
while sys.argv[1] == "up": time.sleep(0.05)
say(kind="summary", counts={"create": 1})
"""


class Pages:
    """A console whose operations are those of ``RUNS``, and a browser that it has admitted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "run.py").write_text(RUNS)
        project = Project(write_project(folder, [{"name": "one", "model": {"id": "org/m"}}]))
        self.console = Console(project, "own", run=(sys.executable, str(folder / "run.py")))

    def __call__(self, acting: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        """Let ``acting`` use the browser."""
        guard = self.console.app([HOST])

        async def inside() -> None:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=URL) as client:
                assert (await client.get(f"/stacks/own/?token={guard.token}")).status_code == 303
                await acting(client)

        asyncio.run(asyncio.wait_for(inside(), 30))


@pytest.fixture
def act(tmp_path: Path) -> Pages:
    return Pages(tmp_path)


async def begin(client: httpx.AsyncClient, action: str) -> httpx.Response:
    return await client.post("/stacks/own/run", data={"action": action}, headers=ORIGIN)


async def events(client: httpx.AsyncClient, last: str | None = None) -> list[tuple[int, Any]]:
    """The events of the operation to its end, with their numbers."""
    answer = await client.get("/stacks/own/events", headers={"Last-Event-ID": last} if last is not None else {})
    assert answer.headers["content-type"].startswith("text/event-stream")
    result = re.findall(r"^id: (\d+)\r?\nevent: (\w+)\r?\ndata: (.*?)\r?$", answer.text, re.MULTILINE)
    assert all(json.loads(data)["kind"] == kind for _, kind, data in result)
    return [(int(number), json.loads(data)) for number, _, data in result]


def test_a_preview_is_followed_to_its_end_and_again_from_where_the_browser_was(act: Pages) -> None:
    async def acting(client: httpx.AsyncClient) -> None:
        begun = await begin(client, "preview")
        assert (begun.status_code, begun.headers["location"]) == (303, "/stacks/own/changes")
        whole = await events(client)
        assert [(number, event["kind"]) for number, event in whole] == [
            (1, "log"),
            (2, "step"),
            (3, "summary"),
            (4, "end"),
        ]
        assert whole[0][1]["text"] == "preview --stack own"
        assert whole[3][1]["result"] == "succeeded"
        assert await events(client, "2") == whole[2:]
        for odd in ("", "-1", "x", "9" * 5000):
            assert await events(client, odd) == whole
        page = (await client.get("/stacks/own/changes")).text
        assert "data-events" in page
        assert "<b>w</b>" not in page

    act(acting)


def test_one_operation_runs_at_a_time_and_is_cancelled(act: Pages) -> None:
    async def acting(client: httpx.AsyncClient) -> None:
        await begin(client, "preview")
        await events(client)
        assert (await begin(client, "up")).status_code == 303
        second = await begin(client, "preview")
        assert second.status_code == 409
        assert "up of stack own is running; cancel it or wait" in second.text
        following = asyncio.create_task(events(client))
        operation = act.console.operations.current  # a stream that has not ended is not handed over by this transport
        assert operation is not None
        async for _, event in operation.follow():
            if event["kind"] == "step":
                break
        cancelled = await client.post("/stacks/own/cancel", headers=ORIGIN)
        assert cancelled.status_code == 303
        whole = await following
        assert whole[-1][1] == {"kind": "end", "result": "cancelled", "text": ""}
        assert {"kind": "log", "text": "interrupted"} in [event for _, event in whole]
        assert (await begin(client, "preview")).status_code == 303
        assert (await events(client))[-1][1]["result"] == "succeeded"

    act(acting)


def test_only_what_a_preview_has_shown_is_applied(act: Pages) -> None:
    async def refused(client: httpx.AsyncClient) -> str:
        answer = await begin(client, "up")
        assert answer.status_code == 409
        page = (await client.get("/stacks/own/changes")).text
        assert 'value="up" disabled' in page
        return answer.text

    async def acting(client: httpx.AsyncClient) -> None:
        assert "Preview first" in await refused(client)
        await begin(client, "preview")
        await events(client)
        page = (await client.get("/stacks/own/actions")).text
        assert "Apply to cluster x: 1 to create</button>" in page
        assert 'data-confirm="Apply stack own to cluster x: 1 to create?"' in page
        file = act.folder / "stacks" / "Pulumi.own.yaml"
        before = file.read_text()
        file.write_text(before + " ")
        assert "The files have changed since the preview" in await refused(client)
        file.write_text(before)
        assert (await begin(client, "up")).status_code == 303
        await client.post("/stacks/own/cancel", headers=ORIGIN)
        await events(client)
        assert "Preview first" in await refused(client)

    act(acting)


def test_another_stack_s_operation_is_not_shown_as_one_of_this(act: Pages) -> None:
    write_stack(act.folder, "other", deployments=[])

    async def acting(client: httpx.AsyncClient) -> None:
        await begin(client, "preview")
        await events(client)
        page = (await client.get("/stacks/other/changes")).text
        assert "data-events" not in page
        assert "The last operation was the preview of stack" in page
        assert "Preview first" in page

    act(acting)


def test_nothing_to_cancel_is_fine_and_nothing_to_follow_is_told(act: Pages) -> None:
    async def acting(client: httpx.AsyncClient) -> None:
        assert (await client.post("/stacks/own/cancel", headers=ORIGIN)).status_code == 303
        assert (await client.get("/stacks/own/events")).status_code == 404

    act(acting)


@pytest.mark.parametrize("action", ["", "destroy", "refresh", "preview --yes", "UP"])
def test_only_preview_and_up_are_run(action: str, act: Pages) -> None:
    async def acting(client: httpx.AsyncClient) -> None:
        refused = await begin(client, action)
        assert (refused.status_code, "must be preview or up" in refused.text) == (400, True)

    act(acting)


def test_a_secret_is_set_only_with_a_token_and_the_pulumi_cli(act: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    async def acting(client: httpx.AsyncClient) -> None:
        for token in ("", "hf_secret"):
            refused = await client.post("/stacks/own/secret", data={"token": token}, headers=ORIGIN)
            assert (refused.status_code, "a token and the Pulumi CLI are required" in refused.text) == (400, True)
            assert "hf_secret" not in refused.text

    act(acting)


FAKE_PULUMI = """#!/bin/sh
echo "$@" > arguments
cat > given
echo "error: no secrets provider takes $(cat given)" >&2
exit $(cat status)
"""


@pytest.mark.parametrize(("status", "code"), [("0", 303), ("1", 502)])
def test_a_token_is_handed_over_by_standard_input_and_is_in_no_answer(
    status: str, code: int, act: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").write_text(FAKE_PULUMI)
    (tmp_path / "bin" / "pulumi").chmod(0o755)
    (tmp_path / "status").write_text(status)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")

    async def acting(client: httpx.AsyncClient) -> None:
        answer = await client.post("/stacks/own/secret", data={"token": "hf_secret"}, headers=ORIGIN)
        assert answer.status_code == code
        assert "hf_secret" not in answer.text
        assert code == 303 or "no secrets provider takes [secret]" in answer.text

    act(acting)
    assert (tmp_path / "given").read_text() == "hf_secret"
    assert (tmp_path / "arguments").read_text() == "config set --secret airunway:huggingFaceToken --stack own\n"
