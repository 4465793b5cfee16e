"""The entries of a stack file, a deployment file or a file of ModelDeployments, as they are written."""

from collections.abc import Iterator

import yaml

from airunway.text.yaml_excerpts import excerpt
from airunway.text.yaml_reading import is_too_deep

_SETTING = ("airunway:deployments", "deployments")
_KIND = "ModelDeployment"


def entry_texts(text: str) -> dict[str, str] | None:
    """Each entry's text by its name; of two with the same name, that of the first. None if ``text`` is not YAML."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if is_too_deep(text):
        return None
    texts: dict[str, str] = {}
    try:
        for document in yaml.compose_all(text, Loader=yaml.CSafeLoader):
            for name, node in _entries(document):
                texts.setdefault(name, excerpt(text, node))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return texts


def _entries(document: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if _scalar(_value(document, "kind")) == _KIND and document is not None:
        found = [(_value(_value(document, "metadata"), "name"), document)]
    else:
        found = [(_value(node, "name"), node) for node in _elements(document) or _elements(_setting(document))]
    yield from ((name, node) for named, node in found if (name := _scalar(named)) is not None)


def _setting(document: yaml.Node | None) -> yaml.Node | None:
    """The deployments in a stack file, or in ``Pulumi.yaml``, which may have them as a value or a default."""
    config = _value(document, "config")
    setting = next((value for key in _SETTING if (value := _value(config, key)) is not None), None)
    return _value(setting, "value") or _value(setting, "default") or setting


def _elements(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if _scalar(name) == key), None)


def _scalar(node: yaml.Node | None) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None
