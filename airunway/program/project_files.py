"""Find and read the files that a stack's settings name, relative to the project's folder."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from airunway.planning.files import Files, Unreadable
from airunway.text.bounded_files import UnreadableFileError, read_text_file

_WILDCARDS = "*?["
_ANY_DEPTH = "**"


def read_files(root: Path, patterns: Iterable[str], edited: Mapping[str, str] | None = None) -> Files:
    """Read every file that ``patterns`` match, by its path in the project at ``root``.

    ``edited`` are unsaved texts of files, by the same paths.

    ``*``, ``?`` and ``[a-z]`` match parts of a name and ``**`` folders of any depth; they skip names that start with a
    dot, and ``**`` does not follow links. Links to one file count once; a file outside the project needs an absolute
    path.
    """
    project = root.resolve()
    names = {pattern: _matching_files(pattern, project) for pattern in patterns}
    files = {name for matches in names.values() if not isinstance(matches, Unreadable) for name in matches}
    return Files(
        names,
        {name: _read_text(project / name) for name in sorted(files)}
        | {k: v for k, v in (edited or {}).items() if k in files},
    )


def _matching_files(pattern: str, project: Path) -> tuple[str, ...] | Unreadable:
    """Return the matching files: paths relative to the project, or absolute ones outside."""
    path = Path(pattern)
    try:
        is_glob = _is_pattern(pattern) and not os.path.lexists(project / path)
        parent, parts = _split_pattern(path) if is_glob else (path, ())
        folder = project / parent
        if not path.is_absolute() and not folder.resolve().is_relative_to(project):
            return _outside_error(folder)
        if is_glob and not folder.is_dir():
            return Unreadable(f"matches no file: there is no folder {folder}")
        if is_glob and any(_ANY_DEPTH in part and part != _ANY_DEPTH for part in parts):
            return Unreadable(f"has {_ANY_DEPTH} next to other characters; write it alone between slashes")
        files = {file: file.resolve() for file in (_matches(folder, parts) if is_glob else [folder])}
    except (OSError, ValueError, RuntimeError) as error:
        return _unreadable(error)
    if not files:
        return Unreadable(f"matches no file in {folder}")
    if not path.is_absolute() and (
        outside := [file for file, target in files.items() if not target.is_relative_to(project)]
    ):
        return _outside_error(outside[0])
    return tuple(dict.fromkeys(_path_in(project, target) for target in files.values()))


def _is_pattern(text: str) -> bool:
    return any(character in text for character in _WILDCARDS)


def _split_pattern(pattern: Path) -> tuple[Path, tuple[str, ...]]:
    """Split a pattern into its fixed folder and the parts to match below it."""
    parts = pattern.parts
    first = next(i for i, part in enumerate(parts) if _is_pattern(part))
    return Path(*parts[:first]), parts[first:]


def _outside_error(path: Path) -> Unreadable:
    return Unreadable(f"leads out of the project, to {path.resolve()}; use files of the project, or an absolute path")


def _path_in(project: Path, file: Path) -> str:
    return (file.relative_to(project) if file.is_relative_to(project) else file).as_posix()


def _matches(folder: Path, parts: Sequence[str]) -> list[Path]:
    """Return the sorted files below ``folder`` that match ``parts``. Raises ``OSError`` for an unreadable folder."""
    return sorted(set(_walk(folder, parts if parts[-1] != _ANY_DEPTH else (*parts, "*"))))


def _walk(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Yield the files below ``folder`` that match ``parts``; unlike ``glob``, fail on unreadable folders."""
    part, rest = parts[0], parts[1:]
    if part == _ANY_DEPTH:
        yield from _walk(folder, rest)
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith(".") and not part.startswith("."):
                continue
            if part == _ANY_DEPTH:
                yield from _walk(path, parts) if entry.is_dir(follow_symlinks=False) else ()
            elif fnmatchcase(entry.name, part):
                if rest:
                    yield from _walk(path, rest) if entry.is_dir() else ()
                elif not entry.is_dir():
                    yield path


def _read_text(path: Path) -> str | Unreadable:
    try:
        return read_text_file(path)
    except UnreadableFileError as error:
        return Unreadable(
            f"{error}; name its files, as in folder/*.yaml"
            if isinstance(error.__cause__, IsADirectoryError)
            else str(error)
        )


def _unreadable(error: Exception) -> Unreadable:
    return Unreadable(f"can't be read: {error.strerror if isinstance(error, OSError) else error}")
