"""An input to a command, or to a form of the console."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class BadInput:
    """A command with the files that it finds in its project, its environment and its standard input."""

    kind: str
    arguments: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    special: Callable[[Path], None] | None = None
    """Makes what is no regular file."""
    form: tuple[str, dict[str, str]] | None = None
    """Path and fields of a form of the console, instead of a command."""

    def write(self, root: Path) -> None:
        for name, content in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if self.special is not None:
            self.special(root)
