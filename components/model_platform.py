"""Resources that the deployments of a cluster share."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from airunway.planning.catalog import provider_configs, provider_settings
from airunway.planning.deployment import TOKEN_SECRET, PlanContext, PlannedDeployment
from airunway.planning.files import Files
from airunway.planning.image_build import NAMESPACE, PlannedImage
from airunway.planning.last_build import LastBuild
from airunway.planning.namespaces import deployment_namespace, system_namespace
from airunway.planning.plan import Plan, parse_settings, secret_problems
from airunway.planning.settings import PASSWORD_SETTING, TOKEN_SETTING, Cluster, InstallationMode, StackSettings
from airunway.planning.volume_claims import registry_claim_problems
from airunway.provider.labels import MANAGED
from airunway.provider.pods import TOKEN_KEY
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.entry import Delivery
from airunway.text.names import dns_label
from airunway.text.problems import InputError, Problem
from components.arguments import PLAIN_VALUE_NEEDED, ArgumentError, read_arguments
from components.children import child_options, retained_options
from components.controller import Controller
from components.failure import failure_hook
from components.image_builder import ImageBuilder, ModelImage
from components.image_registry import ImageRegistry
from components.inference_provider import InferenceProvider
from components.kubernetes_object import KubernetesObject
from components.last_update import LastUpdate, last_update
from components.secret_object import secret_object
from components.settings_types import PlatformArgs
from providers import PROVIDERS

SECRET_ARGUMENTS = {"hugging_face_token": TOKEN_SETTING, "registry_password": PASSWORD_SETTING}
"""Secret arguments and their settings."""


class Platform(pulumi.ComponentResource):
    """Operators, namespaces, token Secrets and image builds, created once and only if a deployment needs them."""

    cluster: Cluster | None
    """The cluster, where settings name it; only then are changes waited for and failed objects looked at."""

    def __init__(
        self,
        name: str,
        args: PlatformArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        plan: Plan | None = None,
        secrets: Mapping[str, pulumi.Input[str]] | None = None,
        previous_update: LastUpdate | None = None,
    ) -> None:
        """Create what ``plan`` needs or, without it, nothing until deployments are added.

        With ``plan``, pass the stack's secrets by setting and its last update instead of ``args``. Raises
        ``ArgumentError`` with all problems of ``args``.
        """
        self.plan = plan
        self._secrets = secrets or secrets_of(args)
        self.target = _target(name, args, plan, has_token=TOKEN_SETTING in self._secrets)
        self.settings = self.target.settings
        self._known_update = previous_update
        super().__init__("airunway:index:Platform", name, {}, opts)
        self.cluster = self.settings.cluster if self.settings.cluster.is_named else None
        self.on_failure = failure_hook(self.cluster, "airunway-failure" if plan else f"airunway-failure-{name}")
        self._operators: dict[str, InferenceProvider] = {}
        self._namespaces: dict[str, KubernetesObject] = {}
        self._tokens: dict[str, KubernetesObject] = {}
        self._controller: list[pulumi.Resource] = []
        self._images: dict[str, ModelImage] = {}
        self._services: tuple[ImageRegistry, ImageBuilder] | None = None
        if plan:
            self._create(plan)
        self.register_outputs({})

    def dependencies(self, planned: PlannedDeployment) -> list[pulumi.Resource]:
        """Return a deployment's dependencies, creating missing ones."""
        request = planned.request
        namespace = self._namespace(request.namespace)
        operator = self._operator(request.config)
        token = [self._token(request.namespace)] if request.token_secret == TOKEN_SECRET else []
        pulling = [request.namespace] if request.pull_secret else []
        image = [self._image(planned.image, pulling)] if planned.image else []
        login = [self._build_services(pulling)[0].login(n, namespace) for n in pulling]
        if planned.delivery == Delivery.MODELDEPLOYMENT and not self._controller:
            error = InputError([Problem("delivery", "the controller needs a whole stack; use ModelServing")])
            raise ArgumentError(planned.name, error) from error
        controller = self._controller if planned.delivery == Delivery.MODELDEPLOYMENT else []
        return [operator, *controller, *namespace, *token, *login, *image]

    def _create(self, plan: Plan) -> None:
        for provider in plan.providers:
            self._operator(provider.config)
        for namespace in plan.namespaces:
            self._namespace(namespace)
        for namespace in plan.token_namespaces:
            self._token(namespace)
        if plan.controller:
            self._controller.append(Controller("controller", {"controller": plan.controller}, child_options(self)))
        for image in plan.images:
            self._image(image, plan.pull_namespaces)

    def _operator(self, config: InferenceProviderConfig) -> InferenceProvider:
        if config.name not in self._operators:
            managed = provider_settings(self.settings, config.name).installation is InstallationMode.MANAGED
            args = {"config": config, "managed": managed, "on_failure": self.on_failure}
            self._operators[config.name] = InferenceProvider(config.name, args, child_options(self))  # type: ignore[arg-type]
        return self._operators[config.name]

    def _namespace(self, namespace: str) -> list[pulumi.Resource]:
        if namespace == "default" or not self.settings.create_namespaces:
            return []
        if namespace not in self._namespaces:
            self._namespaces[namespace] = KubernetesObject(
                namespace, deployment_namespace(namespace, self.settings), retained_options(self)
            )
        return [self._namespaces[namespace]]

    def _token(self, namespace: str) -> KubernetesObject:
        if namespace not in self._tokens:
            secret = _token_secret(namespace, self._secrets[TOKEN_SETTING])
            self._tokens[namespace] = secret_object(
                self, dns_label(TOKEN_SECRET, namespace), secret, self._namespace(namespace)
            )
        return self._tokens[namespace]

    def _image(self, image: PlannedImage, pull_namespaces: Sequence[str]) -> ModelImage:
        registry, builder = self._build_services(pull_namespaces)
        if image.name not in self._images:
            needs: list[pulumi.Resource] = [registry, builder]
            self._images[image.name] = ModelImage(
                image.name,
                {
                    "image": image,
                    "depends_on": needs,
                    "last_build": self._last_build(image),
                    "cluster": self.cluster,
                    "on_failure": self.on_failure,
                },
                child_options(self),
            )
        return self._images[image.name]

    def image_reference(self, image: PlannedImage) -> pulumi.Output[str]:
        """Return ``image``, which a deployment needs, as nodes pull it."""
        return self._images[image.name].reference

    def _last_build(self, image: PlannedImage) -> LastBuild:
        """Return what the last update left of the build of ``image``."""
        component = next(self._last_update.outputs("airunway:index:ModelImage", image.name), {})
        return LastBuild(component, next(self._last_update.outputs("kubernetes:batch/v1:Job", image.name), {}))

    def _build_services(self, pull_namespaces: Sequence[str]) -> tuple[ImageRegistry, ImageBuilder]:
        """Return registry and builder, creating them and pull Secrets in ``pull_namespaces`` if needed."""
        if self._services is None:
            self._refuse_impossible_claims()
            namespace = KubernetesObject(NAMESPACE, system_namespace(self.settings), retained_options(self))
            registry = ImageRegistry(
                "registry",
                {
                    "settings": self.settings,
                    "depends_on": [
                        namespace,
                        *(need for pulling in pull_namespaces for need in self._namespace(pulling)),
                    ],
                    "password": self._secrets.get(PASSWORD_SETTING),
                    "on_failure": self.on_failure,
                },
                child_options(self),
            )
            for pulling in pull_namespaces:
                registry.login(pulling, self._namespace(pulling))
            options = child_options(self)
            builder = ImageBuilder(
                "builder",
                {"settings": self.settings, "depends_on": [namespace], "on_failure": self.on_failure},
                options,
            )
            self._services = registry, builder
        return self._services

    @property
    def _last_update(self) -> LastUpdate:
        """The stack's last update, read once and only where an image is built."""
        self._known_update = self._known_update or last_update()
        return self._known_update

    def _refuse_impossible_claims(self) -> None:
        """Raise ``pulumi.RunError`` if an existing volume claim would need an impossible change."""

        def live(name: str) -> Mapping[str, Any] | None:
            claims = self._last_update.outputs(
                "kubernetes:core/v1:PersistentVolumeClaim", f"{name}-persistentvolumeclaim"
            )
            return next(claims, None)

        problems = registry_claim_problems(self.settings, live)
        if problems:
            raise pulumi.RunError(str(InputError(problems)))


def _target(name: str, args: PlatformArgs, plan: Plan | None, *, has_token: bool) -> PlanContext:
    """Return the target of the platform's deployments. Raises ``ArgumentError``."""
    if plan:
        return PlanContext(PROVIDERS, [provider.config for provider in plan.providers], plan.settings, has_token)
    try:
        settings = settings_of(args, has_token=has_token, has_password=args.get("registry_password") is not None)
        if settings.cluster.uid:
            message = "a Platform deploys with the program's own provider, so no uid is checked; leave it out"
            raise InputError([Problem("cluster.uid", message)])
        return PlanContext(PROVIDERS, provider_configs(settings, Files(), PROVIDERS), settings, has_token)
    except InputError as error:
        raise ArgumentError(name, error) from error


def secrets_of(args: Mapping[str, Any]) -> dict[str, pulumi.Input[str]]:
    """Return the secrets among a component's arguments, by setting."""
    return {setting: args[key] for key, setting in SECRET_ARGUMENTS.items() if args.get(key) is not None}


def settings_of(args: Mapping[str, Any], *, has_token: bool, has_password: bool) -> StackSettings:
    """Read the settings from a component's arguments. Raises ``InputError``."""
    plain = read_arguments({key: value for key, value in args.items() if key not in SECRET_ARGUMENTS}, StackSettings)
    if plain.leaves:
        raise InputError([Problem(leaf.field, PLAIN_VALUE_NEEDED) for leaf in plain.leaves])
    settings = parse_settings(plain.data)
    problems = secret_problems(settings, has_token=has_token, has_password=has_password)
    if problems:
        raise InputError(problems)
    return settings


def _token_secret(namespace: str, token: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": TOKEN_SECRET, "namespace": namespace, "labels": MANAGED},
        "type": "Opaque",
        "stringData": {TOKEN_KEY: pulumi.Output.secret(token)},
    }
