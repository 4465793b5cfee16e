"""What the documents of KubeAIRunway's releases say beyond ours: read from annotations, or set aside by name."""

from collections.abc import Iterator, Mapping
from typing import Any

from airunway.text.json_reading import read_json

_INSTALLATION = "airunway.ai/installation"
_DOCUMENTATION = ("airunway.ai/documentation-url", "airunway.ai/documentation")
_CAPABILITY_KEYS: Mapping[str, str] = {
    "apiFormats": "endpoints are OpenAI-compatible",
    "gateway": "no gateway is set up",
    "requiresCRD": "the operator's release brings its CRDs",
}
_CHART_KEYS: Mapping[str, str] = {
    "fetchUrl": "the chart is fetched from its repository",
    "preCrdUrls": "apply these CRDs yourself where the chart doesn't bring them",
    "preInstallMissingCrds": "apply these CRDs yourself where the chart doesn't bring them",
}


def hoist_annotations(document: Any) -> Any:
    """``document`` with the installation and documentation that newer releases keep in annotations.

    Raises ``ValueError`` for an installation that is not JSON.
    """
    if not isinstance(document, dict):
        return document
    metadata, spec = document.get("metadata"), document.get("spec") or {}
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(spec, dict) or not isinstance(annotations, dict):
        return document
    spec = dict(spec)
    if isinstance(annotations.get(_INSTALLATION), str) and "installation" not in spec:
        try:
            spec["installation"] = read_json(annotations[_INSTALLATION])
        except ValueError as error:
            raise ValueError(f"annotation {_INSTALLATION} is not JSON: {error}") from error
    for key in _DOCUMENTATION:
        if key in annotations:
            spec.setdefault("documentation", annotations[key])
    return document | {"spec": spec} if spec else document


def set_aside(document: Any) -> tuple[Any, list[str]]:
    """``document`` without the keys of upstream's that have no meaning here, and a message for each."""
    spec = document.get("spec") if isinstance(document, dict) else None
    if not isinstance(spec, dict):
        return document, []
    messages: dict[str, None] = {}
    spec = dict(spec)
    capabilities = spec.get("capabilities")
    if isinstance(capabilities, dict):
        field = "spec.capabilities"
        capabilities = _without(capabilities, _CAPABILITY_KEYS, field, messages)
        capabilities["engines"] = _each(capabilities.get("engines"), _CAPABILITY_KEYS, f"{field}.engines[]", messages)
        spec["capabilities"] = {key: value for key, value in capabilities.items() if value is not None}
    installation = spec.get("installation")
    if isinstance(installation, dict) and "helmCharts" in installation:
        charts = _each(installation["helmCharts"], _CHART_KEYS, "spec.installation.helmCharts[]", messages)
        spec["installation"] = installation | {"helmCharts": charts}
    return document | {"spec": spec}, list(messages)


def _each(elements: Any, keys: Mapping[str, str], field: str, messages: dict[str, None]) -> Any:
    if not isinstance(elements, list):
        return elements
    return [_without(e, keys, field, messages) if isinstance(e, dict) else e for e in elements]


def _without(section: dict[str, Any], keys: Mapping[str, str], field: str, messages: dict[str, None]) -> dict[str, Any]:
    messages |= dict.fromkeys(_messages(section, keys, field))
    return {key: value for key, value in section.items() if key not in keys}


def _messages(section: dict[str, Any], keys: Mapping[str, str], field: str) -> Iterator[str]:
    for key in section:
        if key in keys:
            yield f"{field}.{key}: left out here, and in what a controller is given: {keys[key]}"
