"""Describe a live object's status when its update failed."""

from collections.abc import Mapping
from typing import Any

from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.objects import Pod
from airunway.live.pod_complaints import with_pod_complaint
from airunway.live.status import observe, observer_of
from airunway.provider.live_object import UnreadableError, read_as
from airunway.provider.observation import condition_message, read_conditions
from airunway.text.problems import InputError


async def last_status(connection: Connection, manifest: Mapping[str, Any]) -> str:
    """Describe the status of the object of ``manifest`` in one line; empty if it can't be read."""
    kind, metadata = str(manifest["kind"]), manifest["metadata"]
    try:
        live = await connection.object(str(manifest["apiVersion"]), kind, metadata["namespace"], metadata["name"])
        if live is None:
            return "not in the cluster"
        if observer := observer_of(manifest):
            observation = observe(live, observer)
            message = observation.message or condition_message(observation.conditions)
            text = f"{observation.phase}: {message}".removesuffix(": ")
            return await with_pod_complaint(connection, manifest, text)
        if kind == "Job":
            return await _job_log(connection, metadata) or complaint_of(live)
        return complaint_of(live)
    except UnreadableError as error:
        return f"its status can't be read: {error}"
    except (ForbiddenError, InputError):
        return ""


def complaint_of(obj: Mapping[str, Any]) -> str:
    """Return the message of the first condition that reports a problem. Raises ``UnreadableError``."""
    conditions = read_conditions(obj)
    message = next((c.message for c in conditions if c.type in ("Failed", "FailureTarget") and c.status == "True"), "")
    return message or condition_message(conditions)


async def _job_log(connection: Connection, metadata: Mapping[str, Any]) -> str:
    """Return the termination message of the Job's last failed pod, which holds its last log lines."""
    pods = await connection.items(
        "v1", "Pod", metadata["namespace"], selector=f"batch.kubernetes.io/job-name={metadata['name']}"
    )
    terminations = [
        status.state.terminated for pod in pods or [] for status in read_as(Pod, pod).status.container_statuses
    ]
    failed = [termination for termination in terminations if termination and termination.exit_code]
    if not failed:
        return ""
    latest = max(failed, key=lambda termination: termination.finished_at)
    return f"exit code {latest.exit_code}: {' '.join((latest.message or 'no message').split())}"
