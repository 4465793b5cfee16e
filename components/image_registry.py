"""The registry for built images."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from airunway.planning.image_build import LOGIN_SECRET, NAMESPACE, PULL_SECRET, PUSH_SECRET, hosts
from airunway.planning.registry_objects import registry_objects
from airunway.planning.settings import ManagedRegistry, StackSettings
from airunway.text.names import dns_label
from components.children import child_options, ignored_claim_fields, retained_options
from components.kubernetes_object import KubernetesObject
from components.registry_login import GENERATED, docker_login, generated_login
from components.secret_object import secret_object


class ImageRegistryArgs(TypedDict):
    """Arguments of ``ImageRegistry``."""

    settings: StackSettings
    """The stack's settings, including ``registry``."""

    depends_on: list[pulumi.Resource]
    """Dependencies of its children: namespaces."""

    on_failure: pulumi.ErrorHook
    """Hook that runs when a child fails."""

    password: NotRequired[pulumi.Input[str] | None]
    """Password of an existing registry's user."""


class ImageRegistry(pulumi.ComponentResource):
    """A registry in the cluster with a generated login for pushes, or the login to an existing one.

    The volume of a registry in the cluster is retained: images from it may still be running.
    """

    push_host: pulumi.Output[str]
    """Host that images are pushed to."""

    pull_host: pulumi.Output[str]
    """Host that nodes pull images from."""

    def __init__(self, name: str, args: ImageRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        settings = args["settings"]
        registry_hosts = hosts(settings)
        super().__init__(
            "airunway:index:ImageRegistry",
            name,
            {"pushHost": registry_hosts.push, "pullHost": registry_hosts.pull},
            opts,
        )
        if settings.registry.managed:
            self._create(settings.registry.managed, registry_hosts.push, args)
        self._depends_on = args["depends_on"]
        self._logins: dict[str, KubernetesObject] = {}
        existing, password = settings.registry.existing, args.get("password")
        self._credentials = (
            (existing.username, password) if existing and existing.username and password is not None else None
        )
        if self._credentials:
            self._login(PUSH_SECRET, NAMESPACE, registry_hosts.push, ())
        self._pull_host = registry_hosts.pull
        self.push_host, self.pull_host = (
            pulumi.Output.from_input(registry_hosts.push),
            pulumi.Output.from_input(registry_hosts.pull),
        )
        self.register_outputs({"pushHost": self.push_host, "pullHost": self.pull_host})

    def _create(self, managed: ManagedRegistry, push_host: str, args: ImageRegistryArgs) -> None:
        login = generated_login(push_host)
        secret = secret_object(self, LOGIN_SECRET, login, args["depends_on"], ignore_changes=GENERATED)
        dependencies: list[pulumi.Resource] = [*args["depends_on"], secret]
        for manifest in registry_objects(managed):
            retain = manifest["kind"] == "PersistentVolumeClaim"
            options = (
                retained_options(self, dependencies, ignored_claim_fields(manifest), args["on_failure"])
                if retain
                else child_options(self, depends_on=dependencies, on_error=args["on_failure"])
            )
            dependencies.append(
                KubernetesObject(f"{manifest['metadata']['name']}-{manifest['kind'].lower()}", manifest, options)
            )

    def login(self, namespace: str, depends_on: Sequence[pulumi.Resource]) -> KubernetesObject:
        """Return the pull Secret of ``namespace``, creating it after ``depends_on`` if needed."""
        if namespace not in self._logins:
            self._logins[namespace] = self._login(PULL_SECRET, namespace, self._pull_host, depends_on)
        return self._logins[namespace]

    def _login(self, secret: str, namespace: str, host: str, depends_on: Sequence[pulumi.Resource]) -> KubernetesObject:
        if self._credentials is None:
            raise ValueError("the registry takes no login")
        depends_on = [*self._depends_on, *(need for need in depends_on if need not in self._depends_on)]
        return secret_object(
            self, dns_label(secret, namespace), docker_login(secret, namespace, host, *self._credentials), depends_on
        )
