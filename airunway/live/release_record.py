"""Helm's release records, and taking over a release that is missing in the stack's state.

Helm stores each revision as a Secret. A release whose update was interrupted, or that a stack left behind, is in the
cluster but not in Pulumi's state, and Helm refuses to install it: "cannot re-use a name that is still in use". Without
its record Helm installs over the existing objects, which are still labelled as this release's. Nothing that runs is
deleted. Observed with Helm 3.19 in pulumi-kubernetes as of January 2026.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.live.api_server.bounded_answers import MAX_BYTES
from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.bounded_gzip import InvalidGzipError, gunzip
from airunway.live.failures import cause_of
from airunway.live.objects import Release, ReleaseSecret
from airunway.provider.live_object import UnreadableError, read_as
from airunway.selection.provider_config import chart_name

_NAME_IN_USE = "cannot re-use a name that is still in use"
_IN_PROGRESS = "another operation (install/upgrade/rollback) is in progress"
Log = Callable[[str], None]


@dataclass(frozen=True)
class ReleaseRecord:
    """One revision of a release, from its Secret."""

    secret: str
    revision: int
    status: str
    chart: str
    version: str
    values: Mapping[str, Any]


def release_record(secret: Mapping[str, Any]) -> ReleaseRecord:
    """Read the record in a Secret of type ``helm.sh/release.v1``. Raises ``UnreadableError`` for an invalid one."""
    try:
        model = read_as(ReleaseSecret, secret)
        release = read_as(Release, _decode(model.data.release), "data.release")
    except UnreadableError as error:
        raise UnreadableError(f"is not a Helm release record: {error}") from error
    chart = release.chart.metadata
    return ReleaseRecord(
        model.metadata.name, release.version, release.info.status, chart.name, chart.version, release.config
    )


def _decode(text: str) -> Any:
    """Decode the data that Helm packed into ``text``. Raises ``UnreadableError``."""
    try:
        return json.loads(gunzip(base64.b64decode(base64.b64decode(text)), MAX_BYTES))
    except InvalidGzipError as error:
        raise UnreadableError(f"data.release: {error}, must be gzipped JSON in double base64") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"data.release: is not gzipped JSON in double base64 ({type(error).__name__})") from error


def differences(record: ReleaseRecord, release: Mapping[str, Any]) -> list[str]:
    """List how the record differs from the inputs of a Release resource."""
    chart, version, values = chart_name(str(release.get("chart"))), release.get("version"), release.get("values") or {}
    differences = []
    if chart is not None and chart != record.chart:
        differences.append(f"chart {record.chart}, not {chart}")
    if version is not None and str(version) != record.version:
        differences.append(f"version {record.version}, not {version}")
    if values != record.values:
        differences.append("different values")
    return differences


async def take_over(connection: Connection, release: Mapping[str, Any], error: str, warn: Log, report: Log) -> bool:
    """Prepare to retry a Release that failed with ``error``; return whether to retry.

    ``warn`` gets what was done, ``report`` why nothing was done and how to fix it. Raises ``InputError`` if the cluster
    can't be reached.
    """
    namespace, name = str(release["namespace"]), str(release["name"])
    head = f"Helm release {namespace}/{name}"
    if _NAME_IN_USE not in error and _IN_PROGRESS not in error:
        commands = (f"kubectl get pods -n {namespace}", f"helm status -n {namespace} {name}")
        report("\n  run: ".join((f"{head} failed: {cause_of(error)}", *commands)))
        return False
    try:
        records = await _records(connection, namespace, name)
    except (ForbiddenError, UnreadableError) as failure:
        report(f"{head} already exists, and its record can't be read: {failure}\n{_fixes(namespace, name)}")
        return False
    if not records:
        return True  # it was deleted meanwhile
    newest = records[-1]
    obsolete = records if _NAME_IN_USE in error else [r for r in records if r.status.startswith("pending")]
    mismatches = differences(newest, release)
    if mismatches:
        report(f"{head} already exists ({newest.status}) with {' and '.join(mismatches)}\n{_fixes(namespace, name)}")
        return False
    warn(f"{head} already exists ({newest.status}) and matches this stack; it is taken over")
    for record in obsolete:
        await connection.delete("v1", "Secret", namespace, record.secret)
    return True


def _fixes(namespace: str, name: str) -> str:
    return (
        f"  if it belongs to this stack: run kubectl delete secret -n {namespace} -l owner=helm,name={name} to delete"
        " Helm's record\n  (nothing that runs is deleted), then run pulumi up again\n  if it does not: set"
        " installation: existing for its provider"
    )


async def _records(connection: Connection, namespace: str, name: str) -> Sequence[ReleaseRecord]:
    """Read the release's records, oldest first."""
    secrets = await connection.items("v1", "Secret", namespace, selector=f"owner=helm,name={name}")
    return sorted((release_record(secret) for secret in secrets or []), key=lambda record: record.revision)
