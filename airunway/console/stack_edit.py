"""Changes of stack files and deployment files that leave everything else in them as it is."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from airunway.console.yaml_edit import Block, YamlText, cut, merge, plain
from airunway.planning.settings import InstallationMode
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import StackLoader, read_document

_DEPLOYMENTS, _PROVIDERS = "airunway:deployments", "airunway:providers"
OFF = "off"
"""The state of a provider that may not be chosen, beside the two kinds of installation."""


def with_deployment(text: str, entry: Mapping[str, Any], replacing: str | None = None, file: str | None = None) -> str:
    """``text`` with ``entry`` added to the deployments, or in the place of the one called ``replacing``.

    ``file`` names the deployment file that ``text`` is of; without it ``text`` is a stack file's. Of a replaced entry,
    what stays equal is not touched. Raises ``InputError``.
    """
    home = _home(text, file)
    deployments = home.deployments
    if replacing is not None:
        index = _index(home, replacing)
        cut(deployments[index])
        changed = copy.deepcopy(deployments[index])
        merge(changed, entry)
        block = home.item(deployments, index)
        new = (
            block.replaced([deployments[index]], [changed])
            if block
            else home.with_deployments(_replaced(deployments, index, changed))
        )
        return home.verified(new, lambda old: [entry if i == index else e for i, e in enumerate(old)])
    block = home.item(deployments, len(deployments) - 1)
    new = (
        block.followed_by([plain(entry)])
        if block
        else home.with_deployments(CommentedSeq([*deployments, plain(entry)]))
    )
    return home.verified(new, lambda old: [*(old or []), entry])


def without_deployment(text: str, name: str, file: str | None = None) -> str:
    """``text``, as for ``with_deployment``, without the deployment ``name`` and the comment right above it. Raises
    ``InputError``.
    """
    home = _home(text, file)
    deployments = home.deployments
    index = _index(home, name)
    block = home.item(deployments, index)
    if block and len(deployments) > 1:
        new = block.removed(last=index == len(deployments) - 1)
    elif block and home.is_list:
        new = block.removed(last=True, leaving="[]\n")
    else:
        rest = CommentedSeq([d for i, d in enumerate(deployments) if i != index])
        rest.fa.set_flow_style()
        new = home.with_deployments(rest)
    return home.verified(new, lambda old: [e for i, e in enumerate(old) if i != index])


def with_provider(text: str, provider: str, state: str) -> str:
    """A stack file's ``text`` with ``provider`` ``managed``, ``existing`` or ``off``. Raises ``InputError``."""
    file = _StackFile(text)
    place = f"{file.name}: config.{_PROVIDERS}"
    cut(file.config.get(_PROVIDERS))
    providers = copy.deepcopy(_as(CommentedMap, file.config.get(_PROVIDERS), place))
    providers[provider] = settings = _as(CommentedMap, providers.get(provider), f"{place}.{provider}")
    merge(settings, _turned(settings, state))
    new = file.with_setting(_PROVIDERS, providers)
    return file.verified(
        new, lambda old: (old or {}) | {provider: _turned((old or {}).get(provider) or {}, state)}, _PROVIDERS
    )


def _turned(settings: Mapping[str, Any], state: str) -> dict[str, Any]:
    return {k: v for k, v in settings.items() if k not in ("enabled", "installation")} | _STATES[state]


_STATES: dict[str, dict[str, Any]] = {
    OFF: {"enabled": False},
    **{str(mode): {"installation": str(mode)} for mode in InstallationMode},
}


class _StackFile(YamlText):
    """A stack file, whose deployments are a setting among others."""

    is_list = False

    def __init__(self, text: str) -> None:
        super().__init__(text, "stack file")
        self.content = _as(CommentedMap, self.content, self.name)
        self.config = _as(CommentedMap, self.content.get("config"), f"{self.name}: config")

    @property
    def deployments(self) -> Any:
        """The list of deployments."""
        return _as(CommentedSeq, self.config.get(_DEPLOYMENTS), f"{self.name}: config.{_DEPLOYMENTS}")

    def with_deployments(self, deployments: Any) -> str:
        """The text with another list."""
        return self.with_setting(_DEPLOYMENTS, deployments)

    def with_setting(self, key: str, value: Any) -> str:
        """The text with ``value`` for the setting ``key``."""
        block_style = bool(self.config) and not self.config.fa.flow_style()
        if block_style and key in self.config:
            block = Block(self, *self.config.lc.key(key))
            return block.replaced(CommentedMap({key: self.config[key]}), CommentedMap({key: value}))
        if block_style:
            return Block(self, *self.content.lc.key("config")).followed_by(CommentedMap({key: value}), 2)
        self.content["config"] = CommentedMap({**self.config, key: value})
        return "".join(self.dumped(self.content, 0))

    def verified(self, new: str, change: Callable[[Any], Any], key: str = _DEPLOYMENTS) -> str:
        """``new``, which has to be the text but for ``change`` of the setting ``key``. Raises ``InputError`` where it
        is not.
        """
        wanted = read_document(self.text, self.name, StackLoader) or {}
        wanted["config"] = config = wanted.get("config") or {}
        config[key] = change(config.get(key))
        return _same(self.as_ended(new), wanted, self.name, f"{self.name}: config.{key}")


class _DeploymentFile(YamlText):
    """A file that is a list of deployments and nothing else."""

    is_list = True

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name)
        if not isinstance(self.content, CommentedSeq):
            raise InputError([Problem(name, "a list of deployments is wanted; mend it in an editor")])
        self.deployments: Any = self.content

    def with_deployments(self, deployments: Any) -> str:
        """The text with another list; what stands above and below it stays."""
        first, last = self._span()
        if self.content and self.content.fa.flow_style():
            deployments.fa.set_flow_style()
        return "".join([*first, *self.dumped(deployments, 0), *last])

    def _span(self) -> tuple[list[str], list[str]]:
        """The lines above the list, with what stands before it in its first line, and those below it, with what stands
        behind.
        """
        node: Any = yaml.compose(self.text, Loader=StackLoader)
        start, end = node.start_mark, node.end_mark
        if node.flow_style:
            before, behind = self.lines[start.line][: start.column].rstrip(), self.lines[end.line][end.column :].strip()
            above = [f"{before}\n"] if before else []
            return [*self.lines[: start.line], *above], [
                *([f"{behind}\n"] if behind else []),
                *self.lines[end.line + 1 :],
            ]
        return self.lines[: start.line], self.lines[
            Block(self, self.content.lc.item(len(self.content) - 1)[0], start.column).end :
        ]

    def verified(self, new: str, change: Callable[[Any], Any]) -> str:
        """``new``, which has to be the text but for ``change`` of the list. Raises ``InputError`` where it is not."""
        return _same(self.as_ended(new), change(read_document(self.text, self.name, StackLoader)), self.name, self.name)


def _as(kind: type[Any], value: Any, place: str) -> Any:
    """``value``, or an empty one where nothing is given. Raises ``InputError`` for what is of another kind."""
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise InputError(
            [Problem(place, f"a {'map' if kind is CommentedMap else 'list'} is wanted; mend it in an editor")]
        )
    return value


def _home(text: str, file: str | None) -> _StackFile | _DeploymentFile:
    return _StackFile(text) if file is None else _DeploymentFile(text, file)


def _same(new: str, wanted: Any, name: str, place: str) -> str:
    if read_document(new, name, StackLoader) != wanted:
        raise InputError([Problem(place, "can't be changed without changing something else; change it in an editor")])
    return new


def _replaced(deployments: Any, index: int, changed: Any) -> CommentedSeq:
    return CommentedSeq([changed if i == index else d for i, d in enumerate(deployments)])


def _index(home: _StackFile | _DeploymentFile, name: str) -> int:
    indices = [
        index
        for index, entry in enumerate(home.deployments)
        if isinstance(entry, Mapping) and entry.get("name") == name
    ]
    if not indices:
        file = home.name if home.is_list else "the stack file"
        raise InputError([Problem("name", f"no deployment {name!r} in {file}; one from a manifest is edited there")])
    return indices[0]
