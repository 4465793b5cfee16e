"""Helm's records of a release, and taking over a release that the stack's state does not know.

Helm keeps each revision as a Secret. A release whose update was cut off, or that a stack left behind, is in the cluster
but not in Pulumi's state, and Helm refuses to install it: "cannot re-use a name that is still in use". Without its
record Helm installs over what is there, since the objects still say that they are this release's. Nothing that runs is
deleted. Seen with Helm 3.19 in pulumi-kubernetes as of January 2026.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.failures import cause_of
from airunway.live.objects import Release, ReleaseSecret
from airunway.provider.live_object import UnreadableError, read_as
from airunway.selection.provider_config import chart_name

_NAME_IN_USE = "cannot re-use a name that is still in use"
_IN_PROGRESS = "another operation (install/upgrade/rollback) is in progress"
Say = Callable[[str], None]


@dataclass(frozen=True)
class ReleaseRecord:
    """One revision of a release, as its Secret holds it."""

    secret: str
    revision: int
    status: str
    chart: str
    version: str
    values: Mapping[str, Any]


def release_record(secret: Mapping[str, Any]) -> ReleaseRecord:
    """The record in a Secret of type ``helm.sh/release.v1``. Raises ``UnreadableError`` for what is none."""
    try:
        held = read_as(ReleaseSecret, secret)
        release = read_as(Release, _unpacked(held.data.release), "data.release")
    except UnreadableError as error:
        raise UnreadableError(f"is no record of a Helm release: {error}") from error
    chart = release.chart.metadata
    return ReleaseRecord(
        held.metadata.name, release.version, release.info.status, chart.name, chart.version, release.config
    )


def _unpacked(text: str) -> Any:
    """What Helm packed into ``text``. Raises ``UnreadableError``."""
    try:
        return json.loads(gzip.decompress(base64.b64decode(base64.b64decode(text))))
    except (ValueError, OSError, EOFError, zlib.error, RecursionError) as error:
        raise UnreadableError(f"data.release: is not JSON in gzip in base64 twice ({type(error).__name__})") from error


def departures(record: ReleaseRecord, release: Mapping[str, Any]) -> list[str]:
    """In what the record says otherwise than the Release resource ``release`` (its inputs); empty where both are the
    same.
    """
    chart, version, values = chart_name(str(release.get("chart"))), release.get("version"), release.get("values") or {}
    found = []
    if chart is not None and chart != record.chart:
        found.append(f"chart {record.chart}, not {chart}")
    if version is not None and str(version) != record.version:
        found.append(f"version {record.version}, not {version}")
    if values != record.values:
        found.append("other values")
    return found


async def take_over(connection: Connection, release: Mapping[str, Any], error: str, warn: Say, tell: Say) -> bool:
    """Make way for a Release that failed with ``error``, and say whether it is worth another try.

    ``warn`` is told what was done, ``tell`` why nothing was and what a person can do. Raises ``InputError`` where the
    cluster can't be reached.
    """
    namespace, name = str(release["namespace"]), str(release["name"])
    head = f"Helm release {namespace}/{name}"
    if _NAME_IN_USE not in error and _IN_PROGRESS not in error:
        commands = (f"kubectl get pods -n {namespace}", f"helm status -n {namespace} {name}")
        tell("\n  look further: ".join((f"{head} failed: {cause_of(error)}", *commands)))
        return False
    try:
        records = await _records(connection, namespace, name)
    except (ForbiddenError, UnreadableError) as problem:
        tell(f"{head} is there already, and its record can't be read: {problem}\n{_ways_out(namespace, name)}")
        return False
    if not records:
        return True  # it went meanwhile
    newest = records[-1]
    dropped = records if _NAME_IN_USE in error else [r for r in records if r.status.startswith("pending")]
    others = departures(newest, release)
    if others:
        tell(f"{head} is there already ({newest.status}), with {' and '.join(others)}\n{_ways_out(namespace, name)}")
        return False
    warn(f"{head} is there already ({newest.status}) and says what this stack installs; it is taken over")
    for record in dropped:
        await connection.delete("v1", "Secret", namespace, record.secret)
    return True


def _ways_out(namespace: str, name: str) -> str:
    return (
        f"  if it is this stack's: kubectl delete secret -n {namespace} -l owner=helm,name={name} drops Helm's record"
        " of it (nothing that\n  runs is deleted), and the next pulumi up installs over it\n  if it is someone else's:"
        " set installation: existing for its provider"
    )


async def _records(connection: Connection, namespace: str, name: str) -> Sequence[ReleaseRecord]:
    """The release's records, oldest first."""
    secrets = await connection.items("v1", "Secret", namespace, selector=f"owner=helm,name={name}")
    return sorted((release_record(secret) for secret in secrets or []), key=lambda record: record.revision)
