"""One deployment planned: its provider selected, its image planned, its objects rendered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from airunway.planning.controller_decision import departures
from airunway.planning.documents import Document
from airunway.planning.entries import ALONE, Place, document_entry
from airunway.planning.image_build import PlannedImage, plan_image, pull_secret
from airunway.planning.model_deployment import render_for_controller
from airunway.planning.settings import StackSettings
from airunway.provider.contract import Provider
from airunway.provider.registry import Providers
from airunway.provider.render import render
from airunway.provider.request import Rendered, Request
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.selection.select import select
from airunway.spec.checks import parse_spec, warnings_of
from airunway.spec.entry import Delivery, DeploymentEntry
from airunway.spec.model import Source
from airunway.text.problems import InputError, Problem

TOKEN_SECRET = "huggingface-token"
"""Name of the Secret made from ``airunway:huggingFaceToken`` in each namespace that needs it."""


@dataclass(frozen=True)
class PlannedDeployment:
    """One deployment, decided and rendered; ``ready_timeout`` as Pulumi takes it, ``image`` what is built for it first.

    ``place`` is where its entry stands.
    """

    provider: Provider
    request: Request
    rendered: Rendered
    ready_timeout: str
    skip_await: bool
    image: PlannedImage | None = None
    delivery: Delivery = Delivery.DIRECT
    take_over: bool = False
    place: Place = ALONE

    @property
    def name(self) -> str:
        """Name of the deployment."""
        return self.request.name

    @property
    def warnings(self) -> list[str]:
        """What is allowed but worth a second look, in spec, decision and rendering."""
        return [*warnings_of(self.request.spec), *self.request.selection.warnings, *self.rendered.warnings]


@dataclass(frozen=True)
class Target:
    """The stack that an entry is planned for: who renders, whom to choose from, its settings, and whether it has a
    Hugging Face token.
    """

    providers: Providers
    configs: Sequence[InferenceProviderConfig]
    settings: StackSettings
    has_token: bool = False


def plan_document(document: Document, target: Target) -> PlannedDeployment:
    """Plan one ModelDeployment document by itself. Raises ``InputError``."""
    entry = document_entry(document)
    if entry.spec is None:
        raise InputError(entry.problems)
    try:
        return plan_one(entry.spec, target, entry.place)
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
    )
    provider = target.providers.renderer(selection.provider)
    rendered = render(provider, request) if delivery is Delivery.DIRECT else _for_controller(provider, request, target)
    return PlannedDeployment(
        provider,
        request,
        rendered,
        entry.ready_timeout or settings.ready_timeout,
        entry.skip_await,
        image,
        delivery,
        entry.take_over,
        place,
    )


def _for_controller(provider: Provider, request: Request, target: Target) -> Rendered:
    group = target.settings.controller.api_group
    shim = target.providers.shims.get(provider.NAME)
    if shim is None or group not in shim.get("groups", [group]):
        raise InputError(
            [
                Problem(
                    "delivery",
                    f"the controller of {group} has no provider {provider.NAME}; use delivery: {Delivery.DIRECT}",
                )
            ]
        )
    rendered = render_for_controller(provider, request, group)
    sent = rendered.resource["spec"]
    return replace(
        rendered,
        warnings=tuple(
            departures(request.spec, sent, request.selection, target.configs, group, target.providers.shims)
        ),
    )
