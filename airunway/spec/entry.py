"""One model deployment of a stack: the fields of a ModelDeployment's ``spec`` and the entry's own fields."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from airunway.spec.durations import Duration
from airunway.spec.model import ModelDeploymentSpec, enum_validator
from airunway.text.names import DNS_LABEL

DnsLabel = Annotated[str, Field(pattern=DNS_LABEL, max_length=63)]


RESERVED_DOMAINS = ("airunway.ai", "kubeairunway.ai", "kubectl.kubernetes.io", "pulumi.com")
"""Domains of labels and annotations that tools write for themselves."""


def is_reserved(key: str) -> bool:
    """Whether a label or an annotation belongs to a tool that writes it itself."""
    domain = key.rpartition("/")[0]
    return any(domain == reserved or domain.endswith(f".{reserved}") for reserved in RESERVED_DOMAINS)


def _not_reserved(metadata: dict[str, str]) -> dict[str, str]:
    reserved = [key for key in metadata if is_reserved(key)]
    if reserved:
        raise ValueError(f"{', '.join(reserved)} given, but {', '.join(RESERVED_DOMAINS)} are written by the tools")
    return metadata


UserMetadata = Annotated[dict[str, str], AfterValidator(_not_reserved)]
"""Labels or annotations that a user may set."""


class Delivery(StrEnum):
    """How a deployment reaches the cluster: as its provider's object, or as a ModelDeployment for the controller."""

    DIRECT = "direct"
    MODELDEPLOYMENT = "modeldeployment"


class DeploymentEntry(ModelDeploymentSpec):
    """One model deployment of a stack: a name and the fields of a ModelDeployment's spec."""

    name: DnsLabel = Field(
        description="Name of the deployment, of its upstream object and of its entry in the outputs."
    )
    namespace: DnsLabel | None = Field(None, description="Namespace. Default: the stack's.")
    labels: UserMetadata = Field({}, description="Labels of its upstream object, such as kueue.x-k8s.io/queue-name.")
    annotations: UserMetadata = Field({}, description="Annotations of its upstream object.")
    ready_timeout: Duration | None = Field(
        None, description="How long `pulumi up` waits until it serves, such as 45m. Default: the stack's."
    )
    skip_await: bool = Field(False, description="Do not wait until it serves.")
    take_over: bool = Field(
        False,
        description=(
            "Take over fields of its upstream object that others wrote, such as kubectl, instead of failing with a"
            " conflict."
        ),
    )
    delivery: Annotated[Delivery, enum_validator(Delivery)] | None = Field(
        None,
        description=(
            "direct: the provider's object; modeldeployment: a ModelDeployment for the cluster's controller. Default:"
            " the stack's."
        ),
    )


ENTRY_FIELDS = frozenset(
    field.alias or name
    for name, field in DeploymentEntry.model_fields.items()
    if name not in ModelDeploymentSpec.model_fields
)
"""An entry's own fields, which a ModelDeployment does not have."""
