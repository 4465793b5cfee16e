"""From a stack's settings to a plan: every deployment checked, selected and rendered, or all problems in one go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from providers.controller import PlannedController, plan_controller
from providers.controller_decision import departures
from providers.delivery import DIRECT
from providers.documents import Document, parse_documents
from providers.entries import ALONE, Place, document_entry, name_clashes, read_entries
from providers.files import Files
from providers.image_build import NAMESPACE, PlannedImage, plan_image, pull_secret
from providers.merge import merge_patch
from providers.problems import InputError, Problem, nearest, problems_of
from providers.provider_config import InferenceProviderConfig, builtin_documents, load_config
from providers.renderers import render, render_for_controller
from providers.rendering import Deployment, Rendered
from providers.selection import select
from providers.spec import Source
from providers.spec_checks import parse_spec, warnings_of
from providers.stack import PASSWORD_SETTING, TOKEN_SETTING, Delivery, DeploymentEntry, ProviderSettings, StackSettings

TOKEN_SECRET = "huggingface-token"
"""Name of the Secret made from ``airunway:huggingFaceToken`` in each namespace that needs it."""


@dataclass(frozen=True)
class PlannedDeployment:
    """One deployment, decided and rendered; ``ready_timeout`` as Pulumi takes it, ``image`` what is built for it first.

    ``place`` is where its entry stands.
    """

    deployment: Deployment
    rendered: Rendered
    ready_timeout: str
    skip_await: bool
    image: PlannedImage | None = None
    delivery: Delivery = "direct"
    take_over: bool = False
    place: Place = ALONE

    @property
    def name(self) -> str:
        """Name of the deployment."""
        return self.deployment.name

    @property
    def warnings(self) -> list[str]:
        """What is allowed but worth a second look, in spec, decision and rendering."""
        return [*warnings_of(self.deployment.spec), *self.deployment.selection.warnings, *self.rendered.warnings]


@dataclass(frozen=True)
class PlannedProvider:
    """A provider that some deployment was given to; ``managed`` says whether the stack installs its operator."""

    config: InferenceProviderConfig
    managed: bool


@dataclass(frozen=True)
class Target:
    """The stack that an entry is planned for: the providers to choose from, its settings, and whether it has a Hugging Face token."""

    configs: Sequence[InferenceProviderConfig]
    settings: StackSettings
    has_token: bool = False


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
        wanted = {d.deployment.namespace for d in self.deployments} - {"default"}
        return tuple(sorted(wanted)) if self.settings.create_namespaces else ()

    @property
    def images(self) -> tuple[PlannedImage, ...]:
        """Images to build, each once."""
        return tuple({d.image.name: d.image for d in self.deployments if d.image}.values())

    @property
    def pull_namespaces(self) -> tuple[str, ...]:
        """Namespaces that need the registry's login."""
        return tuple(sorted({d.deployment.namespace for d in self.deployments if d.deployment.pull_secret}))

    @property
    def token_namespaces(self) -> tuple[str, ...]:
        """Namespaces that need the Secret made from the stack's token."""
        return tuple(sorted({d.deployment.namespace for d in self.deployments if d.deployment.token_secret == TOKEN_SECRET}))


def parse_settings(raw: Mapping[str, Any]) -> StackSettings:
    """Validate the settings' own fields; deployments are left to ``plan_stack``. Raises ``InputError``."""
    try:
        return StackSettings.model_validate(dict(raw))
    except ValidationError as error:
        raise InputError(problems_of(error, StackSettings)) from error


def plan_stack(settings: StackSettings, files: Files, *, has_token: bool = False, has_password: bool = False) -> Plan:
    """Decide everything about a stack. Raises ``InputError`` with every problem of the whole stack."""
    problems: list[Problem] = []
    if not settings.cluster.context and not settings.cluster.kubeconfig:
        problems.append(Problem("cluster", "name the cluster: {context: NAME} or {kubeconfig: PATH}; the current context is never assumed"))
    if has_token and settings.hugging_face_secret:
        problems.append(Problem("huggingFaceSecret", f"airunway:{TOKEN_SETTING} is set too; give one of the two"))
    existing = settings.registry.existing
    if has_password != (existing is not None and existing.username is not None):
        problems.append(Problem("registry.existing.username", f"goes with the secret airunway:{PASSWORD_SETTING}; give both or neither"))
    configs, found = provider_configs(settings, files)
    problems += found
    planned: list[PlannedDeployment] = []
    entries, unread = read_entries(settings, files)
    unsure = any(p.path.startswith("providers.") for p in found)
    for entry in entries:
        problems += entry.problems
        if entry.spec is None or unsure:
            continue
        try:
            planned.append(plan_one(entry.spec, Target(configs, settings, has_token), entry.place))
        except InputError as error:
            problems += [entry.place.of(p) for p in error.problems]
    problems += [*unread, *name_clashes(entries), *_service_clashes(planned)]
    if any(p.image for p in planned) and not settings.registry.managed and not existing:
        wanted = "{managed: {nodeCidrs: [10.0.0.0/16]}} with the addresses of the nodes, or {existing: {host: HOST}}"
        problems.append(Problem("registry", f"a deployment builds an image; say where it is kept: {wanted}"))
    controller = None
    try:
        controller = _controller(settings, files, configs, planned)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems)
    used = {p.deployment.selection.provider for p in planned}
    chosen = [PlannedProvider(c, _settings_of(settings, c.name).installation == "managed") for c in configs if c.name in used]
    warnings = [f"{p.name}: {w}" for p in planned for w in p.warnings]
    return Plan(settings, tuple(planned), tuple(chosen), tuple(warnings), controller)


def provider_configs(settings: StackSettings, files: Files) -> tuple[list[InferenceProviderConfig], list[Problem]]:
    """The providers that may be chosen: built-in ones and those of files, changed as the stack says, sorted by name."""
    builtin = builtin_documents()
    documents: dict[str, tuple[Any, str]] = {name: (body, f"providers.{name}") for name, body in builtin.items()}
    problems: list[Problem] = []
    filed: dict[str, str] = {}
    texts, unread = files.read("providerFiles", settings.provider_files)
    problems += unread
    for file, text in texts.items():
        try:
            for document in parse_documents(text, file, ("InferenceProviderConfig",)):
                name = document.body["metadata"]["name"]
                if name in filed:
                    problems.append(Problem(f"{document.source}: metadata.name", f"{name!r} is in {filed[name]} too; give it once"))
                documents[name], filed[name] = (document.body, document.source), document.source
        except InputError as error:
            problems += error.problems
    for name in settings.providers:
        if name not in documents:
            problems.append(Problem(f"providers.{name}", f"no such provider; {nearest(name, documents)}; add others with providerFiles"))
    configs = []
    for name, (body, source) in sorted(documents.items()):
        changed = _settings_of(settings, name)
        if not changed.enabled:
            continue
        try:
            document = merge_patch(body, {"spec": changed.spec}, lists_by_name=True)
            configs.append(load_config(_completed(document, builtin.get(name)), source))
        except InputError as error:
            problems += error.problems
    return configs, problems


def _completed(document: Any, builtin: Any) -> Any:
    """``document`` with the built-in one's images and quantities where it names none, as upstream's documents don't."""
    if builtin is None or not isinstance(document.get("spec"), dict):
        return document
    own = document["spec"]
    wanted = {key: own.get(key) or {} for key in ("images", "defaults")}
    return document | {"spec": own | {key: builtin["spec"].get(key, {}) | v if isinstance(v, dict) else v for key, v in wanted.items()}}


def _settings_of(settings: StackSettings, name: str) -> ProviderSettings:
    return settings.providers.get(name, ProviderSettings())


def plan_document(document: Document, configs: Sequence[InferenceProviderConfig]) -> PlannedDeployment:
    """Plan one ModelDeployment document by itself. Raises ``InputError``."""
    entry = document_entry(document)
    if entry.spec is None:
        raise InputError(entry.problems)
    try:
        return plan_one(entry.spec, Target(configs, StackSettings()), entry.place)
    except InputError as error:
        raise InputError([entry.place.of(p) for p in error.problems]) from error


def plan_entry(data: Any, target: Target) -> PlannedDeployment:
    """Plan one entry as plain data by itself. Raises ``InputError``."""
    entry, problems = parse_spec(data, DeploymentEntry)
    if entry is None:
        raise InputError(problems)
    return plan_one(entry, target)


def plan_one(entry: DeploymentEntry, target: Target, place: Place = ALONE) -> PlannedDeployment:
    """Plan one checked entry by itself. Raises ``InputError``."""
    configs, settings = target.configs, target.settings
    selection = select(entry, configs)
    config = next(c for c in configs if c.name == selection.provider)
    secret = entry.secrets.hugging_face_token
    if secret is None and entry.model.source is Source.HUGGINGFACE:
        secret = settings.hugging_face_secret or (TOKEN_SECRET if target.has_token else None)
    delivery = entry.delivery or settings.delivery
    image = plan_image(entry, settings) if delivery == DIRECT else None
    deployment = Deployment(
        name=entry.name,
        namespace=entry.namespace or settings.namespace,
        spec=entry,
        selection=selection,
        config=config,
        token_secret=secret,
        built_image=image.pull if image else None,
        pull_secret=pull_secret(settings) if image else None,
    )
    rendered = render(deployment) if delivery == DIRECT else _for_controller(deployment, configs, settings.controller.api_group)
    return PlannedDeployment(
        deployment, rendered, entry.ready_timeout or settings.ready_timeout, entry.skip_await, image, delivery, entry.take_over, place
    )


def _for_controller(deployment: Deployment, configs: Sequence[InferenceProviderConfig], group: str) -> Rendered:
    rendered = render_for_controller(deployment, group)
    found = departures(deployment.spec, rendered.resource["spec"], deployment.selection, configs, group)
    return replace(rendered, warnings=tuple(found))


def _controller(
    settings: StackSettings, files: Files, configs: list[InferenceProviderConfig], planned: list[PlannedDeployment]
) -> PlannedController | None:
    """The controller, where a deployment is given to it. Raises ``InputError``."""
    if all(p.delivery == DIRECT for p in planned):
        return None
    texts, problems = files.read("controller.manifests", settings.controller.manifests)
    if problems:
        raise InputError(problems)
    namespaces = {p.deployment.namespace for p in planned} if settings.create_namespaces else set()
    return plan_controller(settings.controller, texts, configs, namespaces | ({NAMESPACE} if any(p.image for p in planned) else set()))


def _service_clashes(planned: list[PlannedDeployment]) -> list[Problem]:
    """Services that two deployments would both need."""
    problems = []
    first: dict[tuple[str, str], PlannedDeployment] = {}
    for one in planned:
        namespace, service = key = (one.deployment.namespace, one.rendered.endpoint.service)
        other = first.setdefault(key, one)
        if other.name != one.name:
            clash = f"{one.name!r} and {other.name!r} of {other.place.path} would both need a Service {service!r} in {namespace}"
            problems.append(one.place.of(Problem("name", clash)))
    return problems
