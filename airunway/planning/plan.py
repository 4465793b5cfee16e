"""Plans a stack from its settings: checks, selects and renders every deployment, or reports all problems together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from airunway.assessment.model_lock import ModelLock
from airunway.assessment.node_pool import NodePool
from airunway.assessment.policy_definition import Policy
from airunway.planning.catalog import provider_settings, read_provider_configs
from airunway.planning.controller import PlannedController, plan_controller
from airunway.planning.deployment import TOKEN_SECRET, PlanContext, PlannedDeployment, plan_deployment
from airunway.planning.entries import name_clashes, read_entries
from airunway.planning.files import Files
from airunway.planning.image_build import NAMESPACE, PlannedImage
from airunway.planning.isolation import allowed_problems
from airunway.planning.locked_images import builder_problems, pin_builders
from airunway.planning.locked_models import read_lock
from airunway.planning.node_pools import node_pools
from airunway.planning.policies import policies
from airunway.planning.settings import PASSWORD_SETTING, TOKEN_SETTING, InstallationMode, StackSettings
from airunway.provider.contract import is_kubernetes_own
from airunway.provider.provider_set import Providers
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.clear_text import credential_problems
from airunway.spec.entry import Delivery
from airunway.text.problems import InputError, Problem, validation_problems


@dataclass(frozen=True)
class PlannedProvider:
    """A provider that a deployment uses; ``managed`` means that the stack installs its operator.

    ``operator`` is False if it needs none: its objects are of built-in kinds, and its config has no chart.
    """

    config: InferenceProviderConfig
    managed: bool
    operator: bool = True


@dataclass(frozen=True)
class Plan:
    """All decisions about a stack, made before any resource is created."""

    settings: StackSettings
    deployments: tuple[PlannedDeployment, ...]
    providers: tuple[PlannedProvider, ...]
    warnings: tuple[str, ...]
    controller: PlannedController | None = None
    node_pools: tuple[NodePool, ...] = ()
    policies: tuple[Policy, ...] = ()

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces that the stack creates for its deployments."""
        names = {d.request.namespace for d in self.deployments} - {"default"}
        return tuple(sorted(names)) if self.settings.create_namespaces else ()

    @property
    def images(self) -> tuple[PlannedImage, ...]:
        """Images to build, each once."""
        return tuple({d.image.name: d.image for d in self.deployments if d.image}.values())

    @property
    def pull_namespaces(self) -> tuple[str, ...]:
        """Namespaces that need the Secret with the registry's login."""
        return tuple(sorted({d.request.namespace for d in self.deployments if d.request.pull_secret}))

    @property
    def token_namespaces(self) -> tuple[str, ...]:
        """Namespaces that need the Secret created from the stack's token."""
        return tuple(sorted({d.request.namespace for d in self.deployments if d.request.token_secret == TOKEN_SECRET}))


def parse_settings(raw: Mapping[str, Any]) -> StackSettings:
    """Validate the settings except for deployments, which ``plan_stack`` checks. Raises ``InputError``."""
    try:
        settings = StackSettings.model_validate(dict(raw))
    except ValidationError as error:
        raise InputError(validation_problems(error, StackSettings)) from error
    # Those of deployments are told with the deployments.
    others = settings.model_dump(mode="python", by_alias=True, exclude_none=True, exclude={"deployments"})
    if problems := list(credential_problems(others)):
        raise InputError(problems)
    return settings


def secret_problems(settings: StackSettings, *, has_token: bool, has_password: bool) -> list[Problem]:
    """Problems with settings and secrets that don't match."""
    problems = []
    if has_token and settings.hugging_face_secret:
        problems.append(Problem("huggingFaceSecret", f"airunway:{TOKEN_SETTING} is set too; give one of the two"))
    existing = settings.registry.existing
    if has_password != (existing is not None and existing.username is not None):
        problems.append(
            Problem(
                "registry.existing.username", f"goes with the secret airunway:{PASSWORD_SETTING}; give both or neither"
            )
        )
    return problems


def plan_stack(
    settings: StackSettings,
    files: Files,
    providers: Providers,
    *,
    has_token: bool = False,
    has_password: bool = False,
    has_kubernetes_provider: bool = False,
) -> Plan:
    """Plan a stack. Raises ``InputError`` with all problems of the whole stack.

    ``has_kubernetes_provider`` means that the program brings its own, so the settings need not name a cluster.
    """
    problems = [] if has_kubernetes_provider else _cluster_problems(settings)
    problems += [*allowed_problems(settings)]
    problems += secret_problems(settings, has_token=has_token, has_password=has_password)
    configs, config_problems = read_provider_configs(settings, files, providers)
    problems += config_problems
    planned: list[PlannedDeployment] = []
    lock, lock_problems = read_lock(files)
    settings = pin_builders(settings, lock)
    target = PlanContext(providers, configs, settings, has_token, lock)
    entries, entry_problems = read_entries(settings, files)
    is_unreadable = bool(config_problems or lock_problems)
    for entry in entries:
        problems += entry.problems
        if entry.spec is None or is_unreadable:
            continue
        try:
            planned.append(plan_deployment(entry.spec, target, entry.location, entry.warnings))
        except InputError as error:
            problems += [entry.location.qualify(p) for p in error.problems]
    problems += [*entry_problems, *name_clashes(entries), *_service_clashes(planned)]
    problems += _build_problems(settings, planned, lock)
    controller = None
    try:
        controller = _controller(settings, files, configs, planned)
    except InputError as error:
        problems += error.problems
    pools, pool_problems = node_pools(settings, files)
    rules, policy_problems = policies(settings, files)
    problems += [*lock_problems, *pool_problems, *policy_problems]
    if problems:
        raise InputError(problems)
    used = {p.request.selection.provider for p in planned}
    installed = {c.name: provider_settings(settings, c.name).installation is InstallationMode.MANAGED for c in configs}
    chosen = [PlannedProvider(c, installed[c.name], has_operator(c, providers)) for c in configs if c.name in used]
    warnings = [f"{config.source}: {message}" for config in configs for message in config.warnings]
    warnings += [f"{p.name}: {w}" for p in planned for w in p.warnings]
    return Plan(settings, tuple(planned), tuple(chosen), tuple(warnings), controller, pools, rules)


def _cluster_problems(settings: StackSettings) -> list[Problem]:
    if settings.cluster.is_named:
        return []
    message = "name the cluster: {context: NAME} or {kubeconfig: PATH}; the current context is never assumed"
    return [Problem("cluster", message)]


def _build_problems(settings: StackSettings, planned: list[PlannedDeployment], lock: ModelLock | None) -> list[Problem]:
    """Problems if an image is built: no registry to store it, and what a required lock lacks of what builds it."""
    if not any(p.image for p in planned):
        return []
    problems = builder_problems(settings, lock)
    if settings.registry.managed or settings.registry.existing:
        return problems
    example = "{managed: {nodeCidrs: [10.0.0.0/16]}} with the addresses of the nodes, or {existing: {host: HOST}}"
    message = f"a deployment builds an image; set the registry that stores it: {example}"
    return [*problems, Problem("registry", message)]


def has_operator(config: InferenceProviderConfig, providers: Providers) -> bool:
    """Whether the provider's objects need an operator."""
    provider = providers.get(config.name)
    return bool(config.spec.installation.helm_charts) or provider is None or not is_kubernetes_own(provider.API_VERSION)


def _controller(
    settings: StackSettings, files: Files, configs: list[InferenceProviderConfig], planned: list[PlannedDeployment]
) -> PlannedController | None:
    """The controller, if a deployment is delivered to it. Raises ``InputError``."""
    if all(p.delivery is Delivery.DIRECT for p in planned):
        return None
    texts, problems = files.select_texts("controller.manifests", settings.controller.manifests)
    if problems:
        raise InputError(problems)
    namespaces = {p.request.namespace for p in planned} if settings.create_namespaces else set()
    return plan_controller(
        settings.controller, texts, configs, namespaces | ({NAMESPACE} if any(p.image for p in planned) else set())
    )


def _service_clashes(planned: list[PlannedDeployment]) -> list[Problem]:
    """Problems for Services that two deployments would both need."""
    problems = []
    first: dict[tuple[str, str], PlannedDeployment] = {}
    for deployment in planned:
        namespace, service = key = (deployment.request.namespace, deployment.rendered.endpoint.service)
        owner = first.setdefault(key, deployment)
        if owner.name != deployment.name:
            clash = (
                f"{deployment.name!r} and {owner.name!r} of {owner.location.path} would both need a Service"
                f" {service!r} in {namespace}"
            )
            problems.append(deployment.location.qualify(Problem("name", clash)))
    return problems
