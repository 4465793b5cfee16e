"""KAITO's presets: what is known of a model before KAITO runs it, from ``presets.yaml``."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from airunway.provider.request import Request
from airunway.text.problems import Problem, suggest_name
from airunway.text.yaml_reading import load_data


class Token(StrEnum):
    """Whether a preset takes a Secret with a Hugging Face token."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    REFUSED = "refused"


@dataclass(frozen=True)
class Preset:
    """One model; ``name`` is KAITO's own name for it, ``context`` its longest context in tokens, where known."""

    id: str
    token: Token = Token.OPTIONAL
    name: str | None = None
    context: int | None = None


@cache
def presets() -> dict[str, Preset]:
    """The presets by Hugging Face id and by KAITO's own name, both in lower case, as KAITO compares them."""
    by_name: dict[str, Preset] = {}
    for model_id, facts in load_data(Path(__file__).with_suffix(".yaml")).items():
        token = Token(facts.get("token", Token.OPTIONAL))
        preset = Preset(model_id, token, facts.get("name"), facts.get("context"))
        by_name[model_id.lower()] = preset
        if preset.name:
            by_name[preset.name] = preset
    return by_name


def find_preset(model_id: str) -> Preset:
    """The preset of that id or name; a Hugging Face id that KAITO has no facts about is looked up by KAITO itself."""
    return presets().get(model_id.lower()) or Preset(model_id)


def token_secret(request: Request) -> str | None:
    """The Secret to hand to the preset: the one that the spec names, else the stack's unless the preset refuses it."""
    refused = find_preset(str(request.spec.model.id)).token is Token.REFUSED
    return request.spec.secrets.hugging_face_token or (None if refused else request.token_secret)


def preset_problems(request: Request, arguments: dict[str, Any]) -> Iterator[Problem]:
    """What KAITO's webhook would refuse, and a gated model without a token, whose download fails."""
    model_id = str(request.spec.model.id)
    own_names = sorted(preset.name for preset in presets().values() if preset.name)
    owner, _, name = model_id.partition("/")
    if "/" not in model_id and model_id.lower() not in presets():
        hint = suggest_name(model_id, dict.fromkeys(own_names))
        yield Problem("model.id", f"KAITO has no preset '{model_id}'; {hint}, or any Hugging Face id")
    elif "/" in model_id and (not owner or not name or "://" in model_id):
        yield Problem("model.id", f"'{model_id}' given; a preset must be a Hugging Face id or one of KAITO's own names")
    preset = find_preset(model_id)
    yield from _token_problems(request, preset)
    lengths = [value for name, value in arguments.items() if name.replace("_", "-") == "max-model-len"]
    yield from _context_problems(request, preset, lengths[0] if lengths else None)


def _token_problems(request: Request, preset: Preset) -> Iterator[Problem]:
    if preset.token is Token.REFUSED and request.spec.secrets.hugging_face_token:
        yield Problem(
            "secrets.huggingFaceToken",
            f"KAITO's preset of {preset.id} needs no token, and KAITO up to 0.10 refuses one; leave it out",
        )
    if preset.token is Token.REQUIRED and not token_secret(request):
        yield Problem(
            "secrets.huggingFaceToken",
            f"{preset.id} is gated, so KAITO needs a token to download it: name a Secret with the key HF_TOKEN, or set"
            " airunway:huggingFaceToken or airunway:huggingFaceSecret for the stack",
        )


def _context_problems(request: Request, preset: Preset, length: Any) -> Iterator[Problem]:
    if length is None:
        return
    field = "engine.contextLength" if request.spec.engine.context_length else "engine.args.max-model-len"
    try:
        tokens = int(str(length).strip())
    except ValueError:
        yield Problem(field, f"{length!r} given; KAITO takes a whole number of tokens only")
        return
    if preset.context is not None and tokens > preset.context:
        yield Problem(field, f"{tokens} given; {preset.id} has a context of at most {preset.context} tokens")
