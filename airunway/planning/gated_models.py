"""Says which deployments fetch a gated model without a token, which the hub refuses."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from airunway.assessment.model_lock import LockedModel
from airunway.planning.settings import TOKEN_SETTING
from airunway.provider.pods import has_own_token
from airunway.provider.request import Request
from airunway.spec.model import Source
from airunway.text.yaml_reading import load_data

_IDS: list[str] = load_data(Path(__file__).with_suffix(".yaml"))["ids"]


def gated_warnings(request: Request, locked: LockedModel | None) -> Iterator[str]:
    """A warning if the model is gated, by the lock or by its id, and nothing brings a token to fetch it."""
    spec = request.spec
    model_id = spec.model.id
    if spec.model.source is not Source.HUGGINGFACE or model_id is None or spec.container_image:
        return
    is_gated = locked.gated if locked else any(fnmatchcase(model_id, pattern) for pattern in _IDS)
    if is_gated and request.token_secret is None and not has_own_token(spec):
        yield (
            f"model.id: {model_id} is gated, and there is no token to download it with; accept its terms on Hugging"
            f" Face, then run: pulumi config set --secret airunway:{TOKEN_SETTING}"
        )
