"""Finds credentials that are written in clear text, wherever they are; their values are in no message."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airunway.spec.model import ModelDeploymentSpec
from airunway.spec.written_flags import written_flags
from airunway.text.credentials import has_token
from airunway.text.placeholders import is_placeholder
from airunway.text.problems import Problem, join
from airunway.text.yaml_reading import load_data

TOKEN_VARIABLES = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN", "HUGGINGFACEHUB_API_TOKEN"})
"""Environment variables from which programs read a Hugging Face token."""

_TOKEN = "a token must not be in clear text; set airunway:huggingFaceToken or secrets.huggingFaceToken instead"
_SECRET = (
    "a secret must not be in clear text; use valueFrom with a Secret of the cluster, or encrypt the value with `pulumi"
    " config set --secret --path`"
)
_NAMES = load_data(Path(__file__).with_suffix(".yaml"))
_SECRET_NAME = re.compile(rf"(.*_)?({'|'.join(_NAMES['secretWords'])})", re.IGNORECASE | re.DOTALL)
_PLAIN_NAME = re.compile(rf"(.*_)?({'|'.join(_NAMES['plainNames'])})", re.IGNORECASE | re.DOTALL)
_REFERENCES = re.compile(r"(\$\([A-Za-z0-9_.-]+\))*")
"""Kubernetes puts in the values of other variables: https://kubernetes.io/docs/tasks/inject-data-application/"""
_FLAGS = {
    "hf-token": _TOKEN,
    "api-key": (
        "a key does not belong in clear text here; give it in an environment variable with valueFrom, which is"
        " VLLM_API_KEY for vLLM"
    ),
}


def clear_text_problems(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """A problem for each place with a credential."""
    problems: dict[str, str] = {
        f"env[{index}]": _TOKEN
        for index, variable in enumerate(spec.env)
        if variable.name in TOKEN_VARIABLES and variable.value is not None and not is_placeholder(variable.value)
    }
    problems |= {
        f"env[{index}]": _SECRET
        for index, variable in enumerate(spec.env)
        if f"env[{index}]" not in problems and _is_secret(variable.name, variable.value or "")
    }
    problems |= {field: _FLAGS[flag] for field, flag, value in written_flags(spec) if value and flag in _FLAGS}
    overrides = spec.provider.overrides or {}
    problems |= dict.fromkeys(_variables(overrides, "provider.overrides"), _TOKEN)
    data = spec.model_dump(mode="python", by_alias=True, exclude_none=True)
    for field in token_fields(data, ""):
        if not any(
            field == other_field or field.startswith((f"{other_field}.", f"{other_field}[")) for other_field in problems
        ):
            problems[field] = _TOKEN
    yield from (Problem(field, message) for field, message in problems.items())


def _is_secret(name: str, value: str) -> bool:
    """Whether the variable ``name`` holds a secret in clear text: not a number or a reference to other variables."""
    named = _SECRET_NAME.fullmatch(name) and not _PLAIN_NAME.fullmatch(name)
    return bool(named) and not (value.isdecimal() or _REFERENCES.fullmatch(value) or is_placeholder(value))


def token_fields(value: Any, field: str = "") -> Iterator[str]:
    """The fields of plain data that contain a token; a key with one is not part of the field."""
    if isinstance(value, str):
        if has_token(value):
            yield field
    elif isinstance(value, dict):
        for key, inner in value.items():
            if has_token(str(key)):
                yield field
            else:
                yield from token_fields(inner, join(field, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from token_fields(inner, f"{field}[{index}]")


def token_problems(value: Any, field: str = "") -> Iterator[Problem]:
    """A problem for each field of plain data that contains a token."""
    yield from (Problem(found, _TOKEN) for found in token_fields(value, field))


def _variables(value: Any, field: str) -> Iterator[str]:
    """The environment variables in ``value`` that hold a token."""
    if isinstance(value, dict):
        name = value.get("name")
        if isinstance(name, str) and name in TOKEN_VARIABLES and value.get("value") is not None:
            yield field
        else:
            for key, inner in value.items():
                yield from _variables(inner, join(field, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _variables(inner, f"{field}[{index}]")
