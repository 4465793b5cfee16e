"""Handle failed operations: report the reason, and take over a Helm release if that is safe."""

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
    """Create a hook that reports what failed, its last status and what to run next. ``name`` is unique in a program.

    If a Helm release is in the cluster but not in the state, and its record matches the stack, the hook deletes the
    record and lets Pulumi retry once. Without ``cluster`` it reads no API server.
    """

    async def explain(args: pulumi.ErrorHookArgs) -> bool:
        inputs = await _with_secrets(dict(args.new_inputs or args.old_inputs or {}))
        error = args.errors[0] if args.errors else ""
        if args.failed_operation == "delete":
            if args.type == _RELEASE and "release: not found" in error:
                pulumi.log.error(
                    f"Helm release {args.name} no longer exists: run `pulumi refresh` to update the state, then retry"
                )
            return False
        if args.type == _RELEASE:
            return len(args.errors) == 1 and await _take_over(cluster, args.name, inputs, error)
        if "metadata" in inputs:
            pulumi.log.error(failure_message(args.name, inputs, error, await _last_status(cluster, inputs, error)))
        return False  # no retry: Kubernetes retries by itself

    return pulumi.ErrorHook(name, explain)


async def _with_secrets(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what a hook is given with the texts of secrets, which are Outputs in it (pulumi 3.259, _callbacks.py)."""
    return await pulumi.Output.from_input(inputs).future(with_unknowns=True) or {}


async def _last_status(cluster: Cluster | None, manifest: dict[str, Any], error: str) -> str:
    if cluster is None or failure_of(error) is not Failure.NOT_READY:
        return ""
    try:
        async with connect(cluster) as connection:
            return await last_status(connection, manifest)
    except InputError:
        return ""  # Pulumi's own error says that the cluster is unreachable


async def _take_over(cluster: Cluster | None, name: str, release: dict[str, Any], error: str) -> bool:
    """Try to take over the release; return whether to retry, otherwise report how to fix it."""
    if cluster is None:
        return False
    try:
        async with connect(cluster) as connection:
            return await take_over(connection, release, error, pulumi.log.warn, pulumi.log.error)
    except InputError as failure:
        pulumi.log.error(f"operator {name}: {failure}")
        return False
