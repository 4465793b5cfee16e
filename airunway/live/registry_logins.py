"""Logins to registries, as `docker login` keeps them, read by Docker's own library (docker 7.2).

They are in DOCKER_CONFIG or ~/.docker/config.json, or with the credential helper that this file names.
"""

import threading
import warnings
from dataclasses import dataclass, field
from typing import Any

from docker.auth import load_config
from docker.errors import DockerException

from airunway.text.problems import InputError, Problem

_UNREADABLE = (DockerException, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Login:
    """A user with a password, or an identity token, of which there is neither here."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_token(self) -> bool:
        """Whether it is an identity token."""
        return self.user is None


class RegistryLogins:
    """The logins as they are now; a registry's is read when it is asked for."""

    def __init__(self) -> None:
        self._config: Any = None
        self._lock = threading.Lock()  # a helper may ask a person, once

    def login(self, registry: str) -> Login | None:
        """The login to a registry; None if there is none. Raises ``InputError``."""
        try:
            with self._lock, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a helper that is not installed, which is an error too
                self._config = self._config or load_config()
                found = self._config.resolve_authconfig(registry)
        except _UNREADABLE as error:
            message = f"its login can't be read from Docker's config.json or its credential helper: {_words(error)}"
            raise InputError([Problem(registry, message)]) from error
        if not found:
            return None
        values = {key.lower(): value for key, value in found.items()}
        if not values.get("username"):
            return Login() if values.get("identitytoken") else None
        return Login(str(values["username"]), str(values.get("password", "")))


def _words(error: Exception) -> str:
    """What of the error can hold no login."""
    is_missing = isinstance(error, DockerException) and "not installed" in str(error)
    return "the helper is not installed" if is_missing else type(error).__name__
