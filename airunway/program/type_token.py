"""Pulumi's type tokens, ``PACKAGE:MODULE:NAME``: what kind of resource one means."""

PROVIDER_PREFIX = "pulumi:providers:"


def kind_of(token: str) -> str:
    """The last part of a token: the kind of a Kubernetes object, or the name of a component."""
    return token.rsplit(":", 1)[-1]


def is_provider(token: str) -> bool:
    """Whether the resource is one of Pulumi's providers, by which others reach the cluster."""
    return token.startswith(PROVIDER_PREFIX)


def is_component(token: str) -> bool:
    """Whether the resource is one of our components, which only holds others."""
    return token.startswith("airunway:")
