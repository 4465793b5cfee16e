"""Times as Kubernetes writes them."""

from datetime import UTC, datetime

NEVER = datetime.min.replace(tzinfo=UTC)
"""The moment of what has none, or none that can be read."""


def moment(text: str) -> datetime:
    """Read an RFC 3339 time; one without a zone is in UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return NEVER
    return read if read.tzinfo else read.replace(tzinfo=UTC)
