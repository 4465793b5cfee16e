"""What Pulumi says when a model or an image build did not get ready."""

from typing import Any

import pulumi

from providers.failures import failure_message


def failure_hook() -> pulumi.ErrorHook:
    """A hook that adds to Pulumi's error what failed, what was last seen and where to look. Make it once per program."""
    return pulumi.ErrorHook("airunway-failure", _explain)


def _explain(args: pulumi.ErrorHookArgs) -> bool:
    manifest: dict[str, Any] = dict(args.new_inputs or args.old_inputs or {})
    if args.failed_operation != "delete" and "metadata" in manifest:
        pulumi.log.error(failure_message(args.name, manifest, args.errors[0] if args.errors else ""))
    return False  # no retry: Kubernetes goes on trying by itself
