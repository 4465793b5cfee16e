"""Which requests are sent again, and after how long.

As client-go (0.36) does where the server says when to come again, and with growing pauses where it does not: a proxy
before the API server often says nothing.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from random import SystemRandom

import httpx

from airunway.text.yaml_reading import load_data

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
_ASKED, _RETRIES = int(_LIMITS["askedRetries"]), int(_LIMITS["retries"])
_FIRST_PAUSE = float(_LIMITS["firstPauseSeconds"])
_BUSY, _GATEWAY = (429, 503), (502, 504)
_LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_RANDOM = SystemRandom()


def pause_before_retry(method: str, outcome: httpx.Response | httpx.HTTPError, attempts: int) -> float | None:
    """Return the seconds until a request that ended with ``outcome`` is sent again; None if it is not.

    ``attempts`` is how often it was sent. What a lost connection or a gateway leaves undone is known of no method but
    GET.
    """
    if isinstance(outcome, httpx.Response):
        asked = retry_after(outcome)
        if asked is not None:
            return asked if attempts <= _ASKED else None
        again = outcome.status_code in _BUSY or (method == "GET" and outcome.status_code in _GATEWAY)
    else:
        again = method == "GET" and isinstance(outcome, _LOST)
    return _pause(attempts) if again and attempts <= _RETRIES else None


def _pause(attempts: int) -> float:
    """Return a pause that doubles with each attempt; half of it is chance, so that clients don't come all at once."""
    return float(_FIRST_PAUSE * 2 ** (attempts - 1) * _RANDOM.uniform(0.5, 1))


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that a busy server asks to wait; None if it is not busy or does not say.

    A date counts from the server's own clock.
    """
    text = response.headers.get("retry-after", "")
    if response.status_code not in _BUSY and not response.is_server_error:
        return None
    if text.isascii() and text.isdecimal():
        return float(text)
    at = _moment(text)
    if at is None:
        return None
    now = _moment(response.headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (at - now).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
