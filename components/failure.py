"""What happens when an operation failed: the reason is told, and a Helm release is taken over where that is safe."""

from typing import Any

import pulumi

from airunway.live.api_server.connection import connect
from airunway.live.failures import Failure, failure_message, failure_of
from airunway.live.last_status import last_status
from airunway.live.release_record import take_over
from airunway.planning.settings import Cluster
from airunway.text.problems import InputError

_RELEASE = "kubernetes:helm.sh/v3:Release"


def failure_hook(cluster: Cluster | None, name: str = "airunway-failure") -> pulumi.ErrorHook:
    """A hook that adds to Pulumi's error what failed, what was last seen and where to look. A program has one hook of a
    ``name``.

    For a Helm release that is in the cluster but not in the state, it drops Helm's record of it and lets Pulumi try
    once more, where the record says what the stack would install anyway. Without ``cluster`` it asks no API server.
    """

    async def explain(args: pulumi.ErrorHookArgs) -> bool:
        inputs: dict[str, Any] = dict(args.new_inputs or args.old_inputs or {})
        error = args.errors[0] if args.errors else ""
        if args.failed_operation == "delete":
            if args.type == _RELEASE and "release: not found" in error:
                pulumi.log.error(
                    f"Helm release {args.name} is gone already: `pulumi refresh` takes it out of the state, then go on"
                )
            return False
        if args.type == _RELEASE:
            return len(args.errors) == 1 and await _take_over(cluster, args.name, inputs, error)
        if "metadata" in inputs:
            pulumi.log.error(failure_message(args.name, inputs, error, await _last_seen(cluster, inputs, error)))
        return False  # no retry: Kubernetes goes on trying by itself

    return pulumi.ErrorHook(name, explain)


async def _last_seen(cluster: Cluster | None, manifest: dict[str, Any], error: str) -> str:
    if cluster is None or failure_of(error) is not Failure.NOT_READY:
        return ""
    try:
        async with connect(cluster) as connection:
            return await last_status(connection, manifest)
    except InputError:
        return ""  # Pulumi's own error says that the cluster is away


async def _take_over(cluster: Cluster | None, name: str, release: dict[str, Any], error: str) -> bool:
    """Whether to try again, now that the release can be made or changed; where it can't, the way out is told."""
    if cluster is None:
        return False
    try:
        async with connect(cluster) as connection:
            return await take_over(connection, release, error, pulumi.log.warn, pulumi.log.error)
    except InputError as problem:
        pulumi.log.error(f"operator {name}: {problem}")
        return False
