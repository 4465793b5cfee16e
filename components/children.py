"""Resource options of a component's children."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi


def child_options(
    parent: pulumi.ComponentResource,
    *,
    depends_on: Sequence[pulumi.Resource] = (),
    timeout: str | None = None,
    secrets: Sequence[str] = (),
    protect: bool | None = None,
    retain_on_delete: bool | None = None,
    delete_before_replace: bool | None = None,
    replace_on_changes: Sequence[str] = (),
    replacement_trigger: str | None = None,
    aliases: Sequence[pulumi.Alias] = (),
    ignore_changes: Sequence[str] = (),
    deleted_with: pulumi.Resource | None = None,
    on_error: pulumi.ErrorHook | None = None,
    after_update: pulumi.ResourceHook | None = None,
) -> pulumi.ResourceOptions:
    """Create the options of a child of ``parent``, without inheriting the options of the component's caller.

    ``timeout`` is for creating and updating, in Go's notation. ``secrets`` names outputs to encrypt. ``protect``
    defaults to the parent's. Another ``replacement_trigger`` replaces the resource. Deleting ``deleted_with`` deletes
    this resource too. ``on_error`` runs when the operation fails, ``after_update`` when an update was applied.
    """
    return pulumi.ResourceOptions(
        parent=parent,
        depends_on=list(depends_on),
        custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout) if timeout else None,
        additional_secret_outputs=list(secrets) or None,
        protect=protect,
        retain_on_delete=retain_on_delete or None,
        delete_before_replace=delete_before_replace,
        replace_on_changes=list(replace_on_changes) or None,
        replacement_trigger=replacement_trigger,
        aliases=list(aliases) or None,
        ignore_changes=list(ignore_changes) or None,
        deleted_with=deleted_with,
        hooks=_hooks(on_error, after_update),
    )


def _hooks(
    on_error: pulumi.ErrorHook | None, after_update: pulumi.ResourceHook | None
) -> pulumi.ResourceHookBinding | None:
    if on_error is None and after_update is None:
        return None
    return pulumi.ResourceHookBinding(
        on_error=[on_error] if on_error else None, after_update=[after_update] if after_update else None
    )


def retained_options(
    parent: pulumi.ComponentResource,
    depends_on: Sequence[pulumi.Resource] = (),
    ignore_changes: Sequence[str] = (),
    on_error: pulumi.ErrorHook | None = None,
) -> pulumi.ResourceOptions:
    """Create the options of a child that is never deleted, such as a namespace."""
    return child_options(
        parent,
        depends_on=depends_on,
        retain_on_delete=True,
        protect=False,
        ignore_changes=ignore_changes,
        on_error=on_error,
    )


def ignored_claim_fields(manifest: Mapping[str, Any]) -> Sequence[str]:
    """Return the fields of a volume claim whose changes are ignored (`airunway/planning/volume_claims.py`)."""
    return ["spec.storageClassName"] if manifest["kind"] == "PersistentVolumeClaim" else []
