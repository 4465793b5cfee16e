"""Container images, ``REPOSITORY[:TAG][@DIGEST]``: the cluster pulls by the digest, the tag is for people."""


def without_digest(image: str) -> str:
    """The image's repository and tag."""
    return image.partition("@")[0]


def is_release(image: str, release: str) -> bool:
    """Whether the image's tag says that it is of ``release``."""
    tag = without_digest(image).rpartition(":")[2].removeprefix("v")
    return tag == release or tag.startswith(f"{release}-")
