"""Container images, ``REPOSITORY[:TAG][@DIGEST]``: the cluster pulls by the digest, the tag is for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from airunway.text.problems import InputError, Problem

_IMAGE, _REFERENCE = "image", "reference"


def without_digest(image: str) -> str:
    """The image's repository and tag."""
    return image.partition("@")[0]


def is_release(image: str, release: str) -> bool:
    """Whether the image's tag says that it is of ``release``."""
    tag = without_digest(image).rpartition(":")[2].removeprefix("v")
    return tag == release or tag.startswith(f"{release}-")


def image_of_role(images: Mapping[str, str], role: str) -> str:
    """The image of a provider for ``role``. Raises ``InputError`` if a stack or a document took it out."""
    if role not in images:
        message = f"required, as the provider's spec.images has no {role}; give it there or the image here"
        raise InputError([Problem("engine.image", message)])
    return images[role]


def images_in(value: Any) -> Iterator[str]:
    """The images in an object: what a field ``image`` says, of a container or of an image volume."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == _IMAGE and isinstance(inner, str):
                yield inner
            elif key == _IMAGE and isinstance(inner, Mapping) and isinstance(inner.get(_REFERENCE), str):
                yield inner[_REFERENCE]
            else:
                yield from images_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from images_in(inner)


def with_digests(value: Any, digests: Mapping[str, str]) -> Any:
    """``value`` with the digest behind each image that ``digests`` has; the images are those of ``images_in``."""
    if isinstance(value, list):
        return [with_digests(inner, digests) for inner in value]
    if not isinstance(value, Mapping):
        return value
    changed = {key: with_digests(inner, digests) for key, inner in value.items()}
    image = changed.get(_IMAGE)
    if isinstance(image, str):
        changed[_IMAGE] = with_digest(image, digests)
    elif isinstance(image, dict) and isinstance(image.get(_REFERENCE), str):
        image[_REFERENCE] = with_digest(image[_REFERENCE], digests)
    return changed


def with_digest(image: str, digests: Mapping[str, str]) -> str:
    """``image`` with its digest, if ``digests`` has one."""
    return f"{image}@{digests[image]}" if image in digests else image
