"""Asks a model hub for the commit and the files of models, by Hugging Face's own client.

The client reads HF_ENDPOINT, HF_TOKEN or the token of `hf auth login`, and proxies (huggingface_hub 2.4).
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

# The library reads them when it is imported; without the first, it asks and tells the hub more than it is asked to.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import httpx2
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import ModelInfo, RepoSibling

from airunway.assessment.architecture import Architecture, parse_architecture
from airunway.assessment.model_lock import LockedFile, LockedModel, parts_of
from airunway.live.hub_client import hub_client
from airunway.text.bounded_streams import UnendingError
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import one_line

_SECONDS = 30.0
"""Most time for a part of an answer."""
_LICENSE = "license:"
_CONFIG = "config.json"
_NO_HUB = "what HF_ENDPOINT names does not answer as a hub does"


def look_up(key: str) -> LockedModel:
    """Return what the hub has of a model now; ``key`` is that of the lock. Raises ``InputError``."""
    model_id, requested = parts_of(key)
    try:
        found = hub_client().model_info(model_id, revision=requested, timeout=_SECONDS, files_metadata=True)
        return _locked(found, _architecture(model_id, found))
    except GatedRepoError as error:
        raise _problem(key, "is gated; accept its terms on the hub, and set HF_TOKEN") from error
    except RevisionNotFoundError as error:
        raise _problem(key, f"has no revision {requested} on the hub") from error
    except RepositoryNotFoundError as error:
        raise _problem(key, "is not on the hub, or HF_TOKEN may not see it") from error
    except HfHubHTTPError as error:
        raise _problem(key, f"the hub refused: {one_line(str(error.server_message or error))}") from error
    except UnendingError as error:
        raise _problem(key, f"{_NO_HUB}: {error}") from error
    except httpx2.HTTPError as error:
        raise _problem(key, f"the hub can't be reached: {one_line(str(error)) or type(error).__name__}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _problem(key, _NO_HUB) from error


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
        license=_license(found),
        gated=bool(found.gated),
        weights=weights,
        architecture=architecture,
        files=files,
    )


def _file(sibling: RepoSibling) -> LockedFile:
    return LockedFile(
        path=sibling.rfilename, bytes=sibling.size or 0, sha256=sibling.lfs.sha256 if sibling.lfs else None
    )


def _license(found: ModelInfo) -> str | None:
    tags = [tag.removeprefix(_LICENSE) for tag in found.tags or () if tag.startswith(_LICENSE)]
    return tags[0] if tags else None


def _problem(key: str, message: str) -> InputError:
    return InputError([Problem(key, message)])
