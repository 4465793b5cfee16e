"""What the cache of Hugging Face's client has of models: their commits, files and facts, without a network.

The client fills it (`hf download ID`), below HF_HUB_CACHE or HF_HOME; it is read as huggingface_hub 2.4 lays it out.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import (
    CachedRepoInfo,
    CachedRevisionInfo,
    ModelCard,
    constants,
    get_local_safetensors_metadata,
    scan_cache_dir,
)
from huggingface_hub.errors import CacheNotFound, NotASafetensorsRepoError, SafetensorsParsingError

from airunway.assessment.architecture import Architecture, parse_architecture
from airunway.assessment.model_lock import LockedFile, LockedModel, parts_of
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import one_line

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_CONFIG, _CARD = "config.json", "README.md"


class ModelCache:
    """The cache as it is now."""

    def __init__(self) -> None:
        try:
            repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
            self._models = {repo.repo_id: repo for repo in repos if repo.repo_type == "model"}
        except CacheNotFound:
            self._models = {}

    def look_up(self, key: str) -> LockedModel:
        """Return what the cache has of a model; ``key`` is that of the lock. Raises ``InputError``.

        Whether a model is gated is not in the cache.
        """
        model_id, requested = parts_of(key)
        repo = self._models.get(model_id)
        if repo is None:
            raise _problem(key, f"is not in the cache of Hugging Face's client; fetch it: hf download {model_id}")
        revision = _revision(repo, requested)
        if revision is None:
            there = ", ".join(_names(repo)) or "nothing"
            raise _problem(key, f"is in the cache, but not at {requested}; it has: {there}")
        try:
            return _locked(revision)
        except (*_UNREADABLE, SafetensorsParsingError) as error:
            message = (
                f"its files in {revision.snapshot_path} can't be read: {one_line(str(error)) or type(error).__name__}"
            )
            raise _problem(key, message) from error


def _locked(revision: CachedRevisionInfo) -> LockedModel:
    folder = revision.snapshot_path
    return LockedModel(
        revision=revision.commit_hash,
        license=_license(folder / _CARD),
        weights=_weights(folder),
        architecture=_architecture(folder / _CONFIG),
        files=sorted(_files(revision), key=lambda file: file.path),
    )


def _revision(repo: CachedRepoInfo, requested: str) -> CachedRevisionInfo | None:
    """The revision of a branch, tag or commit; the only one there is, if only a commit was fetched."""
    for revision in repo.revisions:
        if requested in (revision.commit_hash, *revision.refs):
            return revision
    has_refs = any(revision.refs for revision in repo.revisions)
    return next(iter(repo.revisions)) if len(repo.revisions) == 1 and not has_refs and requested == "main" else None


def _names(repo: CachedRepoInfo) -> list[str]:
    return sorted({name for revision in repo.revisions for name in (*revision.refs, revision.commit_hash[:12])})


def _files(revision: CachedRevisionInfo) -> Iterator[LockedFile]:
    """The files of a snapshot; those of large-file storage are named by their digest."""
    for file in revision.files:
        digest = file.blob_path.name
        yield LockedFile(
            path=file.file_path.relative_to(revision.snapshot_path).as_posix(),
            bytes=file.size_on_disk,
            sha256=digest if _SHA256.fullmatch(digest) else None,
        )


def _weights(folder: Path) -> dict[str, int]:
    """The number of weights by type; empty if not all safetensors files of a model are there."""
    try:
        return {str(kind): count for kind, count in get_local_safetensors_metadata(folder).parameter_count.items()}
    except (NotASafetensorsRepoError, FileNotFoundError):
        return {}


def _architecture(path: Path) -> Architecture | None:
    return parse_architecture(path.read_text(encoding="utf-8")) if path.exists() else None


def _license(path: Path) -> str | None:
    found = ModelCard.load(path).data.license if path.exists() else None
    return found if isinstance(found, str) and found else None


def _problem(key: str, message: str) -> InputError:
    return InputError([Problem(key, message)])
