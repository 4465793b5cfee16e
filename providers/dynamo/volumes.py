"""The volumes of a graph's workers; the frontend loads no model.

Upstream facts: the operator's pods (deploy/operator/internal/dynamo/graph.go and backend_vllm.go, release 1.6) have a
volume with the name of its claim for a compilation cache, and for each claim of a v1alpha1 graph.
"""

import dataclasses
from typing import Any

from airunway.provider.request import Request
from airunway.provider.storage import (
    MountedVolume,
    cache_environment,
    cache_variables,
    mounted_volumes,
    refuse_names,
    refuse_unread_caches,
)
from airunway.provider.supported_fields import Refusals
from airunway.spec.model import Engine, VolumePurpose
from airunway.spec.storage_checks import FIELD
from providers.dynamo import v1alpha1

_RESERVED = ("shared-memory", "wait-leader-script")
"""Names of volumes that the operator adds to pods."""
_LONGEST = 63


def worker_volumes(request: Request) -> tuple[MountedVolume, ...]:
    """The volumes of each worker; a cache whose variable the user sets is an ordinary volume to the operator."""
    engine, own = request.selection.engine, {variable.name for variable in request.spec.env}
    return tuple(
        dataclasses.replace(volume, purpose=VolumePurpose.CUSTOM)
        if cache_variables(engine).get(volume.purpose) in own
        else volume
        for volume in mounted_volumes(request)
    )


def worker_variables(request: Request, volumes: tuple[MountedVolume, ...]) -> list[dict[str, Any]]:
    """The variables for caches among ``volumes``; the operator tells vLLM itself of its compilation cache."""
    engine = request.selection.engine
    by_operator = VolumePurpose.COMPILATION_CACHE if engine is Engine.VLLM else None
    return cache_environment(engine, [v for v in volumes if v.purpose is not by_operator], request.spec)


def check_volumes(request: Request, refusals: Refusals) -> None:
    """Record volumes that a worker can't have."""
    volumes = worker_volumes(request)
    older = request.config.spec.api_version == v1alpha1.API_VERSION
    refuse_unread_caches(refusals, request.selection.engine, volumes)
    refuse_names(refusals, volumes, _RESERVED)
    names = {volume.name: volume.claim for volume in volumes}
    for index, volume in enumerate(volumes):
        field, cache = f"{FIELD}[{index}]", volume.purpose is VolumePurpose.COMPILATION_CACHE
        reason = f"the operator names a volume like its claim, which takes at most {_LONGEST} characters and no dot"
        named_after_claim = older or cache
        refusals.refuse(
            named_after_claim and (len(volume.claim) > _LONGEST or "." in volume.claim), f"{field}.claimName", reason
        )
        clash = cache and not older and names.get(volume.claim, volume.claim) != volume.claim
        refusals.refuse(
            clash, f"{field}.claimName", f"the name of another volume is {volume.claim}; give that another one"
        )
        reason = f"a graph of {v1alpha1.API_VERSION} mounts every volume writable"
        refusals.refuse(older and volume.read_only, f"{field}.readOnly", reason)
