"""What a model's configuration says of its attention: what one token takes in the KV cache, and how heads divide."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from airunway.spec.model import StrictModel, Text
from airunway.text.json_reading import read_json
from airunway.text.yaml_reading import load_data

_LONGEST_TYPE = 100
_FULL, _SLIDING, _LINEAR = "full_attention", "sliding_attention", "linear_attention"


class Architecture(StrictModel):
    """Facts of a model's configuration; what it does not say, or is not known of its type, is left out."""

    type: Text = Field(description="Type of the model, such as qwen3.")
    context: int | None = Field(None, ge=1, description="Longest context in tokens.")
    attention_heads: int | None = Field(None, ge=1, description="Query heads of a layer.")
    key_value_heads: int | None = Field(None, ge=1, description="Key-value heads of a layer.")
    head_dim: int | None = Field(None, ge=1, description="Elements of a head.")
    latent_dim: int | None = Field(
        None, ge=1, description="Elements that a layer keeps for a token, where it compresses keys and values (MLA)."
    )
    full_layers: int | None = Field(
        None, ge=0, description="Layers whose cache holds the whole context; unset where the cache is unknown."
    )
    sliding_layers: int = Field(0, ge=0, description="Layers whose cache ends at the sliding window.")
    sliding_window: int | None = Field(None, ge=1, description="Tokens of the sliding window.")
    is_cache_quantized: bool = Field(False, description="Whether the weights come with scales for a cache of 8 bits.")


def parse_architecture(text: str) -> Architecture | None:
    """The facts in the text of a ``config.json``, as ``read_architecture`` returns them. Raises ``ValueError``."""
    config = read_json(text)
    return read_architecture(config) if isinstance(config, dict) else None


def read_architecture(config: Mapping[str, Any]) -> Architecture | None:
    """Return the facts in a ``config.json``; None if it does not even say the model's type."""
    text = config.get("text_config")
    text = text if isinstance(text, Mapping) and "model_type" in text else config
    kind = text.get("model_type")
    if not isinstance(kind, str) or not kind.strip():
        return None
    heads, hidden = _count(text, "num_attention_heads"), _count(text, "hidden_size")
    layers = _layers(kind, text)
    latent = [_count(text, "kv_lora_rank"), _count(text, "qk_rope_head_dim")] if kind in _types("latent") else []
    if None in latent or (not latent and heads is None):
        layers = {}
    derived_dim = hidden // heads or None if hidden and heads else None
    facts = {
        "type": kind[:_LONGEST_TYPE],
        "context": _context(text),
        "attention_heads": heads,
        "key_value_heads": None if latent else _count(text, "num_key_value_heads") or heads,
        "head_dim": None if latent else _count(text, "head_dim") or derived_dim,
        "latent_dim": sum(part or 0 for part in latent) or None,
        "is_cache_quantized": _is_cache_quantized(config, text),
    }
    return Architecture.model_validate(facts | layers, by_name=True)


def _layers(kind: str, text: Mapping[str, Any]) -> dict[str, Any]:
    """The layers that keep a cache, as fields of ``Architecture``; empty where they are unknown."""
    layers, window = _count(text, "num_hidden_layers"), _count(text, "sliding_window")
    if layers is None:
        return {}
    if kind in _types("latent"):
        return {"full_layers": layers}
    if kind in _types("everyLayer"):
        return _every_layer(text, layers, window)
    pattern = text.get("hybrid_override_pattern")
    if kind in _types("byPattern") and isinstance(pattern, str):
        return {"full_layers": pattern.count("*")} if len(pattern) == layers else {}
    types = text.get("layer_types")
    if kind in _types("byLayerTypes") and isinstance(types, list) and len(types) == layers:
        return _by_types(types, window)
    return {}


def _every_layer(text: Mapping[str, Any], layers: int, window: int | None) -> dict[str, Any]:
    is_off = text.get("use_sliding_window") is False
    if window is None or is_off or window >= (_count(text, "max_position_embeddings") or window):
        return {"full_layers": layers}
    if "use_sliding_window" in text:  # then only some layers have it
        return {}
    return {"full_layers": 0, "sliding_layers": layers, "sliding_window": window}


def _by_types(types: Sequence[Any], window: int | None) -> dict[str, Any]:
    sliding = types.count(_SLIDING)
    if not all(kind in (_FULL, _SLIDING, _LINEAR) for kind in types) or (sliding and window is None):
        return {}
    found: dict[str, Any] = {"full_layers": types.count(_FULL)}
    return found | ({"sliding_layers": sliding, "sliding_window": window} if sliding else {})


def _context(text: Mapping[str, Any]) -> int | None:
    """The longest context; None if rope scaling may change it."""
    longest = _count(text, "max_position_embeddings")
    scaling = text.get("rope_scaling") or text.get("rope_parameters") or {}
    if not isinstance(scaling, Mapping) or longest is None:
        return longest if not scaling else None
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind in _types("ropeIncluded"):
        return longest
    original, factor = scaling.get("original_max_position_embeddings"), scaling.get("factor")
    if not isinstance(original, int | float) or not isinstance(factor, int | float):
        return None
    return longest if original * factor == longest else None


def _is_cache_quantized(*configs: Mapping[str, Any]) -> bool:
    parts = [part for config in configs if isinstance(part := config.get("quantization_config"), Mapping)]
    return any(value for part in parts for key, value in part.items() if str(key).startswith("kv_cache"))


def _count(text: Mapping[str, Any], key: str) -> int | None:
    value = text.get(key)
    return value if type(value) is int and value > 0 else None


def _types(name: str) -> Sequence[str]:
    found: Sequence[str] = load_data(Path(__file__).with_name("architectures.yaml"))[name]
    return found
