"""A stack's cluster, found in the kubeconfig as Pulumi's Kubernetes provider (4.34.2) and kubectl (1.32) find it.

``airunway:cluster.kubeconfig`` is what the provider takes: one file, ``~`` being the account's home, or a kubeconfig's
text. Without it the files of KUBECONFIG are merged as kubectl does, else ~/.kube/config is read. Nothing is taken from
inside a pod.
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
from airunway.text.problems import InputError, Problem, dotted_field, format_value, suggest_name
from airunway.text.yaml_reading import read_document

_SETTING = "cluster.kubeconfig"
_Entry = TypeVar("_Entry", bound=Entry)


@dataclass(frozen=True)
class Context:
    """One context with its cluster and user, whose files are named by absolute paths."""

    name: str
    cluster: ClusterEntry
    user: UserEntry


@dataclass(frozen=True)
class _Source:
    """A kubeconfig's text, its name in messages, and the folders in which its relative paths are looked up."""

    name: str
    text: str
    folders: Sequence[Path]


@dataclass(frozen=True)
class _Merged:
    """Entries by name."""

    current: str | None
    clusters: Mapping[str, ClusterEntry]
    users: Mapping[str, UserEntry]
    contexts: Mapping[str, ContextEntry]
    origin: str

    def complete(self) -> list[str]:
        """Names of the contexts whose cluster and user are there."""
        return [
            name
            for name, c in self.contexts.items()
            if c.cluster in self.clusters and (not c.user or c.user in self.users)
        ]


def name_of(settings: Cluster) -> str:
    """What messages call the cluster; a kubeconfig's text is never shown."""
    text = settings.kubeconfig or ""
    return f"cluster {settings.context or (text if text.isprintable() and '{' not in text else _SETTING)}"


def read_context(settings: Cluster, project: Path, environment: Mapping[str, str]) -> Context:
    """The context that ``settings`` names, or its kubeconfig's current one; the current context of the environment
    never counts.

    ``project`` is the folder in which Pulumi runs the provider. Raises ``InputError``.
    """
    if not settings.context and not settings.kubeconfig:
        raise InputError(
            [Problem("cluster", "names neither context nor kubeconfig; the current context is never assumed")]
        )
    try:
        sources = [_given(settings.kubeconfig, project)] if settings.kubeconfig else _from_environment(environment)
        return _chosen(_merged(sources), settings.context)
    except InputError as error:
        raise InputError(
            [Problem(name_of(settings), f"can't be opened: {problem}") for problem in error.problems]
        ) from error


def _given(text: str, project: Path) -> _Source:
    path = text
    if text == "~" or text.startswith("~/"):
        # The provider asks the system for the home, not HOME (seen in 4.34.2).
        path = pwd.getpwuid(os.getuid()).pw_dir + text[1:]
    file = project / path
    try:
        file.stat()
    except (OSError, ValueError):
        if not isinstance(read_document(text, _SETTING), dict):
            raise InputError(
                [Problem(_SETTING, f"{format_value(text)} given: there is no such file, nor is it a kubeconfig's text")]
            ) from None
        return _Source(_SETTING, text, [project])
    # The provider starts relative paths in the folder it runs in, kubectl in the file's.
    return _Source(str(file), _text_of(file) or "", [project, file.parent])


def _from_environment(environment: Mapping[str, str]) -> list[_Source]:
    listed = environment.get("KUBECONFIG", "")
    home = environment.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir
    paths = (
        [Path(p) for p in dict.fromkeys(listed.split(os.pathsep)) if p] if listed else [Path(home, ".kube", "config")]
    )
    texts = [(path, _text_of(path)) for path in paths]
    sources = [_Source(str(path), text, [path.parent.absolute()]) for path, text in texts if text is not None]
    if not sources:
        missing = "none of the files of KUBECONFIG is there" if listed else "there is no kubeconfig"
        raise InputError([Problem("", f"{missing} ({', '.join(map(str, paths))}); set KUBECONFIG or {_SETTING}")])
    return sources


def _text_of(path: Path) -> str | None:
    """What the file says; None where it is not there."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError([Problem(str(path), f"can't be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), "is not UTF-8 text")]) from error


def _merged(sources: Sequence[_Source]) -> _Merged:
    """All sources as one: the first that has a name, or a current context, wins (client-go 0.36,
    tools/clientcmd/loader.go).
    """
    clusters: dict[str, ClusterEntry] = {}
    users: dict[str, UserEntry] = {}
    contexts: dict[str, ContextEntry] = {}
    current = None
    for source in sources:
        file = _parsed(source)
        current = current or file.current_context
        clusters = {
            c.name: _with_paths(c.entry, source, "certificate_authority") for c in file.clusters or []
        } | clusters
        users = {u.name: _user_with_paths(u.entry, source) for u in file.users or []} | users
        contexts = {c.name: c.entry for c in file.contexts or []} | contexts
    return _Merged(current, clusters, users, contexts, ", ".join(source.name for source in sources))


def _parsed(source: _Source) -> KubeconfigFile:
    document = read_document(source.text, source.name)
    if not isinstance(document, dict | None):
        raise InputError([Problem(source.name, "is no kubeconfig: a map is wanted")])
    try:
        file = KubeconfigFile.model_validate(document or {})
    except ValidationError as error:
        # Without what was given: it may be a secret.
        details = [
            (dotted_field(d["loc"]), str(d["msg"]).removeprefix("Value error, "))
            for d in error.errors(include_url=False)
        ]
        raise InputError(
            [Problem(source.name, f"{path}: {said[0].lower()}{said[1:]}") for path, said in details]
        ) from None
    if (file.api_version or "v1", file.kind or "Config") != ("v1", "Config"):
        raise InputError([Problem(source.name, f"is {file.kind} of {file.api_version}; Config of v1 is wanted")])
    for part, named in (("clusters", file.clusters), ("users", file.users), ("contexts", file.contexts)):
        names = [n.name for n in named or []]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError([Problem(source.name, f"{part}: {', '.join(twice)} stands there twice")])
    return file


def _with_paths(entry: _Entry, source: _Source, *fields: str) -> _Entry:
    """``entry`` with the paths in ``fields`` made absolute."""
    values = {field: getattr(entry, field) for field in fields}
    return entry.model_copy(
        update={field: _absolute(value, source.folders) for field, value in values.items() if value}
    )


def _user_with_paths(user: UserEntry, source: _Source) -> UserEntry:
    placed = _with_paths(user, source, "client_certificate", "client_key", "token_file")
    if placed.exec is None or os.sep not in placed.exec.command:
        return placed  # a bare name is looked up on PATH
    return placed.model_copy(update={"exec": _with_paths(placed.exec, source, "command")})


def _absolute(path: str, folders: Sequence[Path]) -> str:
    """``path`` in the first of ``folders`` that has it."""
    places = [folder / path for folder in folders]
    return str(next((place for place in places if os.path.exists(place)), places[-1]))


def _chosen(merged: _Merged, wanted: str | None) -> Context:
    name = wanted or merged.current
    complete = sorted(merged.complete())
    valid = f"valid contexts: {', '.join(complete) or 'none'}"
    if not name:
        raise InputError([Problem(merged.origin, f"has no current-context, and cluster.context is not given; {valid}")])
    context = merged.contexts.get(name)
    if context is None:
        raise InputError(
            [Problem(merged.origin, f"no context '{name}'; {suggest_name(name, complete) if complete else valid}")]
        )
    path = f"{merged.origin}: context '{name}'"
    cluster, user = merged.clusters.get(context.cluster or ""), merged.users.get(context.user or "")
    if cluster is None:
        missing = f"names cluster '{context.cluster}', which is not there" if context.cluster else "names no cluster"
        raise InputError([Problem(path, f"{missing}; {valid}")])
    if user is None and context.user:
        raise InputError([Problem(path, f"names user '{context.user}', which is not there; {valid}")])
    chosen = Context(name, cluster, user or UserEntry())
    wrong = [Problem(f"{path}, cluster '{context.cluster}'", what) for what in chosen.cluster.problems()]
    wrong += [Problem(f"{path}, user '{context.user}'", what) for what in chosen.user.problems()]
    if wrong:
        raise InputError(wrong)
    return chosen
