"""From a stack's settings to a plan: every deployment checked, selected and rendered, or all problems in one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from airunway.planning.catalog import provider_settings, read_provider_configs
from airunway.planning.controller import PlannedController, plan_controller
from airunway.planning.deployment import TOKEN_SECRET, PlannedDeployment, Target, plan_one
from airunway.planning.entries import name_clashes, read_entries
from airunway.planning.files import Files
from airunway.planning.image_build import NAMESPACE, PlannedImage
from airunway.planning.settings import PASSWORD_SETTING, TOKEN_SETTING, InstallationMode, StackSettings
from airunway.provider.contract import is_kubernetes_own
from airunway.provider.registry import Providers
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.spec.entry import Delivery
from airunway.text.problems import InputError, Problem, problems_of


@dataclass(frozen=True)
class PlannedProvider:
    """A provider that some deployment was given to; ``managed`` says whether the stack installs its operator.

    ``operator`` is False for one that needs none: its objects are of Kubernetes' own kinds, and nobody gave it a chart.
    """

    config: InferenceProviderConfig
    managed: bool
    operator: bool = True


@dataclass(frozen=True)
class Plan:
    """Everything decided about one stack before a resource is created."""

    settings: StackSettings
    deployments: tuple[PlannedDeployment, ...]
    providers: tuple[PlannedProvider, ...]
    warnings: tuple[str, ...]
    controller: PlannedController | None = None

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Namespaces that the stack creates for its deployments."""
        wanted = {d.request.namespace for d in self.deployments} - {"default"}
        return tuple(sorted(wanted)) if self.settings.create_namespaces else ()

    @property
    def images(self) -> tuple[PlannedImage, ...]:
        """Images to build, each once."""
        return tuple({d.image.name: d.image for d in self.deployments if d.image}.values())

    @property
    def pull_namespaces(self) -> tuple[str, ...]:
        """Namespaces that need the registry's login."""
        return tuple(sorted({d.request.namespace for d in self.deployments if d.request.pull_secret}))

    @property
    def token_namespaces(self) -> tuple[str, ...]:
        """Namespaces that need the Secret made from the stack's token."""
        return tuple(sorted({d.request.namespace for d in self.deployments if d.request.token_secret == TOKEN_SECRET}))


def parse_settings(raw: Mapping[str, Any]) -> StackSettings:
    """Validate the settings' own fields; deployments are left to ``plan_stack``. Raises ``InputError``."""
    try:
        return StackSettings.model_validate(dict(raw))
    except ValidationError as error:
        raise InputError(problems_of(error, StackSettings)) from error


def secret_problems(settings: StackSettings, *, has_token: bool, has_password: bool) -> list[Problem]:
    """Where settings and the secrets that go with them don't match."""
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
    has_provider: bool = False,
) -> Plan:
    """Decide everything about a stack. Raises ``InputError`` with every problem of the whole stack.

    ``has_provider`` says that a program has a Kubernetes provider for the cluster already, so that the settings need
    not name it.
    """
    problems: list[Problem] = []
    if not has_provider and not settings.cluster.context and not settings.cluster.kubeconfig:
        problems.append(
            Problem(
                "cluster",
                "name the cluster: {context: NAME} or {kubeconfig: PATH}; the current context is never assumed",
            )
        )
    problems += secret_problems(settings, has_token=has_token, has_password=has_password)
    configs, unread_configs = read_provider_configs(settings, files, providers)
    problems += unread_configs
    planned: list[PlannedDeployment] = []
    target = Target(providers, configs, settings, has_token)
    entries, unread = read_entries(settings, files)
    unsure = any(p.path.startswith("providers.") for p in unread_configs)
    for entry in entries:
        problems += entry.problems
        if entry.spec is None or unsure:
            continue
        try:
            planned.append(plan_one(entry.spec, target, entry.place))
        except InputError as error:
            problems += [entry.place.of(p) for p in error.problems]
    problems += [*unread, *name_clashes(entries), *_service_clashes(planned)]
    if any(p.image for p in planned) and not settings.registry.managed and not settings.registry.existing:
        wanted = "{managed: {nodeCidrs: [10.0.0.0/16]}} with the addresses of the nodes, or {existing: {host: HOST}}"
        problems.append(Problem("registry", f"a deployment builds an image; say where it is kept: {wanted}"))
    controller = None
    try:
        controller = _controller(settings, files, configs, planned)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    used = {p.request.selection.provider for p in planned}
    installed = {c.name: provider_settings(settings, c.name).installation is InstallationMode.MANAGED for c in configs}
    chosen = [PlannedProvider(c, installed[c.name], has_operator(c, providers)) for c in configs if c.name in used]
    warnings = [f"{p.name}: {w}" for p in planned for w in p.warnings]
    return Plan(settings, tuple(planned), tuple(chosen), tuple(warnings), controller)


def has_operator(config: InferenceProviderConfig, providers: Providers) -> bool:
    """Whether the provider's objects wait for an operator."""
    provider = providers.named(config.name)
    return bool(config.spec.installation.helm_charts) or provider is None or not is_kubernetes_own(provider.API_VERSION)


def _controller(
    settings: StackSettings, files: Files, configs: list[InferenceProviderConfig], planned: list[PlannedDeployment]
) -> PlannedController | None:
    """The controller, where a deployment is given to it. Raises ``InputError``."""
    if all(p.delivery is Delivery.DIRECT for p in planned):
        return None
    texts, problems = files.read("controller.manifests", settings.controller.manifests)
    if problems:
        raise InputError(problems)
    namespaces = {p.request.namespace for p in planned} if settings.create_namespaces else set()
    return plan_controller(
        settings.controller, texts, configs, namespaces | ({NAMESPACE} if any(p.image for p in planned) else set())
    )


def _service_clashes(planned: list[PlannedDeployment]) -> list[Problem]:
    """Services that two deployments would both need."""
    problems = []
    first: dict[tuple[str, str], PlannedDeployment] = {}
    for one in planned:
        namespace, service = key = (one.request.namespace, one.rendered.endpoint.service)
        other = first.setdefault(key, one)
        if other.name != one.name:
            clash = (
                f"{one.name!r} and {other.name!r} of {other.place.path} would both need a Service {service!r} in"
                f" {namespace}"
            )
            problems.append(one.place.of(Problem("name", clash)))
    return problems
