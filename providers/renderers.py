"""The list of the providers, and rendering for one of them: what none honours is refused, overrides come last."""

import copy
from typing import Any

from providers import delivery, dynamo, kaito, kuberay
from providers.contract import Provider
from providers.honoured import PLANNED, unhonoured
from providers.merge import merge_patch
from providers.problems import InputError, Problem
from providers.rendering import Deployment, Rendered

PROVIDERS: tuple[Provider, ...] = (kaito, dynamo, kuberay)
"""All of them; nothing else in the program names one."""

BY_KIND = {provider.KIND: provider for provider in PROVIDERS}
"""The providers by the upstream kind that a deployment becomes."""


def render(deployment: Deployment) -> Rendered:
    """Render ``deployment`` for the provider it was given to. Raises ``InputError``."""
    provider = _provider(deployment.selection.provider)
    problems = [*_too_long(provider, deployment, deployment.name), *_refused(provider, deployment)]
    try:
        objects = provider.render(deployment)
    except InputError as error:
        raise InputError([*problems, *error.problems]) from error
    if problems:
        raise InputError(problems)
    overrides = deployment.spec.provider.overrides
    resource = copy.deepcopy(merge_patch(objects.resource, overrides) if overrides else objects.resource)
    for path, value in provider.OWNED.items():
        _complete(resource, path.split("."), value)
    endpoint, wait_for = provider.endpoint(deployment.name), provider.READY.wait_for
    return Rendered(resource, endpoint, wait_for, provider.IMMUTABLE, objects.supporting, objects.warnings)


def render_for_controller(deployment: Deployment, group: str) -> Rendered:
    """Render ``deployment`` as a ModelDeployment of API group ``group``. Raises ``InputError``."""
    resource = delivery.model_deployment(deployment, group)
    provider, name = _provider(deployment.selection.provider), resource["metadata"]["name"]
    problems = _too_long(provider, deployment, name)
    if problems:
        raise InputError(problems)
    return Rendered(resource, provider.endpoint(name), delivery.READY.wait_for, delivery.IMMUTABLE)


def provider_of(name: str) -> Provider | None:
    """The provider of that name; None for one that a stack brought along."""
    return next((provider for provider in PROVIDERS if name == provider.NAME), None)


def _provider(name: str) -> Provider:
    provider = provider_of(name)
    if provider is None:
        known = ", ".join(p.NAME for p in PROVIDERS)
        raise InputError([Problem("provider.name", f"{name} was chosen, but there is no renderer for it; there is one for {known}")])
    return provider


def _too_long(provider: Provider, deployment: Deployment, name: str) -> list[Problem]:
    """A problem where the upstream object may not be called ``name``."""
    limit = provider.name_limit(deployment)
    if len(name) <= limit.most:
        return []
    return [Problem("name", f"makes a {provider.KIND} {name}, whose name has at most {limit.most} characters: {limit.why}")]


def _refused(provider: Provider, deployment: Deployment) -> list[Problem]:
    """What was written and ``provider`` does not honour. Raises ``InputError`` where it knows not even the engine or its mode."""
    engine, mode = deployment.selection.engine, deployment.spec.serving.mode
    modes = provider.HONOURS.get(engine)
    if modes is None:
        known = ", ".join(provider.HONOURS)
        raise InputError([Problem("engine.type", f"{provider.NAME} was chosen, whose renderer knows {known}, not {engine}")])
    honours = modes.get(mode)
    if honours is None:
        known = ", ".join(modes)
        raise InputError([Problem("serving.mode", f"{provider.NAME} was chosen, whose renderer knows {engine} {known}, not {mode}")])
    text = f"provider {provider.NAME} can't honour this with engine {engine} in mode {mode}"
    refused = unhonoured(deployment.spec, PLANNED | honours.leaves, honours.reasons)
    way_out = f"leave it out, or write it into provider.overrides as the {provider.KIND} has it"
    return [Problem(path, f"{text}: {reason}" if reason else f"{text}; {way_out}") for path, reason in refused.items()]


def _complete(value: Any, path: list[str], default: Any) -> None:
    """Put a copy of ``default`` at ``path``, wherever that is missing in an object that is there; ``name[]`` is every element of a list."""
    if not isinstance(value, dict):
        return
    head, *rest = path
    if not rest:
        value.setdefault(head, copy.deepcopy(default))
    elif head.endswith("[]"):
        elements = value.get(head.removesuffix("[]"))
        for element in elements if isinstance(elements, list) else []:
            _complete(element, rest, default)
    else:
        _complete(value.get(head), rest, default)
