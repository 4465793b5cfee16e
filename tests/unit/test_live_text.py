"""Unit (pure): how the status of stacks is printed, wide, narrow and as data."""

import io
import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from airunway.live.events import Event
from airunway.live.moments import NEVER
from airunway.live.status import DeploymentStatus, OperatorStatus
from airunway.live.survey import Survey
from airunway.provider.observation import Phase, Replicas
from airunway.provider.request import Endpoint
from airunway.report.status_text import survey_document, surveys_text
from airunway.text.terminal import LogText

EVIL = "\x1b]0;owned\x07red \x1b[31mtext"
STATUS = DeploymentStatus(
    name="llama",
    phase=Phase.DEPLOYING,
    provider="kaito",
    selected_reason="explicit",
    engine="vllm",
    replicas=Replicas(2, 1, 1),
    endpoint=Endpoint("llama", 80),
    message=EVIL,
    conditions=(),
    resource={"apiVersion": "kaito.sh/v1beta1", "kind": "Workspace", "namespace": "ml", "name": "llama"},
)
OPERATOR = OperatorStatus("kaito", "managed", "deployed", True, 1, 1, True, "")
SURVEY = Survey("prod", (STATUS,), (OPERATOR,))


def printed(width: int, *surveys: Survey) -> str:
    out = Console(file=io.StringIO(), width=width, highlight=False)
    out.print(surveys_text(surveys, width))
    return out.file.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("width", [60, 160])
def test_everything_is_said_at_any_width(width: int) -> None:
    text = printed(width, SURVEY)
    for word in (
        "prod",
        "0 of 1 running",
        "llama",
        "Deploying",
        "1/2",
        "vllm",
        "kaito",
        "http://llama.ml.svc/v1",
        "healthy",
        "deployed",
    ):
        assert word in text
    assert max(map(len, text.splitlines())) <= width


def test_what_a_cluster_says_is_no_command_to_the_terminal() -> None:
    assert "\x1b" not in printed(160, SURVEY)
    assert "\x07" not in printed(60, SURVEY)
    assert "red [31mtext" in printed(160, SURVEY)


words = st.lists(
    st.sampled_from(["::error::x", "::add-mask::a", "##[error]", "a", "wide" * 8, "\n", "::", ":::error::x", " "]),
    max_size=40,
)


@given(words, words, st.integers(40, 220), st.sampled_from(["", " "]))
def test_what_a_cluster_says_is_no_command_to_a_github_runner_wherever_it_is_folded(
    message: list[str], release: list[str], width: int, gap: str
) -> None:
    odd = replace(STATUS, message=gap.join(message), engine=gap.join(message), endpoint=Endpoint(gap.join(release), 80))
    operator = replace(OPERATOR, message=gap.join(message), release=gap.join(release))
    lines = printed(width, Survey("prod", (odd,), (operator,))).splitlines()
    assert [line for line in lines if re.match(r"\s*::(error|add-mask)( .*)?::", line) or "##[" in line] == []


@given(words, st.integers(1, 9))
def test_an_answer_in_pieces_is_no_command_to_a_github_runner_and_else_as_it_came(parts: list[str], size: int) -> None:
    answer = "".join(parts)
    pieces = [answer[start : start + size] for start in range(0, len(answer), size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_ACTIONS", "true")
        log = LogText()
        logged = "".join(map(log.piece, pieces))
        patch.delenv("GITHUB_ACTIONS")
        log = LogText()
        assert "".join(map(log.piece, pieces)) == answer
    assert logged.replace(" ", "") == answer.replace(" ", "")
    assert [line for line in logged.splitlines() if line.lstrip().startswith("::") or "##[" in line] == []


def test_an_answer_of_one_long_line_takes_no_longer_than_its_length() -> None:
    log, started = LogText(), time.monotonic()
    for _ in range(1_000):
        log.piece("x" * 2_000)
    assert time.monotonic() - started < 30


def test_the_data_is_whole_and_says_what_the_text_says() -> None:
    document = json.loads(json.dumps(survey_document(SURVEY)))
    (deployment,) = document["deployments"]
    assert (deployment["phase"], deployment["replicas"]) == ("Deploying", {"desired": 2, "ready": 1, "available": 1})
    assert deployment["provider"] == {"name": "kaito", "selectedReason": "explicit"}
    assert deployment["endpoint"] == "http://llama.ml.svc/v1"
    assert document["operators"][0]["healthy"] is True


PULL = Event(
    True, "Failed", f"Error: ImagePullBackOff {EVIL}", 12, datetime.now(UTC) - timedelta(days=5, hours=1), ("Pod a",)
)
LONG = Event(True, "FailedScheduling", "0/3 nodes are available: " + "no GPU is left, " * 60, 1, NEVER, ("Pod a",))
TROUBLED = replace(STATUS, phase=Phase.FAILED, message="no pod is ready " * 9, events=(PULL, LONG))
OTHER = replace(STATUS, name="other", phase=Phase.RUNNING, message="")


@pytest.mark.parametrize("width", [40, 60, 80, 99, 100, 120, 220])
def test_warnings_stand_below_their_deployment_in_whole_lines(width: int) -> None:
    lines = printed(width, Survey("prod", (OTHER, TROUBLED, replace(OTHER, name="third")), ())).splitlines()
    (first,) = [index for index, line in enumerate(lines) if line.strip().startswith("Failed: Error: Image")]
    names = [next(i for i, line in enumerate(lines) if line.startswith(name)) for name in ("other", "llama", "third")]
    assert names[1] < first < names[2]
    assert all(not line.strip().startswith("Failed: ") for line in lines[: names[1]])
    (second,) = [index for index, line in enumerate(lines) if line.strip().startswith("FailedScheduling: 0/3 nodes")]
    assert 0 < second - first <= 3
    assert names[2] - second <= 3
    assert "…" in "".join(lines[second : names[2]]), "what is longer is cut"
    assert max(map(len, lines)) <= width
    assert "\x1b" not in "".join(lines)
    assert "5 d ago, ×12)" in " ".join("".join(lines[first:second]).split())


def test_events_are_data_too_with_all_that_is_said_of_them() -> None:
    document = json.loads(json.dumps(survey_document(Survey("prod", (TROUBLED, OTHER), (), "nobody may"))))
    assert document["eventsUnread"] == "nobody may"
    pull, long = document["deployments"][0]["events"]
    assert (pull["reason"], pull["count"], pull["objects"]) == ("Failed", 12, ["Pod a"])
    assert datetime.fromisoformat(pull["lastSeen"]) == PULL.at.replace(microsecond=0)
    assert (long["message"], long["lastSeen"]) == (LONG.message, None)
    assert document["deployments"][1]["events"] == []


@pytest.mark.parametrize("width", [60, 120])
def test_why_events_are_not_read_is_one_quiet_line(width: int) -> None:
    text = printed(width, Survey("prod", (STATUS,), (), "events of ml may not be read"))
    assert text.count("Without events: events of ml may not be read") == 1
    assert "Without events" not in printed(width, SURVEY)


def test_several_stacks_follow_each_other() -> None:
    assert printed(160, SURVEY, Survey("dev", (), ())).count("running") == 2
