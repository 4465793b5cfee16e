"""Options of a component's children, made in one place."""

from collections.abc import Sequence

import pulumi


def child_options(
    parent: pulumi.ComponentResource,
    *,
    depends_on: Sequence[pulumi.Resource] = (),
    timeout: str | None = None,
    secrets: Sequence[str] = (),
    protect: bool | None = None,
) -> pulumi.ResourceOptions:
    """Options of a child of ``parent``: the parent and what is asked for here, never what the caller gave the component.

    ``timeout`` is for creating and updating, in Go's notation. ``secrets`` names outputs to encrypt. ``protect`` is the
    parent's unless given.
    """
    return pulumi.ResourceOptions(
        parent=parent,
        depends_on=list(depends_on),
        custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout) if timeout else None,
        additional_secret_outputs=list(secrets) or None,
        protect=protect,
    )
