"""Secrets with the login to a registry."""

import base64
import json
import secrets
from typing import Any

import bcrypt
import pulumi
from pulumi.output import UNKNOWN

from airunway.planning.image_build import LOGIN_SECRET, NAMESPACE, system_labels
from airunway.planning.registry_objects import HTPASSWD

_DOCKER_CONFIG = ".dockerconfigjson"
_BUILDER = "builder"
GENERATED = ("data", "stringData")
"""Fields of the generated login's Secret whose changes are to be ignored: the provider's state has the first."""


def docker_login(name: str, namespace: str, host: str, username: str, password: pulumi.Input[str]) -> dict[str, Any]:
    """Return the Secret with the login of a user to the registry at ``host``."""
    text = pulumi.Output.from_input(password).apply(lambda known: _docker_config(host, username, known))
    return _secret(name, namespace, {_DOCKER_CONFIG: pulumi.Output.secret(text)})


def generated_login(host: str) -> dict[str, Any]:
    """Return the Secret with a new login for pushes, as docker's client and the registry read it.

    Each call makes another one, so changes of ``GENERATED`` must be ignored. Unknown in a preview.
    """
    password = secrets.token_urlsafe(32)
    # The least cost: the password is 256 random bits, and the registry checks it in each request.
    line = f"{_BUILDER}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n"
    texts = {_DOCKER_CONFIG: _docker_config(host, _BUILDER, password), HTPASSWD: line}
    is_preview = pulumi.runtime.is_dry_run()
    data = {
        key: pulumi.Output.secret(text).apply(lambda known: UNKNOWN if is_preview else known)
        for key, text in texts.items()
    }
    return _secret(LOGIN_SECRET, NAMESPACE, data)


def _docker_config(host: str, username: str, password: str) -> str:
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    server = host.split("/", 1)[0]
    return json.dumps({"auths": {server: {"username": username, "password": password, "auth": auth}}})


def _secret(name: str, namespace: str, data: dict[str, pulumi.Output[Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": system_labels(name, "restricted")},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": data,
    }
