"""Runs git for a person who is not there to answer: it asks nothing, ends in time, and its words hide logins."""

import errno
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from airunway.text.credentials import without_tokens
from airunway.text.terminal import printable

_SECONDS = 20.0
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_OPEN_SSH = "-o BatchMode=yes"


class GitError(Exception):
    """git failed; the message is its own, without logins."""


class GitMissingError(GitError):
    """There is no git, or it can't be run."""


class GitTimeoutError(GitError):
    """git did not end in time; ``output`` is what it had printed by then."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class Git:
    """git in one folder; without ``fetches`` it reads only what is on this machine, also in a partial clone."""

    folder: Path
    fetches: bool = True

    def __call__(
        self,
        *arguments: str,
        text: str | None = None,
        index: Path | None = None,
        seconds: float | None = _SECONDS,
        errors: bool = False,
    ) -> str:
        """Return what a command prints, or with ``errors`` what it says on standard error.

        ``text`` is its input, ``index`` the index that it uses instead of the repository's. Without ``seconds`` it may
        take as long as it takes. Raises ``GitError``.
        """
        environment = _environment(os.environ, self._ssh_command() if arguments[0] == "push" else None)
        if index is not None:
            environment["GIT_INDEX_FILE"] = str(index)
        if not self.fetches:
            environment["GIT_ALLOW_PROTOCOL"] = "none"
        try:
            process = subprocess.Popen(  # noqa: S603
                [_program(), "-C", str(self.folder), *arguments],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # no terminal to ask on, and one group to end
            )
        except OSError as error:
            raise GitMissingError(f"git can't be run: {error.strerror}") from error
        with process:
            try:
                output, said = process.communicate((text or "").encode("utf-8", "surrogateescape"), seconds)
            except BaseException as error:  # Ctrl-C too, which does not reach its group
                os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    message = f"git {arguments[0]} did not end within {seconds:.0f} seconds"
                    raise GitTimeoutError(message, _decoded(error.output or b"")) from error
                raise
        message = _masked(said)
        if process.returncode:
            raise GitError(message.strip() or f"git {arguments[0]} ended with {process.returncode}")
        return message if errors else _decoded(output)

    def line(self, *arguments: str) -> str:
        """The one line that a command prints; empty if it fails."""
        try:
            return self(*arguments).strip()
        except GitError:
            return ""

    def _ssh_command(self) -> str:
        return os.environ.get("GIT_SSH_COMMAND") or self.line("config", "--get", "core.sshCommand") or "ssh"


def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return program


def _environment(environment: Mapping[str, str], ssh: str | None) -> dict[str, str]:
    """That of a git which asks nothing: git-push would ask for logins, OpenSSH for passphrases and unknown hosts.

    git-status would take the index's lock to note what it saw, and a commit of the person would fail meanwhile.
    """
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    if ssh and "GIT_SSH" not in environment:
        quiet["GIT_SSH_COMMAND"] = f"{ssh} {_OPEN_SSH}"
    return dict(environment) | quiet


def _decoded(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape")


def _masked(said: bytes) -> str:
    return printable(without_tokens(_LOGIN.sub("…@", said.decode("utf-8", "replace"))))
