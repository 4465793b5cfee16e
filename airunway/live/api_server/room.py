"""How much of a list is read: bytes, and values, which take many times more memory than bytes of JSON."""

from pathlib import Path

from airunway.live.api_server.responses import InvalidResponseError
from airunway.text.yaml_reading import load_data

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
_BYTES, _VALUES = int(_LIMITS["listBytes"]), int(_LIMITS["listValues"])


class Room:
    """What is left to read of one list, or of one other answer."""

    def __init__(self) -> None:
        self._bytes, self._values = _BYTES, _VALUES

    def take(self, content: bytes) -> None:
        """Count an answer before it is parsed. Raises ``InvalidResponseError`` if there is no room for it.

        Each value stands after one of three characters; where these are text, they are counted as well.
        """
        self._bytes -= len(content)
        self._values -= sum(map(content.count, (b",", b"[", b"{")))
        if self._bytes < 0:
            raise InvalidResponseError(f"it answers with more than {_BYTES:,} bytes, the most that is read")
        if self._values < 0:
            raise InvalidResponseError(f"it answers with more than {_VALUES:,} values, the most that is read")
