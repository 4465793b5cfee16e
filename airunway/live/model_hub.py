"""Asks a model hub for the commit and the files of models, by Hugging Face's own client.

The client reads HF_ENDPOINT, HF_TOKEN or the token of `hf auth login`, and proxies (huggingface_hub 2.4).
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub.errors import GatedRepoError
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from airunway.assessment.architecture import Architecture, parse_architecture
from airunway.assessment.model_lock import LockedFile, LockedModel, parts_of
from airunway.live.hub_client import hub_client
from airunway.live.hub_errors import hub_errors

_SECONDS = 30.0
"""Most time for a part of an answer."""
_LICENSE = "license:"
_CONFIG = "config.json"


def look_up(key: str) -> LockedModel:
    """Return what the hub has of a model now; ``key`` is that of the lock. Raises ``InputError``."""
    model_id, requested = parts_of(key)
    with hub_errors(key, requested):
        found = hub_client().model_info(model_id, revision=requested, timeout=_SECONDS, files_metadata=True)
        return _locked(found, _architecture(model_id, found))


def _architecture(model_id: str, found: ModelInfo) -> Architecture | None:
    """The facts of the model's configuration; None if it has none, or only who accepted its terms may read it."""
    if all(sibling.rfilename != _CONFIG for sibling in found.siblings or ()):
        return None
    with TemporaryDirectory() as folder:
        try:
            path = hub_client().hf_hub_download(model_id, _CONFIG, revision=found.sha, local_dir=folder)
        except GatedRepoError:
            return None
        return parse_architecture(Path(path).read_text(encoding="utf-8"))


def _locked(found: ModelInfo, architecture: Architecture | None) -> LockedModel:
    files = sorted((_file(sibling) for sibling in found.siblings or ()), key=lambda file: file.path)
    weights = dict(found.safetensors.parameters) if found.safetensors else {}
    return LockedModel(
        revision=str(found.sha),
        license=license_of(found.tags),
        gated=bool(found.gated),
        weights=weights,
        architecture=architecture,
        files=files,
    )


def _file(sibling: RepoSibling) -> LockedFile:
    return LockedFile(
        path=sibling.rfilename, bytes=sibling.size or 0, sha256=sibling.lfs.sha256 if sibling.lfs else None
    )


def license_of(tags: Sequence[str] | None) -> str | None:
    """The licence among the tags of a model."""
    return next((tag.removeprefix(_LICENSE) for tag in tags or () if tag.startswith(_LICENSE)), None)
