"""What the stack's last update left in Pulumi's state."""

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
    """Type and outputs of each resource, by URN; empty for a stack that was never updated."""

    resources: Mapping[str, Mapping[str, Any]]

    def outputs(self, type_: str, name: str) -> Iterator[Mapping[str, Any]]:
        """Outputs of the resources of a type with a name."""
        for urn, resource in self.resources.items():
            if resource["type"] == type_ and urn.rsplit("::", 1)[-1] == name:
                yield resource["outputs"]

    @property
    def cluster_uid(self) -> str | None:
        """Uid of the cluster's kube-system namespace; None where the last update did not note it."""
        seen = next(self.outputs("kubernetes:core/v1:Namespace", IDENTITY), {})
        uid = (seen.get("metadata") or {}).get("uid")
        return None if uid is None else str(uid)

    @property
    def provider(self) -> Mapping[str, Any]:
        """Settings of the provider that served the cluster."""
        return next(self.outputs(_PROVIDER, "cluster"), {})


# The engine writes the state of an update that has begun at the same moment, and a backend of files then has an empty
# file of attributes to read: "failed to load checkpoint: EOF".
_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


def last_update() -> LastUpdate:
    """Read the current stack's state, as it is before this update. Raises ``pulumi.RunError`` where it can't be read.

    The engine answers this call for any stack (pulumi 3.259, pkg/resource/deploy/builtins.go); a stack may ask for
    itself.
    """
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    error: Exception | None = None
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            answer = pulumi.runtime.invoke(_READ_STATE, {"stackName": stack})
        except Exception as raised:
            error = raised
        else:
            return LastUpdate((answer.value or {}).get("outputs") or {})
    raise pulumi.RunError(f"the state of stack {stack} can't be read: {error}") from error
