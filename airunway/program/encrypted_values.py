"""Encrypted values inside a stack's settings: where they may be, and what stands for them in a plan.

A plan has a placeholder in the place of each, the same as an offline preview: no decision depends on one, and none is
printed. Pulumi hands a setting over as a whole and decrypted; which of its values are encrypted, only the stack's file
says (seen with pulumi 3.259).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airunway.planning.settings import SECRET_SETTINGS
from airunway.program.stack_file import StackConfig
from airunway.text.json_reading import read_json_or_text
from airunway.text.placeholders import ENCRYPTED
from airunway.text.problems import InputError, Problem, join

_PREFIX = "airunway:"
_PLACES = (
    re.compile(r"deployments\[\d+\]\.env\[\d+\]\.value"),
    re.compile(r"providers\.[^.\[]+\.spec\.installation\.helmCharts\[\d+\]\.values[.\[].+"),
)
_ALLOWED = "values of env, and Helm values (providers.NAME.spec.installation.helmCharts[].values)"
_MISMATCH = (
    "has encrypted values, and only the stack's own file tells which; it does not hold the settings that Pulumi handed"
    " over, as with --config-file or Pulumi ESC"
)


def place_problems(config: Mapping[str, Any], secrets: Iterable[str]) -> list[Problem]:
    """A problem for each encrypted value in the settings ``secrets`` that would end up in clear text in the state.

    ``config`` has placeholders in their places.
    """
    settings = ", ".join(f"{_PREFIX}{key}" for key in SECRET_SETTINGS)
    message = (
        f"is encrypted, and Pulumi's state would have it in clear text; only these may be: {_ALLOWED}, and {settings}"
    )
    return [
        Problem(field, message)
        for key in sorted(nested_secrets(secrets))
        for field in _placeholder_fields(read_json_or_text(config[key]), key.removeprefix(_PREFIX))
        if not any(place.fullmatch(field) for place in _PLACES)
    ]


def _placeholder_fields(value: Any, field: str) -> Iterator[str]:
    if isinstance(value, str):
        if ENCRYPTED.fullmatch(value):
            yield field
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _placeholder_fields(inner, join(field, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _placeholder_fields(inner, f"{field}[{index}]")


def encrypted_texts(config: Mapping[str, str], file: StackConfig) -> dict[str, str]:
    """The decrypted texts by placeholder, of settings that Pulumi handed over in ``config``; ``file`` has placeholders.

    Raises ``InputError`` where the stack's file does not hold the same settings, so that it can't tell which values
    are encrypted: with ``--config-file``, or with values from an environment of Pulumi ESC.
    """
    texts: dict[str, str] = {}
    for key in sorted(nested_secrets(file.secrets)):
        if not _collect(read_json_or_text(file.values[key]), read_json_or_text(config.get(key, "")), texts):
            raise InputError([Problem(key.removeprefix(_PREFIX), _MISMATCH)])
    return texts


def nested_secrets(secrets: Iterable[str]) -> set[str]:
    """The settings of ours with encrypted values inside, by their keys in a stack file."""
    return {key for key in secrets if key.startswith(_PREFIX) and key.removeprefix(_PREFIX) not in SECRET_SETTINGS}


def unknown_problems(secrets: Iterable[str], file: StackConfig | None) -> list[Problem]:
    """A problem for each setting that has encrypted values according to Pulumi, but not to the stack's file."""
    known = set(file.secrets) if file else set()
    return [Problem(key.removeprefix(_PREFIX), _MISMATCH) for key in sorted(nested_secrets(secrets) - known)]


def _collect(masked: Any, plain: Any, texts: dict[str, str]) -> bool:
    """Add the texts behind the placeholders of ``masked``; return whether the rest is the same."""
    if isinstance(masked, str) and ENCRYPTED.fullmatch(masked):
        if not isinstance(plain, str):
            return False
        texts[masked] = plain
        return True
    if isinstance(masked, dict) and isinstance(plain, dict):
        return masked.keys() == plain.keys() and all(_collect(masked[key], plain[key], texts) for key in masked)
    if isinstance(masked, list) and isinstance(plain, list):
        return len(masked) == len(plain) and all(_collect(*pair, texts) for pair in zip(masked, plain, strict=True))
    return bool(masked == plain)
