"""Rendering a request for its provider: what that does not honour is refused, overrides come last."""

import copy
from typing import Any

from airunway.provider.contract import Provider
from airunway.provider.honoured import PLANNED, unhonoured
from airunway.provider.request import Rendered, Request
from airunway.text.merge import merge_patch
from airunway.text.problems import InputError, Problem


def render(provider: Provider, request: Request) -> Rendered:
    """The objects of ``provider`` that serve ``request``. Raises ``InputError``."""
    problems = [*name_problems(provider, request, request.name), *_refused(provider, request)]
    try:
        objects = provider.render(request)
    except InputError as error:
        raise InputError([*problems, *error.problems]) from error
    if problems:
        raise InputError(problems)
    overrides = request.spec.provider.overrides
    resource = copy.deepcopy(merge_patch(objects.resource, overrides) if overrides else objects.resource)
    for path, value in provider.OWNED.items():
        _complete(resource, path.split("."), value)
    resource["metadata"]["labels"] |= provider.SELECTOR
    endpoint, wait_for = provider.endpoint(request.name), provider.READY.wait_for(resource)
    return Rendered(resource, endpoint, wait_for, provider.IMMUTABLE, objects.supporting, objects.warnings)


def name_problems(provider: Provider, request: Request, name: str) -> list[Problem]:
    """A problem where the upstream object may not be called ``name``."""
    limit = provider.name_limit(request)
    if len(name) <= limit.most:
        return []
    return [
        Problem("name", f"makes a {provider.KIND} {name}, whose name has at most {limit.most} characters: {limit.why}")
    ]


def _refused(provider: Provider, request: Request) -> list[Problem]:
    """What was written and ``provider`` does not honour. Raises ``InputError`` where it knows not even the engine or
    its mode.
    """
    engine, mode = request.selection.engine, request.spec.serving.mode
    modes = provider.HONOURS.get(engine)
    if modes is None:
        known = ", ".join(provider.HONOURS)
        raise InputError(
            [Problem("engine.type", f"{provider.NAME} was chosen, whose renderer knows {known}, not {engine}")]
        )
    honours = modes.get(mode)
    if honours is None:
        known = ", ".join(modes)
        raise InputError(
            [Problem("serving.mode", f"{provider.NAME} was chosen, whose renderer knows {engine} {known}, not {mode}")]
        )
    text = f"provider {provider.NAME} can't honour this with engine {engine} in mode {mode}"
    refused = unhonoured(request.spec, PLANNED | honours.leaves, honours.reasons)
    way_out = f"leave it out, or write it into provider.overrides as the {provider.KIND} has it"
    return [Problem(path, f"{text}: {reason}" if reason else f"{text}; {way_out}") for path, reason in refused.items()]


def _complete(value: Any, path: list[str], default: Any) -> None:
    """Put a copy of ``default`` at ``path``, wherever that is missing in an object that is there; ``name[]`` is every
    element of a list.
    """
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
