"""``model.storage``: the claims of its volumes, and their mounts in the pods that load the model."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from airunway.provider.request import Request
from airunway.provider.supported_fields import Refusals
from airunway.provider.workers import workers_by_role
from airunway.spec.model import AccessMode, Engine, ModelDeploymentSpec, StorageVolume, VolumePurpose
from airunway.spec.storage_checks import FIELD
from airunway.text.merge import non_empty
from airunway.text.problems import Problem, format_value
from airunway.text.yaml_reading import load_data

STORAGE_FIELDS = frozenset(
    f"{FIELD}[].{name}"
    for name in ("name", "claimName", "mountPath", "purpose", "readOnly", "size", "storageClassName", "accessMode")
)
"""The fields that ``mounted_volumes`` and ``storage_claims`` render."""

ONE_NODE = (AccessMode.READ_WRITE_ONCE, AccessMode.READ_WRITE_ONCE_POD)
"""Access modes of volumes that one node at a time can mount."""


@dataclass(frozen=True)
class MountedVolume:
    """A volume of a pod: its name there, its claim, and where the container that loads the model has it."""

    name: str
    claim: str
    path: str
    purpose: VolumePurpose = VolumePurpose.CUSTOM
    read_only: bool = False


@cache
def cache_variables(engine: Engine) -> Mapping[VolumePurpose, str]:
    """The environment variables that tell ``engine`` where its caches are, by purpose."""
    variables = load_data(Path(__file__).with_suffix(".yaml"))[engine]
    return {VolumePurpose(purpose): name for purpose, name in variables.items()}


def claim_name(volume: StorageVolume, owner: str) -> str:
    """The claim of ``volume``: the one that it names, else the one that is created for the object ``owner``."""
    return volume.claim_name or f"{owner}-{volume.name}"


def mounted_volumes(request: Request, cache_path: str | None = None) -> tuple[MountedVolume, ...]:
    """The volumes of a deployment. ``cache_path`` is where the engine expects a modelCache, if it can't be told."""
    return tuple(
        MountedVolume(
            volume.name,
            claim_name(volume, request.name),
            (cache_path if _is_cache(volume) and not volume.mount_path else None) or str(volume.path),
            volume.purpose,
            volume.read_only,
        )
        for volume in request.spec.model.volumes
    )


def _is_cache(volume: StorageVolume) -> bool:
    return volume.purpose is VolumePurpose.MODEL_CACHE


def cache_environment(
    engine: Engine, volumes: Sequence[MountedVolume], spec: ModelDeploymentSpec
) -> list[dict[str, Any]]:
    """The variables that tell ``engine`` of its caches among ``volumes``, unless the user sets them."""
    own = {variable.name for variable in spec.env}
    return [variable for variable in expected_environment(engine, volumes) if variable["name"] not in own]


def expected_environment(engine: Engine, volumes: Sequence[MountedVolume]) -> list[dict[str, Any]]:
    """The variables that tell ``engine`` of its caches among ``volumes``, the modelCache first."""
    paths = {volume.purpose: volume.path for volume in volumes}
    names = cache_variables(engine)
    return [{"name": name, "value": paths[purpose]} for purpose, name in names.items() if purpose in paths]


def pod_volumes(volumes: Sequence[MountedVolume]) -> list[dict[str, Any]]:
    """The ``volumes`` of a pod spec."""
    return [{"name": v.name, "persistentVolumeClaim": {"claimName": v.claim}} for v in volumes]


def volume_mounts(volumes: Sequence[MountedVolume]) -> list[dict[str, Any]]:
    """The ``volumeMounts`` of a container."""
    return [{"name": v.name, "mountPath": v.path, **non_empty(readOnly=v.read_only or None)} for v in volumes]


def storage_claims(request: Request) -> tuple[dict[str, Any], ...]:
    """The claims to create, which outlive the deployment."""
    return tuple(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": request.metadata | {"name": claim_name(volume, request.name)},
            "spec": {
                "accessModes": [str(volume.created_mode)],
                "resources": {"requests": {"storage": volume.size}},
                **({} if volume.storage_class_name is None else {"storageClassName": volume.storage_class_name}),
            },
        }
        for volume in request.spec.model.volumes
        if volume.size is not None
    )


def claim_problems(volumes: Sequence[StorageVolume], owner: str) -> Iterator[Problem]:
    """Problems with the names of claims, which for those that are created follow from the object ``owner``."""
    existing = {volume.claim_name for volume in volumes if volume.size is None}
    for index, volume in enumerate(volumes):
        created = f"{owner}-{volume.name}"
        if volume.size is None:
            continue
        if volume.claim_name not in (None, created):
            message = (
                f"{format_value(volume.claim_name)} given, but with size the claim is called {created}; leave it out"
            )
            yield Problem(f"{FIELD}[{index}].claimName", message)
        elif created in existing:
            yield Problem(f"{FIELD}[{index}].name", f"makes a claim {created}, which another volume names as existing")


def mode_problems(request: Request) -> Iterator[Problem]:
    """Problems with volumes that the deployment's pods can't mount or write."""
    pods = _pods(request)
    for index, volume in enumerate(request.spec.model.volumes):
        field = f"{FIELD}[{index}]"
        if volume.size and volume.created_mode is AccessMode.READ_WRITE_ONCE_POD and pods > 1:
            yield Problem(f"{field}.accessMode", f"{volume.created_mode} given, but {pods} pods mount the volume")
        if volume.purpose is VolumePurpose.COMPILATION_CACHE and volume.read_only:
            yield Problem(f"{field}.readOnly", "a compilation cache is written by the engine; leave it out")


def mode_warnings(request: Request) -> Iterator[str]:
    """Warnings about volumes that the deployment's pods can mount only on one node."""
    pods = _pods(request)
    for index, volume in enumerate(request.spec.model.volumes):
        if volume.size and volume.created_mode is AccessMode.READ_WRITE_ONCE and pods > 1:
            yield f"{FIELD}[{index}].accessMode: all {pods} pods must run on one node, as only one at a time mounts it"


def _pods(request: Request) -> int:
    return sum(workers.replicas for workers in workers_by_role(request.spec).values())


def refuse_names(refusals: Refusals, volumes: Sequence[MountedVolume], reserved: Collection[str]) -> None:
    """Refuse volumes with names that the provider's own volumes in a pod have."""
    for index, volume in enumerate(volumes):
        reason = f"{volume.name} is the name of a volume that every pod has; valid is any but {', '.join(reserved)}"
        refusals.refuse(volume.name in reserved, f"{FIELD}[{index}].name", reason)


def refuse_unread_caches(refusals: Refusals, engine: Engine, volumes: Sequence[MountedVolume]) -> None:
    """Refuse compilation caches for an engine that can't be told of one."""
    for index, volume in enumerate(volumes):
        unread = volume.purpose is VolumePurpose.COMPILATION_CACHE and volume.purpose not in cache_variables(engine)
        refusals.refuse(unread, f"{FIELD}[{index}].purpose", f"{engine} has no compilation cache; use purpose custom")
