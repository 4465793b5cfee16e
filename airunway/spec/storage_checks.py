"""Checks of ``model.storage``: those of the KubeAIRunway webhook (upstream's release 0.7.0)."""

import posixpath
from collections.abc import Iterator

from airunway.spec.model import MAX_VOLUMES, SYSTEM_PATHS, ModelDeploymentSpec, Source, StorageVolume, VolumePurpose
from airunway.spec.quantities import size_problem
from airunway.text.problems import Problem, format_value

FIELD = "model.storage.volumes"


def storage_problems(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """Problems with volumes and with what they have in common."""
    volumes = spec.model.volumes
    if len(volumes) > MAX_VOLUMES:
        yield Problem(FIELD, f"{len(volumes)} given, must be at most {MAX_VOLUMES}")
    for index, volume in enumerate(volumes):
        field, earlier = f"{FIELD}[{index}]", volumes[:index]
        yield from _claim_problems(volume, field)
        yield from _path_problems(volume, field)
        if volume.name in [other.name for other in earlier]:
            yield Problem(f"{field}.name", f"{format_value(volume.name)} is the name of another volume too")
        if volume.claim_name and volume.claim_name in [other.claim_name for other in earlier]:
            yield Problem(f"{field}.claimName", f"{format_value(volume.claim_name)} is mounted as another volume too")
        if volume.path and _normal(volume.path) in [_normal(other.path) for other in earlier if other.path]:
            yield Problem(f"{field}.mountPath", f"{volume.path} is the path of another volume too; set another one")
        if volume.purpose is not VolumePurpose.CUSTOM and volume.purpose in [other.purpose for other in earlier]:
            yield Problem(f"{field}.purpose", f"another volume has purpose {volume.purpose} already; use custom")


def storage_warnings(spec: ModelDeploymentSpec) -> Iterator[str]:
    """Warnings about volumes that are valid, but may not do what was meant."""
    for index, volume in enumerate(spec.model.volumes):
        cache = volume.purpose is VolumePurpose.MODEL_CACHE
        if cache and volume.read_only and spec.model.source is Source.HUGGINGFACE:
            yield f"{FIELD}[{index}].readOnly: nothing can be downloaded, so the volume must hold the model already"


def is_system_path(path: str) -> bool:
    """Whether a path in a container is the system's, or the root of everything."""
    normal = _normal(path)
    return normal == "/" or any(normal == system or normal.startswith(f"{system}/") for system in SYSTEM_PATHS)


def _claim_problems(volume: StorageVolume, field: str) -> Iterator[Problem]:
    if volume.size is None:
        if volume.claim_name is None:
            yield Problem(f"{field}.claimName", "required, unless size is given and the claim is created")
        for key, value in (("storageClassName", volume.storage_class_name), ("accessMode", volume.access_mode)):
            if value is not None:
                yield Problem(
                    f"{field}.{key}",
                    f"{format_value(str(value))} given, but only a claim that is created takes it: set size",
                )
        return
    problem = size_problem(volume.size)
    if problem:
        yield Problem(f"{field}.size", f"{format_value(volume.size)} given, {problem}")
    if volume.read_only:
        yield Problem(f"{field}.readOnly", "a claim that is created is empty, so it must be writable")


def _path_problems(volume: StorageVolume, field: str) -> Iterator[Problem]:
    path = volume.path
    if path is None:
        yield Problem(f"{field}.mountPath", "required for purpose custom")
    elif not path.startswith("/") or ":" in path or ".." in path.split("/"):
        yield Problem(
            f"{field}.mountPath", f"{format_value(path)} given, must be an absolute path without '..' and ':'"
        )
    elif is_system_path(path):
        yield Problem(
            f"{field}.mountPath", f"{format_value(path)} given, must not be / nor in {', '.join(SYSTEM_PATHS)}"
        )


def _normal(path: str) -> str:
    return posixpath.normpath(f"/{path.lstrip('/')}")
