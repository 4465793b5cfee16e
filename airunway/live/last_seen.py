"""What a live object's status says at the moment when an update of it failed."""

from collections.abc import Mapping
from typing import Any

from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.objects import Pod
from airunway.live.status import observe, observer_of
from airunway.provider.live_object import UnreadableError, read_as
from airunway.provider.observation import failure_message, read_conditions
from airunway.text.problems import InputError


async def last_seen(connection: Connection, manifest: Mapping[str, Any]) -> str:
    """The status in one line of the object that ``manifest`` describes; empty where nothing can be read or told."""
    kind, metadata = str(manifest["kind"]), manifest["metadata"]
    try:
        live = await connection.object(str(manifest["apiVersion"]), kind, metadata["namespace"], metadata["name"])
        if live is None:
            return "it is not in the cluster"
        if observer := observer_of(manifest):
            seen = observe(live, observer)
            return f"{seen.phase}: {seen.message or failure_message(seen.conditions)}".removesuffix(": ")
        if kind == "Job":
            return await _job_log(connection, metadata) or complaint_of(live)
        return complaint_of(live)
    except UnreadableError as error:
        return f"its status can't be read: {error}"
    except (ForbiddenError, InputError):
        return ""


def complaint_of(obj: Mapping[str, Any]) -> str:
    """The message of the first condition that says that something is wrong. Raises ``UnreadableError``."""
    conditions = read_conditions(obj)
    wrong = next((c.message for c in conditions if c.type in ("Failed", "FailureTarget") and c.status == "True"), "")
    return wrong or failure_message(conditions)


async def _job_log(connection: Connection, metadata: Mapping[str, Any]) -> str:
    """The last lines that a failed pod of the Job wrote, which the kubelet keeps as its termination message."""
    pods = await connection.items(
        "v1", "Pod", metadata["namespace"], selector=f"batch.kubernetes.io/job-name={metadata['name']}"
    )
    ended = [status.state.terminated for pod in pods or [] for status in read_as(Pod, pod).status.container_statuses]
    failed = [end for end in ended if end and end.exit_code]
    if not failed:
        return ""
    last = max(failed, key=lambda end: end.finished_at)
    return f"exit code {last.exit_code}: {' '.join((last.message or 'no message').split())}"
