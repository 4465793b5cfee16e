"""The end of a container's log, as the API server passes it on from the node's kubelet."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.missing_rights import LOGS, MissingRightError
from airunway.live.pods import LogSource
from airunway.text.credentials import without_tokens
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import as_last_shown
from airunway.text.yaml_reading import load_data

_LIMITS = load_data(Path(__file__).with_name("limits.yaml"))
LINES, BYTES = int(_LIMITS["logLines"]), int(_LIMITS["logBytes"])


@dataclass(frozen=True)
class Line:
    """A line without control characters and credentials, and when it was written in UTC; "" if that is unknown."""

    date: str
    time: str
    text: str


@dataclass(frozen=True)
class Log:
    """The last lines of a log; ``is_cut`` says that they are longer than is read, so that the newest are missing."""

    lines: tuple[Line, ...]
    is_cut: bool


async def log_of(connection: Connection, namespace: str, pod: str, source: LogSource) -> Log:
    """Read the end of a log. ``pod`` is a pod that was listed. Raises ``InputError``."""
    query = {
        "container": source.container,
        "tailLines": str(LINES),
        "limitBytes": str(BYTES),
        "timestamps": "true",
        **({"previous": "true"} if source.previous else {}),
    }
    try:
        content = await connection.text(f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query)
    except ForbiddenError as error:
        raise MissingRightError(namespace, LOGS, str(error)) from error
    if content is None:
        raise InputError([Problem(f"Pod {namespace}/{pod}", "is gone, or its node does not answer for it")])
    return read_log(content)


def read_log(content: bytes) -> Log:
    """Read what a kubelet sends: lines with their time, of which it cuts the newest at the most bytes (1.36.1)."""
    is_cut = len(content) >= BYTES
    lines = content[:BYTES].decode(errors="replace").split("\n")
    if is_cut or lines[-1] == "":
        lines.pop()  # what is left of a line may be part of a credential
    # Credentials are looked for in all of it, as a private key has many lines.
    text = without_tokens("\n".join(map(_as_last_shown, lines[-LINES:])))
    return Log(tuple(map(_line, text.split("\n"))) if lines else (), is_cut)


def _as_last_shown(line: str) -> str:
    stamp, blank, text = line.partition(" ")
    return f"{stamp} {as_last_shown(text)}" if blank and _moment(stamp) else as_last_shown(line)


def _line(line: str) -> Line:
    stamp, _, text = line.partition(" ")
    at = _moment(stamp)
    return Line(f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}", text) if at else Line("", "", line)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
