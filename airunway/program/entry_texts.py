"""The entries of a stack file, a deployment file or a file of ModelDeployments, as they are written."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import yaml

from airunway.text.yaml_excerpts import excerpt
from airunway.text.yaml_reading import is_too_deep

_SETTING = ("airunway:deployments", "deployments")
_KIND = "ModelDeployment"


class EntryTexts(Mapping[str, str]):
    """Each entry's text by its name, taken out of the file's when it is asked for; of two of a name, the first's."""

    def __init__(self, text: str, nodes: Iterable[tuple[str, yaml.Node]]) -> None:
        self._text = text
        self._nodes: dict[str, yaml.Node] = {}
        for name, node in nodes:
            self._nodes.setdefault(name, node)

    def __getitem__(self, name: str) -> str:
        return excerpt(self._text, self._nodes[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


def entry_texts(text: str) -> EntryTexts | None:
    """The entries of a file; None if ``text`` is not YAML."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if is_too_deep(text):
        return None
    try:
        # Only texts are compared: what a scalar means takes half the time.
        documents = list(yaml.compose_all(text, Loader=yaml.CBaseLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return EntryTexts(text, chain.from_iterable(map(_entries, documents)))


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
