"""Container images, ``REPOSITORY[:TAG][@DIGEST]``: the cluster pulls by the digest, the tag is for people."""

from collections.abc import Mapping

from airunway.text.problems import InputError, Problem


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
