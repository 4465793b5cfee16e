"""Searches a model hub for models that write text, by Hugging Face's own client.

``HfApi.list_models`` of huggingface_hub 2.4 waits for an answer without end, and before it asks again as long as the
hub's Retry-After says. So its one page is asked for here by the client below it, once and within a time limit.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import get_session, hf_raise_for_status
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented there
from pydantic import BaseModel, ConfigDict, Field

from airunway.live.hub_client import hub_client
from airunway.live.hub_errors import hub_errors
from airunway.live.model_hub import license_of
from airunway.provider.live_object import UnreadableError, read_as
from airunway.text.yaml_reading import load_data

_DATA: dict[str, Any] = load_data(Path(__file__).with_suffix(".yaml"))
_GGUF = "gguf"


class _Weights(BaseModel):
    """What the hub read of weights: their number, and the longest context where the file says it."""

    model_config = ConfigDict(frozen=True)

    total: int | None = None
    context_length: int | None = None


class FoundModel(BaseModel):
    """A model of the hub as a search finds it; what the hub does not say is None."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    pipeline_tag: str | None = None
    gated: bool | str | None = None
    downloads: int | None = None
    tags: list[str] | None = None
    safetensors: _Weights | None = None
    gguf: _Weights | None = None

    @property
    def is_gguf(self) -> bool:
        """Whether it has GGUF files."""
        return self.gguf is not None or _GGUF in (self.tags or ())

    @property
    def weights(self) -> int | None:
        """The number of its weights; of GGUF files that of one of them."""
        return (self.safetensors and self.safetensors.total) or (self.gguf and self.gguf.total) or None

    @property
    def context(self) -> int | None:
        """The longest context in tokens, which the hub says of GGUF files only."""
        return self.gguf.context_length if self.gguf else None

    @property
    def license(self) -> str | None:
        """Licence, as the hub names it."""
        return license_of(self.tags)


def search_models(text: str) -> Sequence[FoundModel]:
    """Return models whose id contains ``text``, those with the most downloads first. Raises ``InputError``."""
    with hub_errors(f"'{text}'"):
        answer = get_session().get(
            f"{hub_client().endpoint}/api/models",
            params={"search": text, "sort": "downloads", "limit": _DATA["asked"], "expand": _DATA["fields"]},
            headers=build_hf_headers(),
            timeout=_DATA["seconds"],
        )
        hf_raise_for_status(answer)
        return tuple(_found(answer.json()))[: _DATA["shown"]]


def _found(items: Any) -> Iterator[FoundModel]:
    """The models that write text; one that can't be read is no model to choose. Raises ``TypeError``."""
    if not isinstance(items, list):
        raise TypeError
    for item in items:
        try:
            model = read_as(FoundModel, item)
        except UnreadableError:
            continue
        if model.pipeline_tag is None or model.pipeline_tag in _DATA["tasks"]:
            yield model
