"""The digest of an image, as the pod that built it reported it."""

import re

from airunway.live.api_server.connection import Connection, ForbiddenError
from airunway.live.objects import Pod
from airunway.planning.image_build import NAMESPACE
from airunway.provider.live_object import UnreadableError, read_as
from airunway.text.problems import InputError, Problem

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


async def built_digest(connection: Connection, job: str) -> str:
    """Return the digest in the termination message of a Job's pod that succeeded. Raises ``InputError``."""
    where = f"Job {NAMESPACE}/{job}"
    try:
        found = await connection.items("v1", "Pod", NAMESPACE, selector=f"batch.kubernetes.io/job-name={job}")
        pods = [read_as(Pod, pod) for pod in found or []]
    except (ForbiddenError, UnreadableError) as error:
        raise InputError([Problem(where, f"the digest of its image can't be read from its pods: {error}")]) from error
    for pod in pods:
        for container in pod.status.container_statuses:
            ended = container.state.terminated
            if ended and ended.exit_code == 0 and (digest := _DIGEST.fullmatch(ended.message.strip())):
                return digest[0]
    reason = (
        "no pod of it says which digest its image has, as when a node went away;"
        f" to build the image again: kubectl delete job -n {NAMESPACE} {job} && pulumi up --refresh"
    )
    raise InputError([Problem(where, reason)])
