"""``models.lock.yaml``: which commit of each model a project serves, and which digest of each image.

``airunway lock`` writes it from a model hub and from registries; everything else only reads it.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from airunway.assessment.architecture import Architecture
from airunway.spec.model import StrictModel, Text

LOCK_FILE = "stacks/models.lock.yaml"
"""Path of the file in a project."""
_MAIN = "main"

TaggedImage = Annotated[str, StringConstraints(pattern=r"^[^\s@]+$")]
"""An image without a digest, as a stack or a provider's document names it."""
ImageDigest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""What a registry has for a tag: of an image for several platforms, the digest of their index."""


class LockedFile(StrictModel):
    """One file of a model's repository."""

    path: Text = Field(description="Path in the repository.")
    bytes: int = Field(ge=0, description="Its size.")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="Digest of a file in large-file storage.")


class LockedModel(StrictModel):
    """One model at one commit."""

    revision: str = Field(pattern=r"^[0-9a-f]{40,64}$", description="Commit.")
    license: Text | None = Field(None, description="Licence, as the hub names it.")
    gated: bool = Field(False, description="Whether only accounts that accepted its terms get it.")
    weights: dict[str, int] = Field(
        {}, description="Number of weights by their type in safetensors files, such as BF16."
    )
    architecture: Architecture | None = Field(None, description="Facts of its config.json.")
    files: list[LockedFile] = Field([], description="Its files, by path.")

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)


class ModelLock(StrictModel):
    """The lock of a project. A model's key is its id, or ``ID@REVISION`` where an entry asks for another than main."""

    models: dict[str, LockedModel] = Field({}, description="Models by id.")
    images: dict[TaggedImage, ImageDigest] | None = Field(
        None, description="Digests of images, by REPOSITORY:TAG. Without it, the lock says nothing of images."
    )

    def model(self, model_id: str, requested: str | None) -> LockedModel | None:
        """The locked model that an entry asks for; None if the lock lacks it."""
        return self.models.get(lock_key(model_id, requested))

    @property
    def digests(self) -> Mapping[str, str]:
        """Digests of images; empty if the lock says nothing of images."""
        return self.images or {}


def lock_key(model_id: str, requested: str | None) -> str:
    """The key of a model in the lock."""
    return model_id if requested in (None, _MAIN) else f"{model_id}@{requested}"


def parts_of(key: str) -> tuple[str, str]:
    """The id of a model and the revision that is asked for, of a key in the lock."""
    model_id, _, requested = key.partition("@")
    return model_id, requested or _MAIN


def short_digest(digest: str) -> str:
    """A digest as people compare it."""
    return digest[: len("sha256:") + 12]
