"""Pages of a forge, by the address of a git remote: where a pull request is opened for a branch, and a commit's."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from airunway.text.yaml_reading import load_data

_SCP_LIKE = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^:\s]+)")
"""``[USER@]HOST:PATH`` (git-clone, "Git URLs")."""
_SCHEMES = ("https", "http", "ssh", "git+ssh", "ssh+git")
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
_OFFER = re.compile(r"(pull|merge) request", re.IGNORECASE)
_REMOTE = "remote:"


@dataclass(frozen=True)
class Remote:
    """A repository on a host; ``path`` has neither a slash at its ends nor ``.git``."""

    host: str
    path: str


def parse_remote(address: str) -> Remote | None:
    """The repository of a remote's address; None for a folder, or where it is none."""
    if "://" in address:
        try:
            parts = urlsplit(address)
            host, path = parts.hostname or "", parts.path
        except ValueError:
            return None
        if parts.scheme not in _SCHEMES:
            return None
    elif match := _SCP_LIKE.fullmatch(address):
        host, path = match["host"].lower(), match["path"]
    else:
        return None
    path = path.strip("/").removesuffix(".git").strip("/")
    return Remote(host, path) if host and path else None


def pull_request_page(address: str, branch: str, base: str | None) -> str | None:
    """The page for merging ``branch`` into ``base``; None for a forge that is not known."""
    return _page(address, "page" if base else "withoutBase", branch=quote(branch, safe="/"), base=quote(base or ""))


def commit_page(address: str, commit: str) -> str | None:
    """The page of a commit, by its whole id; None for a forge that is not known."""
    return _page(address, "commit", commit=quote(commit))


def _page(address: str, kind: str, **values: str) -> str | None:
    remote = parse_remote(address)
    forge = _forge_of(remote.host) if remote else None
    if remote is None or forge is None or kind not in forge:
        return None
    path = remote.path
    for pattern, replacement in forge.get("paths", {}).items():
        path = re.sub(f"^{pattern}$", replacement, path)
    return str(forge[kind]).format(host=forge.get("web", remote.host), path=quote(unquote(path)), **values)


def offered_page(said: str) -> str | None:
    """The page that a forge itself offered in its answer to a push; None if it did not.

    GitHub, GitLab, Bitbucket and Forgejo write a sentence with "pull request" or "merge request", and the address in it
    or on the next line.
    """
    lines = [line.strip().removeprefix(_REMOTE) for line in said.splitlines() if line.strip().startswith(_REMOTE)]
    for index, line in enumerate(lines):
        if _OFFER.search(line) and (found := _ADDRESS.search(" ".join(lines[index : index + 2]))):
            return found[0]
    return None


def _forge_of(host: str) -> Mapping[str, Any] | None:
    forges: Sequence[Mapping[str, Any]] = load_data(Path(__file__).with_name("forges.yaml"))["forges"]
    for forge in forges:
        if host in forge["hosts"] or host.partition(".")[0] in forge.get("labels", ()):
            return forge
    return None
