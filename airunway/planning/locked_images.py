"""Deploys the digests of images that the project's lock names."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from airunway.assessment.model_lock import LOCK_FILE, ModelLock
from airunway.planning.settings import BUILD_DATA, RegistrySettings, StackSettings
from airunway.provider.image_references import images_in, with_digest, with_digests
from airunway.provider.request import Rendered
from airunway.text.problems import InputError, Problem


def pin_images(
    rendered: Rendered, lock: ModelLock | None, *, required: bool, built: str | None = None
) -> tuple[Rendered, Mapping[str, str]]:
    """``rendered`` with the lock's digests behind its images, and these digests by image.

    The digest of the image that the stack builds, ``built``, is known when it is there. Raises ``InputError`` if the
    lock has images, lacks one and ``required`` says so. A lock that has none is of before, and says nothing of images.
    """
    if lock is None or lock.images is None:
        return rendered, {}
    objects = [rendered.resource, *rendered.supporting]
    used = [image for image in dict.fromkeys(images_in(objects)) if image != built]
    if required and (problems := [_missing("image", image) for image in _unlocked(used, lock)]):
        raise InputError(problems)
    resource, *supporting = with_digests(objects, lock.images)
    pinned = replace(rendered, resource=resource, supporting=tuple(supporting))
    if not used and built is None:
        warning = f"image: {LOCK_FILE} can't fix it, as an operator or a controller in the cluster chooses it"
        pinned = replace(pinned, warnings=(*pinned.warnings, warning))
    return pinned, {image: lock.images[image] for image in used if image in lock.images}


def pin_builders(settings: StackSettings, lock: ModelLock | None) -> StackSettings:
    """``settings`` with the lock's digests behind the images that build and keep images."""
    if lock is None or not lock.images:
        return settings
    images = dict(builder_images(settings))
    builder = settings.builder.model_copy(update={"image": with_digest(images[_BUILDER], lock.images)})
    registry = settings.registry
    if registry.managed:
        image = with_digest(images[_REGISTRY], lock.images)
        registry = RegistrySettings(managed=registry.managed.model_copy(update={"image": image}))
    return settings.model_copy(update={"builder": builder, "registry": registry})


def builder_problems(settings: StackSettings, lock: ModelLock | None) -> list[Problem]:
    """Problems with images that build and keep images, and that a required lock with images lacks."""
    if lock is None or lock.images is None or not settings.locked:
        return []
    return [_missing(field, image) for field, image in builder_images(settings) if [*_unlocked([image], lock)]]


_BUILDER, _REGISTRY = "builder.image", "registry.managed.image"


def builder_images(settings: StackSettings) -> Iterator[tuple[str, str]]:
    """The images of what builds and keeps images in the cluster, by the settings that name them."""
    yield _BUILDER, settings.builder.image or BUILD_DATA["builder"]["image"]
    if settings.registry.managed:
        yield _REGISTRY, settings.registry.managed.image or BUILD_DATA["registry"]["image"]


def _unlocked(images: list[str], lock: ModelLock) -> Iterator[str]:
    yield from (image for image in images if "@" not in image and image not in lock.digests)


def _missing(field: str, image: str) -> Problem:
    return Problem(field, f"{image} is not in {LOCK_FILE}, which airunway:locked requires; run: airunway lock")
