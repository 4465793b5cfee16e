"""Pulumi's type tokens, ``PACKAGE:MODULE:NAME``."""

PROVIDER_PREFIX = "pulumi:providers:"
MODEL_DEPLOYMENT = "airunway:index:ModelDeployment"


def kind_of(token: str) -> str:
    """Return the last part of a token: the kind of a Kubernetes object or the name of a component."""
    return token.rsplit(":", 1)[-1]


def is_provider(token: str) -> bool:
    """Whether the resource is a Pulumi provider."""
    return token.startswith(PROVIDER_PREFIX)


def is_component(token: str) -> bool:
    """Whether the resource is an airunway component."""
    return token.startswith("airunway:")


def is_kubernetes(token: str) -> bool:
    """Whether the resource is a Kubernetes object."""
    return token.startswith("kubernetes:")
