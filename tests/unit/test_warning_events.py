"""Unit (pure): whose warnings a status asks for, and which of them are a change for those who watch it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airunway.live.events import Event
from airunway.live.moments import NEVER
from airunway.live.status import MISSING, DeploymentStatus
from airunway.live.survey import Survey
from airunway.live.warning_events import is_troubled, without_counts
from airunway.provider.observation import Phase, Update
from tests.unit.test_live_text import STATUS

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
OLD = replace(STATUS, created=NOW - timedelta(minutes=5))


@pytest.mark.parametrize(
    ("status", "troubled"),
    [
        (replace(OLD, phase=Phase.PENDING), True),
        (replace(OLD, phase=Phase.DEPLOYING), True),
        (replace(OLD, phase=Phase.RUNNING), False),
        (replace(OLD, phase=Phase.RUNNING, update=Update("the change does not start")), True),
        (replace(OLD, phase=Phase.TERMINATING), False),
        (replace(OLD, phase=Phase.PENDING, message=MISSING), False),
        (replace(OLD, phase=Phase.PENDING, created=NOW - timedelta(seconds=5)), False),
        (replace(OLD, phase=Phase.FAILED, created=NOW - timedelta(seconds=5)), True),
        (replace(OLD, phase=Phase.PENDING, created=NEVER), True),
        (replace(OLD, phase=Phase.PENDING, created=NOW + timedelta(days=1)), False),
    ],
    ids=lambda value: (
        "" if isinstance(value, bool) else f"{value.phase} {value.message[:3]} {value.created:%d %H:%M:%S}"
    ),
)
def test_what_does_not_run_beyond_a_moment_is_troubled(status: DeploymentStatus, troubled: bool) -> None:
    assert is_troubled(status, NOW) is troubled


def test_a_warning_that_is_only_repeated_is_no_change_and_another_is_one() -> None:
    back_off = Event(True, "BackOff", "Back-off restarting failed container", 3, NOW, ("Pod a",))
    pull = Event(True, "Failed", "Error: ImagePullBackOff", 1, NOW - timedelta(minutes=1), ("Pod a",))

    def watched(*events: Event) -> Survey:
        return without_counts(Survey("prod", (replace(OLD, events=events),), ()))

    again = replace(pull, times=9, at=NOW + timedelta(seconds=9))
    assert watched(back_off, pull) == watched(again, back_off), "though their order is another"
    assert watched(back_off, pull) != watched(back_off)
    assert watched(pull) != watched(replace(pull, message="Error: ErrImagePull"))
