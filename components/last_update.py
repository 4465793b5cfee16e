"""The stack's resources in Pulumi's state after the last update."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from airunway.planning.cluster_identity import IDENTITY

_READ_STATE = "pulumi:pulumi:readStackResourceOutputs"
_PROVIDER = "pulumi:providers:kubernetes"


@dataclass(frozen=True)
class LastUpdate:
    """Type and outputs of each resource, by URN; empty before the first update."""

    resources: Mapping[str, Mapping[str, Any]]

    def outputs(self, type_: str, name: str) -> Iterator[Mapping[str, Any]]:
        """Yield the outputs of the resources with a type and a name."""
        for urn, resource in self.resources.items():
            if resource["type"] == type_ and urn.rsplit("::", 1)[-1] == name:
                yield resource["outputs"]

    @property
    def cluster_uid(self) -> str | None:
        """Uid of the cluster's kube-system namespace; None if it is not in the state."""
        namespace = next(self.outputs("kubernetes:core/v1:Namespace", IDENTITY), {})
        uid = (namespace.get("metadata") or {}).get("uid")
        return None if uid is None else str(uid)

    @property
    def provider(self) -> Mapping[str, Any]:
        """Inputs of the cluster's Pulumi provider."""
        return next(self.outputs(_PROVIDER, "cluster"), {})


# The engine writes the state at the start of an update, and a file backend may then read an empty attributes file:
# "failed to load checkpoint: EOF".
_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


def last_update() -> LastUpdate:
    """Read the current stack's state before this update. Raises ``pulumi.RunError`` if it can't be read.

    The engine supports this call for any stack, including the current one (pulumi 3.259,
    pkg/resource/deploy/builtins.go).
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    error: Exception | None = None
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            answer = pulumi.runtime.invoke(_READ_STATE, {"stackName": stack})
        except Exception as exception:
            error = exception
        else:
            return LastUpdate((answer.value or {}).get("outputs") or {})
    raise pulumi.RunError(f"the state of stack {stack} can't be read: {error}") from error
