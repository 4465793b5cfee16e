"""The files that a stack's settings name, looked for and read in the project's folder, whatever the working directory
is.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from airunway.planning.files import Files, Unreadable

_MAGIC = "*?["
_ANY_DEPTH = "**"


def read_files(root: Path, patterns: Iterable[str], changed: Mapping[str, str] | None = None) -> Files:
    """Every file that ``patterns`` name, by its path in the project at ``root``.

    ``changed`` are texts that a file is to hold, by the same path.

    ``*``, ``?`` and ``[a-z]`` stand for parts of a name and ``**`` for folders of any depth; they pass over names that
    begin with a dot, and ``**`` does not go through links. A file is one file whatever links lead to it; one outside
    has to be named by its absolute path.
    """
    project = root.resolve()
    names = {pattern: _named_by(pattern, project) for pattern in patterns}
    files = {name for some in names.values() if not isinstance(some, Unreadable) for name in some}
    return Files(
        names,
        {name: _text(project / name) for name in sorted(files)}
        | {k: v for k, v in (changed or {}).items() if k in files},
    )


def _named_by(pattern: str, project: Path) -> tuple[str, ...] | Unreadable:
    """Paths in the project, or absolute ones outside, of the files that a pattern names."""
    path = Path(pattern)
    try:
        is_glob = _has_magic(pattern) and not os.path.lexists(project / path)
        above, below = _split(path) if is_glob else (path, ())
        folder = project / above
        if not path.is_absolute() and not folder.resolve().is_relative_to(project):
            return _outside(folder)
        if is_glob and not folder.is_dir():
            return Unreadable(f"matches no file: there is no folder {folder}")
        if is_glob and any(_ANY_DEPTH in part and part != _ANY_DEPTH for part in below):
            return Unreadable(f"has {_ANY_DEPTH} beside other characters; it stands alone between slashes")
        files = {file: file.resolve() for file in (_matches(folder, below) if is_glob else [folder])}
    except (OSError, ValueError, RuntimeError) as error:
        return _unreadable(error)
    if not files:
        return Unreadable(f"matches no file in {folder}")
    if not path.is_absolute() and (
        astray := [file for file, real in files.items() if not real.is_relative_to(project)]
    ):
        return _outside(astray[0])
    return tuple(dict.fromkeys(_path_in(project, real) for real in files.values()))


def _has_magic(text: str) -> bool:
    return any(sign in text for sign in _MAGIC)


def _split(pattern: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder below which a pattern is looked for, and the parts that files below it have to fit."""
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if _has_magic(part))
    return Path(*parts[:first]), parts[first:]


def _outside(path: Path) -> Unreadable:
    return Unreadable(f"leads out of the project, to {path.resolve()}; use files of the project, or an absolute path")


def _path_in(project: Path, file: Path) -> str:
    return (file.relative_to(project) if file.is_relative_to(project) else file).as_posix()


def _matches(folder: Path, parts: Sequence[str]) -> list[Path]:
    """Files below ``folder`` whose paths fit ``parts``, sorted. Raises ``OSError`` where a folder can't be listed."""
    return sorted(set(_below(folder, parts if parts[-1] != _ANY_DEPTH else (*parts, "*"))))


def _below(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Files below ``folder`` whose paths fit ``parts``. Unlike ``glob`` this does not pass over a folder that can't be
    listed.
    """
    part, rest = parts[0], parts[1:]
    if part == _ANY_DEPTH:
        yield from _below(folder, rest)
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith(".") and not part.startswith("."):
                continue
            if part == _ANY_DEPTH:
                yield from _below(path, parts) if entry.is_dir(follow_symlinks=False) else ()
            elif fnmatchcase(entry.name, part):
                if rest:
                    yield from _below(path, rest) if entry.is_dir() else ()
                elif not entry.is_dir():
                    yield path


def _text(path: Path) -> str | Unreadable:
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return path.read_text(encoding="utf-8")
        return Unreadable(
            "is a folder; name its files, as in folder/*.yaml" if stat.S_ISDIR(mode) else "is no regular file"
        )
    except UnicodeDecodeError as error:
        return Unreadable(f"is not UTF-8: {error.reason} at byte {error.start}")
    except (OSError, ValueError) as error:
        return _unreadable(error)


def _unreadable(error: Exception) -> Unreadable:
    return Unreadable(f"can't be read: {error.strerror if isinstance(error, OSError) else error}")
