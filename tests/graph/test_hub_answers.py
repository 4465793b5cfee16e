"""Graph (command line and Hugging Face's real client; the hub stood in for): what a hub refuses, and answers that are
none, as `airunway lock` tells them.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.graph.hub_projects import LLAMA, QWEN, lock
from tests.graph.model_hub import FIRST, ModelHub

LOCK = "stacks/models.lock.yaml"


@pytest.mark.parametrize(
    ("refusal", "output"),
    [
        ((401, "GatedRepo"), "is gated; accept its terms on the hub, and set HF_TOKEN"),
        ((403, "GatedRepo"), "is gated; accept its terms on the hub, and set HF_TOKEN"),
        ((404, "RepoNotFound"), "is not on the hub, or HF_TOKEN may not see it"),
        ((404, "RevisionNotFound"), "has no revision main on the hub"),
        ((500, ""), "the hub refused"),
        ((429, ""), "the hub refused"),
    ],
)
def test_what_the_hub_refuses_is_told_for_every_model_and_nothing_is_written(
    hub: ModelHub,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    refusal: tuple[int, str],
    output: str,
) -> None:
    hub.refusal = refusal
    assert lock(monkeypatch, project) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert f"{QWEN}: {output}" in told
    assert f"{LLAMA}: {output}" in told
    assert "Traceback" not in told
    assert not (project / LOCK).exists()


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[]",
        b"null",
        b"[" * 5000,
        {"siblings": 5},
        {"siblings": [{}]},
        {"id": "x/y"},
        {"id": 5, "sha": 7},
        {"id": "x/y", "sha": "short"},
        {"id": "x", "sha": FIRST, "siblings": [{"rfilename": 5, "size": "x"}]},
    ],
)
def test_an_answer_that_is_no_hub_s_is_told(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: Any
) -> None:
    hub.models[QWEN, "main"] = answer
    assert lock(monkeypatch, project) == 1
    told = capsys.readouterr().err
    assert f"{QWEN}: " in told
    assert "Traceback" not in told
    assert not (project / LOCK).exists()


def test_a_client_that_is_to_stay_offline_is_told(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert lock(monkeypatch, project) == 1
    assert f"error: {QWEN}: the hub is not asked, as HF_HUB_OFFLINE is set; unset it to ask" in capsys.readouterr().err
    assert hub.requests == []


def test_the_client_tells_the_hub_nothing_that_it_is_not_asked_to() -> None:
    code = """
import airunway.cli.lock
from huggingface_hub import constants
print(constants.HF_HUB_DISABLE_TELEMETRY, constants.HF_HUB_DISABLE_PROGRESS_BARS)
"""
    unset = {k: v for k, v in os.environ.items() if not k.startswith("HF_HUB_DISABLE")}
    done = subprocess.run([sys.executable, "-c", code], env=unset, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


def test_a_hub_that_is_away_is_told(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert lock(monkeypatch, project) == 1
    assert f"{QWEN}: the hub can't be reached" in " ".join(capsys.readouterr().err.split())


def test_the_token_is_sent_to_the_hub_and_printed_nowhere(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_onlyTheHeaderHasThis")
    assert lock(monkeypatch, project) == 0
    assert hub.tokens == {"Bearer hf_onlyTheHeaderHasThis"}
    output = capsys.readouterr()
    assert "hf_only" not in output.out + output.err + (project / LOCK).read_text()


def test_an_answer_without_end_is_read_up_to_a_limit(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.models[QWEN, "main"] = lambda: itertools.repeat(b" " * 2**20)
    assert lock(monkeypatch, project) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert (
        f"{QWEN}: what HF_ENDPOINT names does not answer as a hub does: its answer has more than 67,108,864 bytes"
        in told
    )


def test_an_answer_that_trickles_is_read_for_a_while(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def trickle() -> Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield b" "

    hub.models[QWEN, "main"] = trickle
    monkeypatch.setattr("airunway.live.hub_client.MAX_SECONDS", 0.5)
    started = time.monotonic()
    assert lock(monkeypatch, project) == 1
    assert "its answer does not end within" in capsys.readouterr().err
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, gzip"])
def test_a_packed_answer_is_not_unpacked(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    hub.encoding = encoding
    assert lock(monkeypatch, project) == 1
    assert "its answer has the encoding" in capsys.readouterr().err
