"""Reads volumes of live pods back into ``model.storage``; the inverse of ``storage``."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from airunway.provider.live_pod import PodVolume, VolumeMount
from airunway.provider.storage import MountedVolume, cache_variables, expected_environment
from airunway.spec.model import MAX_VOLUMES, MOUNT_PATHS, Engine, VolumePurpose
from airunway.spec.storage_checks import is_system_path
from airunway.text.merge import non_empty


def read_mounts(volumes: Iterable[PodVolume], mounts: Iterable[VolumeMount]) -> tuple[MountedVolume, ...]:
    """The claims that a container mounts, each once; the rest is no volume of ``model.storage``."""
    claims = {v.name: v.persistent_volume_claim.claim_name for v in volumes if v.persistent_volume_claim}
    return valid_volumes(
        MountedVolume(mount.name, claims[mount.name], mount.mount_path, read_only=mount.read_only)
        for mount in mounts
        if mount.name in claims and not mount.sub_path
    )


def valid_volumes(volumes: Iterable[MountedVolume]) -> tuple[MountedVolume, ...]:
    """The volumes that ``model.storage`` can hold: each name, claim and path once, and no path of the system."""
    valid: list[MountedVolume] = []
    for volume in volumes:
        alike = any(v.name == volume.name or v.claim == volume.claim or v.path == volume.path for v in valid)
        if not alike and _is_valid_path(volume.path):
            valid.append(volume)
    return tuple(valid[:MAX_VOLUMES])


def _is_valid_path(path: str) -> bool:
    return path.startswith("/") and ":" not in path and ".." not in path.split("/") and not is_system_path(path)


def read_storage(
    volumes: Sequence[MountedVolume], engine: Engine, env: Sequence[Mapping[str, Any]], own: Collection[str] = ()
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The section ``storage`` of the model, and ``env`` without the variables that renderers append for it.

    Those in ``own`` are known to be the user's.
    """
    purposed = tuple(_with_purposes(volumes, engine, env))
    variables = [dict(variable) for variable in env]
    for variable in reversed(expected_environment(engine, purposed)):
        if variables[-1:] == [variable] and variable["name"] not in own:
            variables.pop()
    return non_empty(volumes=[_fields(volume) for volume in purposed]), variables


def _with_purposes(
    volumes: Sequence[MountedVolume], engine: Engine, env: Sequence[Mapping[str, Any]]
) -> Iterator[MountedVolume]:
    """The volumes with the purposes that the engine's variables give them."""
    paths = {variable["name"]: variable.get("value") for variable in env}
    known = [volume.purpose for volume in volumes]
    caches = [(paths.get(name), purpose) for purpose, name in cache_variables(engine).items() if purpose not in known]
    purposes = dict(reversed(caches))  # of two with the same path the first
    for volume in volumes:
        purpose = purposes.get(volume.path, volume.purpose)
        unwritable = purpose is VolumePurpose.COMPILATION_CACHE and volume.read_only
        fixed = volume.purpose is not VolumePurpose.CUSTOM or unwritable
        yield volume if fixed else dataclasses.replace(volume, purpose=purpose)


def _fields(volume: MountedVolume) -> dict[str, Any]:
    custom = volume.purpose is VolumePurpose.CUSTOM
    return {
        "name": volume.name,
        "claimName": volume.claim,
        **({} if custom else {"purpose": str(volume.purpose)}),
        **({} if volume.path == MOUNT_PATHS.get(volume.purpose) else {"mountPath": volume.path}),
        **({"readOnly": True} if volume.read_only else {}),
    }
