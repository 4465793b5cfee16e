"""The files that a stack's settings name: who reads them hands over names and texts, or why there are none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from airunway.text.problems import Problem


@dataclass(frozen=True)
class Unreadable:
    """Why a pattern names no file or a file has no text, in words that follow its name."""

    why: str


@dataclass(frozen=True)
class Files:
    """``names`` are the files that each pattern of a setting names, sorted; ``texts`` what each of them holds."""

    names: Mapping[str, Sequence[str] | Unreadable] = field(default_factory=dict)
    texts: Mapping[str, str | Unreadable] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Mapping[str, str | Unreadable]) -> "Files":
        """Files that are named one by one."""
        return cls({name: (name,) for name in texts}, texts)

    def read(self, setting: str, patterns: Sequence[str]) -> tuple[dict[str, str], list[Problem]]:
        """Texts by name of what the ``patterns`` of a setting name, each file once, and what can't be read."""
        texts: dict[str, str] = {}
        problems: dict[str, Problem] = {}
        for index, pattern in enumerate(patterns):
            names = self.names.get(pattern, Unreadable("is not read"))
            contents = {pattern: names} if isinstance(names, Unreadable) else {name: self.texts[name] for name in names}
            for name, text in contents.items():
                if isinstance(text, Unreadable):
                    problems.setdefault(name, Problem(f"{setting}[{index}]", f"{name} {text.why}"))
                else:
                    texts[name] = text
        return texts, list(problems.values())
