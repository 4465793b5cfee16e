"""Read a stack's cluster from the kubeconfig as Pulumi's Kubernetes provider (4.34.2) and kubectl (1.32) do.

``airunway:cluster.kubeconfig`` is one file, with ``~`` for the home directory, or a kubeconfig's text. Without it the
files in KUBECONFIG are merged as kubectl does, or ~/.kube/config is read. In-cluster configuration is not used.
"""

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from airunway.live.api_server.kubeconfig_entries import ClusterEntry, ContextEntry, Entry, KubeconfigFile, UserEntry
from airunway.planning.settings import Cluster
from airunway.text.bounded_files import UnreadableFileError, read_text_file
from airunway.text.problems import InputError, Problem, dotted_field, format_value, suggest_name
from airunway.text.yaml_reading import read_document

_SETTING = "cluster.kubeconfig"
_Entry = TypeVar("_Entry", bound=Entry)


@dataclass(frozen=True)
class Context:
    """A context with its cluster and user; their files have absolute paths."""

    name: str
    cluster: ClusterEntry
    user: UserEntry


@dataclass(frozen=True)
class _Source:
    """A kubeconfig's text, its name in messages, and the folders for its relative paths."""

    name: str
    text: str
    folders: Sequence[Path]


@dataclass(frozen=True)
class _Merged:
    """Merged entries, by name."""

    current: str | None
    clusters: Mapping[str, ClusterEntry]
    users: Mapping[str, UserEntry]
    contexts: Mapping[str, ContextEntry]
    origin: str

    def complete(self) -> list[str]:
        """Return the names of contexts whose cluster and user exist."""
        return [
            name
            for name, c in self.contexts.items()
            if c.cluster in self.clusters and (not c.user or c.user in self.users)
        ]


def name_of(settings: Cluster) -> str:
    """Name the cluster in messages, never showing a kubeconfig's text."""
    text = settings.kubeconfig or ""
    return f"cluster {settings.context or (text if text.isprintable() and '{' not in text else _SETTING)}"


def context_names(environment: Mapping[str, str]) -> list[str]:
    """Return the usable contexts of the environment's kubeconfig, the current one first. Raises ``InputError``."""
    merged = _merge(_from_environment(environment))
    return sorted(merged.complete(), key=lambda name: (name != merged.current, name))


def read_context(settings: Cluster, project: Path, environment: Mapping[str, str]) -> Context:
    """Read the context that ``settings`` names, or the current one of its kubeconfig, but never the environment's.

    ``project`` is the folder in which Pulumi runs the provider. Raises ``InputError``.
    """
    if not settings.is_named:
        raise InputError([Problem("cluster", "set context or kubeconfig; the current context is never used")])
    try:
        sources = (
            [_from_setting(settings.kubeconfig, project)] if settings.kubeconfig else _from_environment(environment)
        )
        return _select_context(_merge(sources), settings.context)
    except InputError as error:
        raise InputError(
            [Problem(name_of(settings), f"can't be opened: {problem}") for problem in error.problems]
        ) from error


def _from_setting(text: str, project: Path) -> _Source:
    expanded = text
    if text == "~" or text.startswith("~/"):
        # The provider asks the system for the home directory, not HOME (4.34.2).
        expanded = pwd.getpwuid(os.getuid()).pw_dir + text[1:]
    file = project / expanded
    try:
        file.stat()
    except (OSError, ValueError):
        if not isinstance(read_document(text, _SETTING), dict):
            raise InputError(
                [Problem(_SETTING, f"{format_value(text)} given: neither an existing file nor a kubeconfig's text")]
            ) from None
        return _Source(_SETTING, text, [project])
    # The provider resolves relative paths in its working directory, kubectl in the file's folder.
    return _Source(str(file), _text_of(file) or "", [project, file.parent])


def _from_environment(environment: Mapping[str, str]) -> list[_Source]:
    variable = environment.get("KUBECONFIG", "")
    home = environment.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir
    paths = (
        [Path(p) for p in dict.fromkeys(variable.split(os.pathsep)) if p]
        if variable
        else [Path(home, ".kube", "config")]
    )
    texts = [(path, _text_of(path)) for path in paths]
    sources = [_Source(str(path), text, [path.parent.absolute()]) for path, text in texts if text is not None]
    if not sources:
        missing = "none of the files in KUBECONFIG exists" if variable else "there is no kubeconfig"
        raise InputError([Problem("", f"{missing} ({', '.join(map(str, paths))}); set KUBECONFIG or {_SETTING}")])
    return sources


def _text_of(path: Path) -> str | None:
    """Read a file; None if it does not exist."""
    try:
        return read_text_file(path)
    except UnreadableFileError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise InputError([Problem(str(path), str(error))]) from error


def _merge(sources: Sequence[_Source]) -> _Merged:
    """Merge all sources; the first entry of a name wins, as in client-go 0.36 (tools/clientcmd/loader.go)."""
    clusters: dict[str, ClusterEntry] = {}
    users: dict[str, UserEntry] = {}
    contexts: dict[str, ContextEntry] = {}
    current = None
    for source in sources:
        file = _parse(source)
        current = current or file.current_context
        clusters = {
            c.name: _with_paths(c.entry, source, "certificate_authority") for c in file.clusters or []
        } | clusters
        users = {u.name: _user_with_paths(u.entry, source) for u in file.users or []} | users
        contexts = {c.name: c.entry for c in file.contexts or []} | contexts
    return _Merged(current, clusters, users, contexts, ", ".join(source.name for source in sources))


def _parse(source: _Source) -> KubeconfigFile:
    document = read_document(source.text, source.name)
    if not isinstance(document, dict | None):
        raise InputError([Problem(source.name, "is not a kubeconfig: must be a map")])
    try:
        file = KubeconfigFile.model_validate(document or {})
    except ValidationError as error:
        # Without the input: it may be a secret.
        details = [
            (dotted_field(d["loc"]), str(d["msg"]).removeprefix("Value error, "))
            for d in error.errors(include_url=False)
        ]
        raise InputError(
            [Problem(source.name, f"{path}: {message[0].lower()}{message[1:]}") for path, message in details]
        ) from None
    if (file.api_version or "v1", file.kind or "Config") != ("v1", "Config"):
        raise InputError([Problem(source.name, f"is {file.kind} of {file.api_version}; must be Config of v1")])
    for part, entries in (("clusters", file.clusters), ("users", file.users), ("contexts", file.contexts)):
        names = [n.name for n in entries or []]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if duplicates:
            raise InputError([Problem(source.name, f"{part}: {', '.join(duplicates)} defined twice")])
    return file


def _with_paths(entry: _Entry, source: _Source, *fields: str) -> _Entry:
    """Make the paths in ``fields`` of ``entry`` absolute."""
    values = {field: getattr(entry, field) for field in fields}
    return entry.model_copy(
        update={field: _absolute(value, source.folders) for field, value in values.items() if value}
    )


def _user_with_paths(user: UserEntry, source: _Source) -> UserEntry:
    resolved = _with_paths(user, source, "client_certificate", "client_key", "token_file")
    if resolved.exec is None or os.sep not in resolved.exec.command:
        return resolved  # a bare name is resolved on PATH
    return resolved.model_copy(update={"exec": _with_paths(resolved.exec, source, "command")})


def _absolute(path: str, folders: Sequence[Path]) -> str:
    """Resolve ``path`` in the first of ``folders`` that has it."""
    candidates = [folder / path for folder in folders]
    return str(next((candidate for candidate in candidates if os.path.exists(candidate)), candidates[-1]))


def _select_context(merged: _Merged, context_name: str | None) -> Context:
    name = context_name or merged.current
    complete = sorted(merged.complete())
    valid = f"valid contexts: {', '.join(complete) or 'none'}"
    if not name:
        raise InputError([Problem(merged.origin, f"has no current-context, and cluster.context is not set; {valid}")])
    context = merged.contexts.get(name)
    if context is None:
        raise InputError(
            [Problem(merged.origin, f"no context '{name}'; {suggest_name(name, complete) if complete else valid}")]
        )
    path = f"{merged.origin}: context '{name}'"
    cluster, user = merged.clusters.get(context.cluster or ""), merged.users.get(context.user or "")
    if cluster is None:
        missing = f"names cluster '{context.cluster}', which does not exist" if context.cluster else "names no cluster"
        raise InputError([Problem(path, f"{missing}; {valid}")])
    if user is None and context.user:
        raise InputError([Problem(path, f"names user '{context.user}', which does not exist; {valid}")])
    selected = Context(name, cluster, user or UserEntry())
    problems = [Problem(f"{path}, cluster '{context.cluster}'", message) for message in selected.cluster.problems()]
    problems += [Problem(f"{path}, user '{context.user}'", message) for message in selected.user.problems()]
    if problems:
        raise InputError(problems)
    return selected
