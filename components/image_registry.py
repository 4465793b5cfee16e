"""Where built images are kept."""

import base64
import json
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

from airunway.planning.build_services import registry_objects
from airunway.planning.image_build import NAMESPACE, PULL_SECRET, PUSH_SECRET, hosts, system_labels
from airunway.planning.settings import StackSettings
from airunway.text.names import dns_label
from components.children import child_options, claim_changes, kept_options
from components.kubernetes_object import KubernetesObject
from components.secret_object import secret_object


class ImageRegistryArgs(TypedDict):
    """Arguments of ``ImageRegistry``."""

    settings: StackSettings
    """The stack's settings; ``registry`` says which of the two it is."""

    needs: list[pulumi.Resource]
    """What its children wait for: namespaces."""

    on_failure: pulumi.ErrorHook
    """What runs when a child fails."""

    password: NotRequired[pulumi.Input[str] | None]
    """Password of an existing registry's user."""


class ImageRegistry(pulumi.ComponentResource):
    """A registry in the cluster, or the login to an existing one.

    The volume of a registry in the cluster outlives the component: what is pulled from it may still be running.
    """

    push_host: pulumi.Output[str]
    """Host that images are pushed to."""

    pull_host: pulumi.Output[str]
    """The same as nodes see it."""

    def __init__(self, name: str, args: ImageRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        settings = args["settings"]
        hosts_of = hosts(settings)
        super().__init__(
            "airunway:index:ImageRegistry", name, {"pushHost": hosts_of.push, "pullHost": hosts_of.pull}, opts
        )
        earlier = list(args["needs"])
        for manifest in registry_objects(settings.registry.managed) if settings.registry.managed else []:
            keep = manifest["kind"] == "PersistentVolumeClaim"
            options = (
                kept_options(self, earlier, claim_changes(manifest), args["on_failure"])
                if keep
                else child_options(self, depends_on=earlier, on_error=args["on_failure"])
            )
            earlier.append(
                KubernetesObject(f"{manifest['metadata']['name']}-{manifest['kind'].lower()}", manifest, options)
            )
        self._needs = args["needs"]
        self._logins: dict[str, KubernetesObject] = {}
        existing, password = settings.registry.existing, args.get("password")
        self._access = (
            (existing.username, password) if existing and existing.username and password is not None else None
        )
        if self._access:
            self._login(PUSH_SECRET, NAMESPACE, hosts_of.push, ())
        self._pull = hosts_of.pull
        self.push_host, self.pull_host = (
            pulumi.Output.from_input(hosts_of.push),
            pulumi.Output.from_input(hosts_of.pull),
        )
        self.register_outputs({"pushHost": self.push_host, "pullHost": self.pull_host})

    def login(self, namespace: str, needs: Sequence[pulumi.Resource]) -> KubernetesObject:
        """The Secret with which pods of ``namespace`` pull, created after ``needs`` where it is not there yet."""
        if namespace not in self._logins:
            self._logins[namespace] = self._login(PULL_SECRET, namespace, self._pull, needs)
        return self._logins[namespace]

    def _login(self, secret: str, namespace: str, host: str, needs: Sequence[pulumi.Resource]) -> KubernetesObject:
        if self._access is None:
            raise ValueError("the registry takes no login")
        depends_on = [*self._needs, *(need for need in needs if need not in self._needs)]
        return secret_object(
            self, dns_label(secret, namespace), _login(secret, namespace, host, *self._access), depends_on
        )


def _login(name: str, namespace: str, host: str, username: str, password: pulumi.Input[str]) -> dict[str, Any]:
    server = host.split("/", 1)[0]

    def config(text: str) -> str:
        auth = base64.b64encode(f"{username}:{text}".encode()).decode()
        return json.dumps({"auths": {server: {"username": username, "password": text, "auth": auth}}})

    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": system_labels(name, "restricted")},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": pulumi.Output.secret(pulumi.Output.from_input(password).apply(config))},
    }
