"""Edit stack files and deployment files without touching anything else in them."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from airunway.console.yaml_edit import Block, YamlText, drop_trailing_comment, to_ruamel, update
from airunway.planning.settings import InstallationMode
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import StackLoader, read_document

_DEPLOYMENTS, _PROVIDERS = "airunway:deployments", "airunway:providers"
OFF = "off"
"""State of a disabled provider, in addition to the installation modes."""


def with_deployment(text: str, entry: Mapping[str, Any], replacing: str | None = None, file: str | None = None) -> str:
    """Add ``entry`` to the deployments in ``text``, or replace the one called ``replacing``.

    ``file`` names the deployment file of ``text``; without it, ``text`` is a stack file. Unchanged parts of a replaced
    entry are not touched. Raises ``InputError``.
    """
    document = _open(text, file)
    deployments = document.deployments
    if replacing is not None:
        index = _find_index(document, replacing)
        drop_trailing_comment(deployments[index])
        changed = copy.deepcopy(deployments[index])
        update(changed, entry)
        block = document.item(deployments, index)
        new = (
            block.replaced([deployments[index]], [changed])
            if block
            else document.with_deployments(_replace_item(deployments, index, changed))
        )
        return document.verified(new, lambda old: [entry if i == index else e for i, e in enumerate(old)])
    block = document.item(deployments, len(deployments) - 1)
    new = (
        block.followed_by([to_ruamel(entry)])
        if block
        else document.with_deployments(CommentedSeq([*deployments, to_ruamel(entry)]))
    )
    return document.verified(new, lambda old: [*(old or []), entry])


def without_deployment(text: str, name: str, file: str | None = None) -> str:
    """Remove the deployment ``name`` and the comment right above it from ``text``. Raises ``InputError``."""
    document = _open(text, file)
    deployments = document.deployments
    index = _find_index(document, name)
    block = document.item(deployments, index)
    if block and len(deployments) > 1:
        new = block.removed(last=index == len(deployments) - 1)
    elif block and document.is_list:
        new = block.removed(last=True, leaving="[]\n")
    else:
        rest = CommentedSeq([d for i, d in enumerate(deployments) if i != index])
        rest.fa.set_flow_style()
        new = document.with_deployments(rest)
    return document.verified(new, lambda old: [e for i, e in enumerate(old) if i != index])


def with_note(text: str, name: str, note: str, file: str | None = None) -> str:
    """Write ``note`` as the comment right above the deployment ``name``, in the place of one with the same first words.

    Those are the two first ones. An entry in flow style has no line of its own and gets none. Raises ``InputError``.
    """
    document = _open(text, file)
    block = document.item(document.deployments, _find_index(document, name))
    if block is None:
        return text
    start, lines = block.start, document.lines
    same = f"# {' '.join(note.split()[:2])} "
    first = start
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    kept = [line for line in lines[first:start] if not line.lstrip().startswith(same)]
    line = f"{' ' * block.column}# {note}\n"
    return document.verified("".join([*lines[:first], *kept, line, *lines[start:]]), lambda old: old)


def with_provider(text: str, provider: str, state: str) -> str:
    """Set ``provider`` to ``managed``, ``existing`` or ``off`` in a stack file. Raises ``InputError``."""
    file = _StackFile(text)
    location = f"{file.name}: config.{_PROVIDERS}"
    drop_trailing_comment(file.config.get(_PROVIDERS))
    providers = copy.deepcopy(_as_type(CommentedMap, file.config.get(_PROVIDERS), location))
    providers[provider] = settings = _as_type(CommentedMap, providers.get(provider), f"{location}.{provider}")
    update(settings, _with_state(settings, state))
    new = file.with_setting(_PROVIDERS, providers)
    return file.verified(
        new, lambda old: (old or {}) | {provider: _with_state((old or {}).get(provider) or {}, state)}, _PROVIDERS
    )


def _with_state(settings: Mapping[str, Any], state: str) -> dict[str, Any]:
    return {k: v for k, v in settings.items() if k not in ("enabled", "installation")} | _STATES[state]


_STATES: dict[str, dict[str, Any]] = {
    OFF: {"enabled": False},
    **{str(mode): {"installation": str(mode)} for mode in InstallationMode},
}


class _StackFile(YamlText):
    """A stack file, whose deployments are one of its settings."""

    is_list = False

    def __init__(self, text: str) -> None:
        super().__init__(text, "stack file")
        self.content = _as_type(CommentedMap, self.content, self.name)
        self.config = _as_type(CommentedMap, self.content.get("config"), f"{self.name}: config")

    @property
    def deployments(self) -> Any:
        """The list of deployments."""
        return _as_type(CommentedSeq, self.config.get(_DEPLOYMENTS), f"{self.name}: config.{_DEPLOYMENTS}")

    def with_deployments(self, deployments: Any) -> str:
        """Return the text with another list of deployments."""
        return self.with_setting(_DEPLOYMENTS, deployments)

    def with_setting(self, key: str, value: Any) -> str:
        """Return the text with ``value`` for the setting ``key``."""
        block_style = bool(self.config) and not self.config.fa.flow_style()
        if block_style and key in self.config:
            block = Block(self, *self.config.lc.key(key))
            return block.replaced(CommentedMap({key: self.config[key]}), CommentedMap({key: value}))
        if block_style:
            return Block(self, *self.content.lc.key("config")).followed_by(CommentedMap({key: value}), 2)
        self.content["config"] = CommentedMap({**self.config, key: value})
        return "".join(self.dumped(self.content, 0))

    def verified(self, new: str, change: Callable[[Any], Any], key: str = _DEPLOYMENTS) -> str:
        """Verify that ``new`` differs only by ``change`` of the setting ``key``. Raises ``InputError`` otherwise."""
        expected = read_document(self.text, self.name, StackLoader) or {}
        expected["config"] = config = expected.get("config") or {}
        config[key] = change(config.get(key))
        return _verify(self.with_line_endings(new), expected, self.name, f"{self.name}: config.{key}")


class _DeploymentFile(YamlText):
    """A deployment file, which is a list of deployments."""

    is_list = True

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name)
        if not isinstance(self.content, CommentedSeq):
            raise InputError([Problem(name, "must be a list of deployments; fix it in an editor")])
        self.deployments: Any = self.content

    def with_deployments(self, deployments: Any) -> str:
        """Return the text with another list, and everything above and below it."""
        first, last = self._span()
        if self.content and self.content.fa.flow_style():
            deployments.fa.set_flow_style()
        return "".join([*first, *self.dumped(deployments, 0), *last])

    def _span(self) -> tuple[list[str], list[str]]:
        """Return the text before the list and the text after it, as lines."""
        node: Any = yaml.compose(self.text, Loader=StackLoader)
        start, end = node.start_mark, node.end_mark
        if node.flow_style:
            prefix, suffix = self.lines[start.line][: start.column].rstrip(), self.lines[end.line][end.column :].strip()
            prefix_line = [f"{prefix}\n"] if prefix else []
            return [*self.lines[: start.line], *prefix_line], [
                *([f"{suffix}\n"] if suffix else []),
                *self.lines[end.line + 1 :],
            ]
        return self.lines[: start.line], self.lines[
            Block(self, self.content.lc.item(len(self.content) - 1)[0], start.column).end :
        ]

    def verified(self, new: str, change: Callable[[Any], Any]) -> str:
        """Verify that ``new`` differs only by ``change`` of the list. Raises ``InputError`` otherwise."""
        return _verify(
            self.with_line_endings(new), change(read_document(self.text, self.name, StackLoader)), self.name, self.name
        )


def _as_type(kind: type[Any], value: Any, location: str) -> Any:
    """Return ``value``, or an empty one for None. Raises ``InputError`` for another type."""
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise InputError(
            [Problem(location, f"must be a {'map' if kind is CommentedMap else 'list'}; fix it in an editor")]
        )
    return value


def _open(text: str, file: str | None) -> _StackFile | _DeploymentFile:
    return _StackFile(text) if file is None else _DeploymentFile(text, file)


def _verify(new: str, expected: Any, name: str, location: str) -> str:
    if read_document(new, name, StackLoader) != expected:
        raise InputError([Problem(location, "can't be changed without side effects; change it in an editor")])
    return new


def _replace_item(deployments: Any, index: int, changed: Any) -> CommentedSeq:
    return CommentedSeq([changed if i == index else d for i, d in enumerate(deployments)])


def _find_index(document: _StackFile | _DeploymentFile, name: str) -> int:
    indices = [
        index
        for index, entry in enumerate(document.deployments)
        if isinstance(entry, Mapping) and entry.get("name") == name
    ]
    if not indices:
        file = document.name if document.is_list else "the stack file"
        raise InputError([Problem("name", f"no deployment {name!r} in {file}; edit one from a manifest there")])
    return indices[0]
