"""The volumes of a llama.cpp container: AIKit's runner keeps the model that it fetches in one folder."""

from collections.abc import Iterator

from airunway.provider import aikit
from airunway.provider.request import Request
from airunway.provider.storage import MountedVolume, mounted_volumes, refuse_unread_caches
from airunway.provider.supported_fields import Refusals
from airunway.spec.model import Source, VolumePurpose
from airunway.spec.storage_checks import FIELD


def template_volumes(request: Request, refusals: Refusals) -> tuple[MountedVolume, ...]:
    """The volumes of the container; those that llama.cpp could not use are recorded."""
    folder, fetches = str(aikit.aikit_data()["models"]), bool(aikit.model_arguments(request.spec))
    volumes = mounted_volumes(request, folder)
    refuse_unread_caches(refusals, request.selection.engine, volumes)
    paths = [volume.path for volume in volumes]
    for index, volume in enumerate(volumes):
        field, cache = f"{FIELD}[{index}]", volume.purpose is VolumePurpose.MODEL_CACHE
        refusals.refuse(cache and not fetches, f"{field}.purpose", "the image holds the model; use purpose custom")
        elsewhere = cache and fetches and volume.path != folder
        refusals.refuse(elsewhere, f"{field}.purpose", f"llama.cpp's models are in {folder}; leave out mountPath")
        hides = not fetches and not cache and request.spec.model.source is not Source.CUSTOM and volume.path == folder
        refusals.refuse(hides, f"{field}.mountPath", f"the volume would hide the image's model in {folder}")
        refusals.refuse(
            volume.path in paths[:index], f"{field}.mountPath", f"another volume is mounted at {volume.path}"
        )
    return volumes


def sharing_warnings(request: Request) -> Iterator[str]:
    """A warning for a folder of models that is not the deployment's own."""
    folder = str(aikit.aikit_data()["models"])
    for index, volume in enumerate(request.spec.model.volumes):
        cache = volume.purpose is VolumePurpose.MODEL_CACHE or volume.mount_path == folder
        if cache and volume.size is None and not volume.read_only:
            yield (
                f"{FIELD}[{index}].claimName: AIKit's runner keeps one model in a volume, and deletes the GGUF files of"
                " another deployment that it finds there"
            )
