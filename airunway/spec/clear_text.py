"""Finds credentials that are written in clear text, wherever they are; their values are in no message."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airunway.spec.model import ModelDeploymentSpec
from airunway.spec.written_flags import written_flags
from airunway.text.credentials import HUGGING_FACE, credential_in
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
_PLAIN_VALUE = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?|true|false|yes|no|on|off", re.IGNORECASE | re.ASCII)
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
        f"env[{index}]": message
        for index, variable in enumerate(spec.env)
        if variable.value is not None and (message := _variable(variable.name, variable.value))
    }
    problems |= {field: _FLAGS[flag] for field, flag, value in written_flags(spec) if value and flag in _FLAGS}
    overrides = spec.provider.overrides or {}
    problems |= dict(_variables(overrides, "provider.overrides"))
    data = spec.model_dump(mode="python", by_alias=True, exclude_none=True)
    for field, kind in credential_fields(data):
        if not any(
            field == other_field or field.startswith((f"{other_field}.", f"{other_field}[")) for other_field in problems
        ):
            problems[field] = _message(kind)
    yield from (Problem(field, message) for field, message in problems.items())


def _is_secret(name: str, value: str) -> bool:
    """Whether the variable ``name`` holds a secret in clear text: no number, switch or reference to other variables."""
    named = _SECRET_NAME.fullmatch(name) and not _PLAIN_NAME.fullmatch(name)
    plain = _PLAIN_VALUE.fullmatch(value) or _REFERENCES.fullmatch(value) or is_placeholder(value)
    return bool(named) and not plain


def credential_fields(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """The fields of plain data that contain a credential, and its kind; a key with one is not part of the field."""
    if isinstance(value, str):
        if kind := credential_in(value):
            yield field, kind
    elif isinstance(value, dict):
        for key, inner in value.items():
            if kind := credential_in(str(key)):
                yield field, kind
            else:
                yield from credential_fields(inner, join(field, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from credential_fields(inner, f"{field}[{index}]")


def credential_problems(value: Any, field: str = "") -> Iterator[Problem]:
    """A problem for each field of plain data that contains a credential."""
    yield from (Problem(found, _message(kind)) for found, kind in credential_fields(value, field))


def _message(kind: str) -> str:
    if kind == HUGGING_FACE:
        return _TOKEN
    article = "an" if kind[0] in "AEIOU" else "a"
    return f"{article} {kind} must not be in clear text; put it into a Secret of the cluster and refer to that"


def _variables(value: Any, field: str) -> Iterator[tuple[str, str]]:
    """The environment variables in ``value`` that hold a secret in clear text, with what to say of each."""
    if isinstance(value, dict):
        name, text = value.get("name"), value.get("value")
        if isinstance(name, str) and isinstance(text, str | int | float) and (message := _variable(name, str(text))):
            yield field, message
        else:
            for key, inner in value.items():
                yield from _variables(inner, join(field, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _variables(inner, f"{field}[{index}]")


def _variable(name: str, value: str) -> str | None:
    """What to say of a variable with a value; None if it is no secret."""
    if name in TOKEN_VARIABLES and not is_placeholder(value):
        return _TOKEN
    return _SECRET if _is_secret(name, value) else None
