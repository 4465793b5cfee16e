"""The files that a stack's settings name, as read by the caller: their names and texts, or why they can't be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from airunway.text.problems import Problem


@dataclass(frozen=True)
class Unreadable:
    """Why a pattern matches no file or a file can't be read; the reason follows the name in messages."""

    reason: str


@dataclass(frozen=True)
class Files:
    """``names`` are the files that each pattern of a setting matches, sorted; ``texts`` are the files' contents."""

    names: Mapping[str, Sequence[str] | Unreadable] = field(default_factory=dict)
    texts: Mapping[str, str | Unreadable] = field(default_factory=dict)

    @classmethod
    def from_texts(cls, texts: Mapping[str, str | Unreadable]) -> "Files":
        """Files that the settings name without patterns."""
        return cls({name: (name,) for name in texts}, texts)

    def select_texts(self, setting: str, patterns: Sequence[str]) -> tuple[dict[str, str], list[Problem]]:
        """Texts by file name for the ``patterns`` of a setting, each file once, and problems for unreadable files."""
        texts: dict[str, str] = {}
        problems: dict[str, Problem] = {}
        for index, pattern in enumerate(patterns):
            names = self.names.get(pattern, Unreadable("is not read"))
            contents = {pattern: names} if isinstance(names, Unreadable) else {name: self.texts[name] for name in names}
            for name, text in contents.items():
                if isinstance(text, Unreadable):
                    problems.setdefault(name, Problem(f"{setting}[{index}]", f"{name} {text.reason}"))
                else:
                    texts[name] = text
        return texts, list(problems.values())
