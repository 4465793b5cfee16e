"""Why pods of a deployment do not start, where the status of its object doesn't say it.

KubeRay 1.7.0 says nothing in a RayService of an image that can't be pulled or of GPUs that are missing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.failures import pod_label
from airunway.live.objects import Pod
from airunway.provider.live_object import UnreadableError, read_as
from airunway.text.problems import InputError

_STARTING = ("", "ContainerCreating", "PodInitializing")


async def with_pod_complaint(connection: Connection, manifest: Mapping[str, Any], text: str) -> str:
    """Return ``text`` with the first reason that it lacks why pods of a deployment's object do not start, if any."""
    metadata = manifest["metadata"]
    selector = f"{pod_label(str(manifest['kind']))}={metadata['name']}"
    try:
        pods = await connection.items("v1", "Pod", metadata["namespace"], selector=selector)
        complaint = next(complaints([read_as(Pod, pod) for pod in pods or []], text), "")
    except (ForbiddenError, InputError, UnreadableError):
        return text
    return "; ".join(filter(None, [text, complaint]))


def complaints(pods: Iterable[Pod], known: str) -> Iterator[str]:
    """Yield why pods do not start: containers that wait, and pods without a node; nothing that ``known`` has.

    The newest come first, as pods of an earlier change may still be there.
    """
    for pod in sorted(pods, key=lambda pod: pod.metadata.creation_timestamp, reverse=True):
        if pod.metadata.deletion_timestamp:
            continue
        for container in (*pod.status.init_container_statuses, *pod.status.container_statuses):
            waiting = container.state.waiting
            if waiting and waiting.reason not in _STARTING and waiting.reason not in known:
                reason = f"{waiting.reason}: {' '.join(waiting.message.split())}".removesuffix(": ")
                yield f"container {container.name} of pod {pod.metadata.name}: {reason}"
        for condition in pod.status.conditions:
            if condition.type == "PodScheduled" and condition.status == "False" and condition.message not in known:
                yield f"pod {pod.metadata.name} has no node: {condition.message}"
