"""Plans one deployment: selects its provider, plans its image and renders its objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from airunway.assessment.model_lock import LockedModel, ModelLock
from airunway.planning.controller_decision import controller_differences
from airunway.planning.controller_delivery import render_for_controller
from airunway.planning.documents import Document
from airunway.planning.entries import STANDALONE, EntryLocation, document_entry
from airunway.planning.gated_models import gated_warnings
from airunway.planning.image_build import PlannedImage, plan_image, pull_secret
from airunway.planning.isolation import isolation_problems, isolation_warnings
from airunway.planning.locked_images import pin_images
from airunway.planning.locked_models import locked_model, pinned
from airunway.planning.settings import StackSettings
from airunway.provider.contract import Provider, created_version
from airunway.provider.provider_set import Providers
from airunway.provider.render import render
from airunway.provider.request import Rendered, Request
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.selection.select import select
from airunway.spec.checks import parse_spec, spec_warnings
from airunway.spec.entry import Delivery, DeploymentEntry
from airunway.spec.gguf_warnings import gguf_warnings
from airunway.spec.model import Source
from airunway.text.problems import InputError, Problem

TOKEN_SECRET = "huggingface-token"
"""Name of the Secret created from ``airunway:huggingFaceToken`` in each namespace that needs it."""


@dataclass(frozen=True)
class PlannedDeployment:
    """One planned deployment; ``image`` is the image to build for it first, if any."""

    provider: Provider
    request: Request
    rendered: Rendered
    ready_timeout: str
    skip_await: bool
    image: PlannedImage | None = None
    delivery: Delivery = Delivery.DIRECT
    take_over: bool = False
    location: EntryLocation = STANDALONE
    document_warnings: tuple[str, ...] = ()
    locked: LockedModel | None = None
    locked_images: Mapping[str, str] = field(default_factory=dict)
    """Digests of its images that the lock has."""

    @property
    def name(self) -> str:
        """Name of the deployment."""
        return self.request.name

    @property
    def model(self) -> str:
        """Id of the model; of a container that brings its own, the image."""
        spec = self.request.spec
        return spec.model.id or spec.image or spec.engine.image or "–"

    @property
    def warnings(self) -> list[str]:
        """Warnings about the document, the spec, the decision and the rendering."""
        spec, selection = self.request.spec, self.request.selection
        warnings = [*self.document_warnings, *spec_warnings(spec), *gguf_warnings(spec, selection.engine)]
        warnings += gated_warnings(self.request, self.locked)
        return [*warnings, *selection.warnings, *self.rendered.warnings]


@dataclass(frozen=True)
class PlanContext:
    """The context for planning entries: providers, their configs, the stack's settings, whether it has a token, and the
    project's lock.
    """

    providers: Providers
    configs: Sequence[InferenceProviderConfig]
    settings: StackSettings
    has_token: bool = False
    lock: ModelLock | None = None

    def api_version(self, provider: Provider) -> str:
        """The version as which the provider's objects are created."""
        config = next((c for c in self.configs if c.name == provider.NAME), None)
        return created_version(provider, config)

    def with_api_version(self, provider: Provider, version: str) -> "PlanContext":
        """The same, but with the provider's objects created as ``version``."""
        configs = [
            c.model_copy(update={"spec": c.spec.model_copy(update={"api_version": version})})
            if c.name == provider.NAME
            else c
            for c in self.configs
        ]
        return replace(self, configs=configs)


def plan_document(document: Document, context: PlanContext) -> PlannedDeployment:
    """Plan one ModelDeployment document. Raises ``InputError``."""
    entry = document_entry(document)
    if entry.spec is None:
        raise InputError(entry.problems)
    try:
        return plan_deployment(entry.spec, context, entry.location, entry.warnings)
    except InputError as error:
        raise InputError([entry.location.qualify(p) for p in error.problems]) from error


def plan_entry(data: Any, context: PlanContext) -> PlannedDeployment:
    """Plan one entry from plain data. Raises ``InputError``."""
    entry, problems = parse_spec(data, DeploymentEntry)
    if entry is None:
        raise InputError(problems)
    return plan_deployment(entry, context)


def plan_deployment(
    entry: DeploymentEntry,
    context: PlanContext,
    location: EntryLocation = STANDALONE,
    document_warnings: tuple[str, ...] = (),
) -> PlannedDeployment:
    """Plan one checked entry. Raises ``InputError``."""
    configs, settings = context.configs, context.settings
    if problems := [*isolation_problems(entry, settings, configs)]:
        raise InputError(problems)
    locked = locked_model(entry, context.lock, required=settings.locked)
    selection = select(entry, configs)
    config = next(c for c in configs if c.name == selection.provider)
    secret = entry.secrets.hugging_face_token
    if secret is None and entry.model.source is Source.HUGGINGFACE:
        secret = settings.hugging_face_secret or (TOKEN_SECRET if context.has_token else None)
    delivery = entry.delivery or settings.delivery
    provider = context.providers.require(selection.provider)
    entry, lock_warnings = pinned(entry, locked, provider, selection)
    image = plan_image(entry, settings) if delivery is Delivery.DIRECT else None
    request = Request(
        name=entry.name,
        namespace=entry.namespace or settings.namespace,
        spec=entry,
        selection=selection,
        config=config,
        token_secret=secret,
        built_image=image.pull if image else None,
        pull_secret=pull_secret(settings) if image else None,
        labels_added=entry.labels,
        annotations_added=entry.annotations,
        is_enforced=settings.pod_security is not None,
    )
    rendered = render(provider, request) if delivery is Delivery.DIRECT else _for_controller(provider, request, context)
    rendered, digests = pin_images(rendered, context.lock, required=settings.locked, built=request.built_image)
    return PlannedDeployment(
        provider,
        request,
        rendered,
        entry.ready_timeout or settings.ready_timeout,
        entry.skip_await,
        image,
        delivery,
        entry.take_over,
        location,
        (*document_warnings, *isolation_warnings(entry, settings), *lock_warnings),
        locked,
        digests,
    )


def _for_controller(provider: Provider, request: Request, context: PlanContext) -> Rendered:
    group = context.settings.controller.api_group
    shim = context.providers.shims.get(provider.NAME)
    if shim is None or group not in shim.get("groups", [group]):
        raise InputError(
            [
                Problem(
                    "delivery",
                    f"the controller of {group} has no provider {provider.NAME}; use delivery: {Delivery.DIRECT}",
                )
            ]
        )
    rendered = render_for_controller(provider, request, group, shim)
    manifest_spec = rendered.resource["spec"]
    return replace(
        rendered,
        warnings=tuple(
            controller_differences(
                request.spec, manifest_spec, request.selection, context.configs, group, context.providers.shims
            )
        ),
    )
