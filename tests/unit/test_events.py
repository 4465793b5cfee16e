"""Unit (pure; events as kubelet, scheduler and controllers of Kubernetes 1.36 write them): what says the same is one
event, warnings come first, and each is told of the deployment whose object it is about.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.events import grouped, is_about
from airunway.report.event_text import age

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def event(reason: str = "BackOff", name: str = "chat-0", **more: Any) -> dict[str, Any]:
    plain = {
        "metadata": {"name": f"{name}.1", "creationTimestamp": "2026-11-27T11:00:00Z"},
        "involvedObject": {"kind": "Pod", "name": name},
        "reason": reason,
        "message": "Back-off restarting failed container",
        "type": "Normal",
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": None,
        "count": None,
    }
    return plain | more


def test_what_says_the_same_is_one_event_with_all_its_objects() -> None:
    (one,) = grouped([event(count=3), event(name="chat-1", count=4), event()])
    assert (one.times, one.objects) == (8, ("Pod chat-0", "Pod chat-1"))


def test_warnings_come_first_and_then_the_newest() -> None:
    events = [
        event("Old", lastTimestamp="2026-11-27T10:00:00Z"),
        event("Warned", type="Warning", lastTimestamp="2026-11-27T09:00:00Z"),
        event("New", lastTimestamp="2026-11-27T11:59:00Z"),
        event("JustWarned", type="Warning", lastTimestamp="2026-11-27T11:00:00Z"),
    ]
    assert [e.reason for e in grouped(events)] == ["JustWarned", "Warned", "New", "Old"]


@pytest.mark.parametrize(
    ("fields", "at", "times"),
    [
        ({"lastTimestamp": "2026-11-27T11:30:00Z", "count": 5}, "11:30", 5),
        ({"eventTime": "2026-11-27T11:31:00.123456Z"}, "11:31", 1),
        (
            {
                "eventTime": "2026-11-27T11:00:00.000000Z",
                "series": {"count": 9, "lastObservedTime": "2026-11-27T11:45:00.000000Z"},
            },
            "11:45",
            9,
        ),
        ({}, "11:00", 1),
    ],
    ids=["kubelet", "scheduler", "scheduler, repeated", "no time of its own"],
)
def test_each_reporter_s_times_are_read(fields: Any, at: str, times: int) -> None:
    (one,) = grouped([event(**fields)])
    assert (f"{one.at:%H:%M}", one.times) == (at, times)


@pytest.mark.parametrize(
    ("name", "belongs"),
    [
        ("chat", True),
        ("chat-0", True),
        ("chat-worker-x7f2p", True),
        ("chat-large", False),
        ("chat-large-0", False),
        ("chats-0", False),
        ("a-very-long-name-that-was-cut", True),
        ("other", False),
        ("", False),
    ],
)
def test_an_event_is_of_the_deployment_whose_name_begins_its_object_s(name: str, belongs: bool) -> None:
    found = is_about(event(name=name), {"chat"}, {"chat-large"}, {"a-very-long-name-that-was-cut"})
    assert found is belongs


def test_an_event_of_another_shape_is_told() -> None:
    (odd,) = grouped([event(count="many")])
    assert odd.is_warning
    assert "count" in odd.message


@given(st.dictionaries(st.sampled_from(list(event())), st.recursive(st.none() | st.text() | st.integers(), st.lists)))
def test_no_event_breaks_the_page(fields: dict[str, Any]) -> None:
    live = event() | {k: v for k, v in fields.items() if k != "metadata"}
    is_about(live, {"chat"}, set(), set())
    (one,) = grouped([live])
    age(one.at, NOON)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-27T11:59:59Z", "1 s"),
        ("2026-11-27T11:58:01Z", "119 s"),
        ("2026-11-27T11:58:00Z", "2 min"),
        ("2026-11-27T10:00:00Z", "2 h"),
        ("2026-11-24T10:00:00Z", "3 d"),
        ("2026-11-27T12:00:05Z", "0 s"),
        ("0001-01-01T00:00:00Z", ""),
    ],
)
def test_an_age_is_told_in_the_unit_that_fits(at: str, words: str) -> None:
    assert age(datetime.fromisoformat(at), NOON) == words
