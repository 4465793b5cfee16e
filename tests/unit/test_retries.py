"""Unit (pure): which requests are sent again, and after how long."""

from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.api_server.retries import pause_before_retry, retry_after

DATE = {"Date": "Thu, 26 Nov 2026 10:00:00 GMT"}


def busy(status: int = 503, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("Thu, 26 Nov 2026 10:01:30 GMT", 90),
        ("Thursday, 26-Nov-26 10:01:30 GMT", 90),
        ("Thu Nov 26 10:01:30 2026", 90),
        ("Thu, 26 Nov 2026 12:01:30 +0200", 90),
        ("Thu, 26 Nov 2026 09:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("\u0661", None),
        ("Thu, 26 Nov 99999999999 10:00:00 GMT", None),
        ("Thu, 26 Nov 2026 99:00:00 GMT", None),
    ],
)
def test_a_server_says_when_to_come_again_in_seconds_or_by_its_own_clock(text: str, seconds: float | None) -> None:
    response = httpx.Response(503, headers=[(b"Retry-After", text.encode()), (b"Date", DATE["Date"].encode())])
    assert retry_after(response) == seconds


def test_a_server_without_a_clock_is_taken_to_have_ours() -> None:
    assert retry_after(busy(Retry_After="Fri, 31 Dec 9999 23:59:59 GMT")) > timedelta(days=365).total_seconds()  # type: ignore[operator]
    assert retry_after(busy(Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")) == 0


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 410])
def test_what_is_no_sign_of_being_busy_is_final_whatever_it_says(status: int) -> None:
    assert pause_before_retry("GET", busy(status, Retry_After="1"), 1) is None


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_what_the_server_asks_for_is_done_ten_times(status: int) -> None:
    answer = busy(status, Retry_After="7")
    assert [pause_before_retry("DELETE", answer, attempts) for attempts in (1, 10, 11)] == [7, 7, None]


@pytest.mark.parametrize(
    ("method", "outcome", "again"),
    [
        ("GET", busy(429), True),
        ("GET", busy(503), True),
        ("GET", busy(502), True),
        ("GET", busy(504), True),
        ("GET", busy(500), False),
        ("DELETE", busy(429), True),
        ("DELETE", busy(503), True),
        ("DELETE", busy(502), False),
        ("DELETE", busy(504), False),
        ("GET", httpx.ReadError("reset"), True),
        ("GET", httpx.WriteError("reset"), True),
        ("GET", httpx.RemoteProtocolError("closed"), True),
        ("DELETE", httpx.ReadError("reset"), False),
        ("GET", httpx.ConnectError("refused"), False),
        ("GET", httpx.ConnectTimeout("late"), False),
    ],
    ids=str,
)
def test_where_the_server_does_not_say_the_pauses_double_four_times(
    method: str, outcome: httpx.Response | httpx.HTTPError, again: bool
) -> None:
    pauses = [pause_before_retry(method, outcome, attempts) for attempts in range(1, 6)]
    if not again:
        assert pauses == [None] * 5
        return
    for pause, most in zip(pauses, (0.5, 1, 2, 4), strict=False):
        assert pause is not None
        assert most / 2 <= pause <= most
    assert pauses[4] is None


@given(st.text(st.characters(max_codepoint=255), max_size=40), st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_text_is_a_time_or_none(text: str, date: str) -> None:
    response = httpx.Response(
        503, headers=[(b"Retry-After", text.encode("latin-1")), (b"Date", date.encode("latin-1"))]
    )
    seconds = retry_after(response)
    assert seconds is None or seconds >= 0
