"""Events in words: how long ago, and a warning in one line."""

from datetime import datetime
from typing import Any

from airunway.live.events import Event


def age(at: datetime, now: datetime) -> str:
    """How long ago something was, in the largest unit that it has at least two of; "" where that is unknown."""
    if at.year == 1:
        return ""
    seconds = max(0, int((now - at).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def warning_line(event: Event, now: datetime, most: int) -> str:
    """A warning with its reason, message, age and count; the message is cut to give ``most`` characters in all."""
    since, times = age(event.at, now), f"×{event.times:,}" if event.times > 1 else ""
    seen = ", ".join(text for text in (f"{since} ago" if since else "", times) if text)
    end = f" ({seen})" if seen else ""
    text = f"{event.reason}: {event.message}" if event.message else event.reason
    room = max(most - len(end), 1)
    return (text if len(text) <= room else f"{text[: room - 1].rstrip()}…") + end


def event_document(event: Event) -> dict[str, Any]:
    """An event as data; ``lastSeen`` is None where it is unknown."""
    return {
        "reason": event.reason,
        "message": event.message,
        "count": event.times,
        "lastSeen": None if event.at.year == 1 else event.at.isoformat(timespec="seconds"),
        "objects": list(event.objects),
    }
