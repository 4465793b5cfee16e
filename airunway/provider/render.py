"""Renders a request for its provider: refuses unsupported fields, then applies overrides."""

import copy
from typing import Any

from airunway.provider.contract import Provider, api_versions
from airunway.provider.gpu_images import gpu_image_problems
from airunway.provider.overrides import override
from airunway.provider.request import Rendered, Request
from airunway.provider.storage import claim_problems, mode_problems, mode_warnings, storage_claims
from airunway.provider.supported_fields import PLANNING_FIELDS, unsupported_fields
from airunway.spec.quantities import size_problem
from airunway.text.problems import InputError, Problem, format_value


def render(provider: Provider, request: Request) -> Rendered:
    """The objects of ``provider`` that serve ``request``. Raises ``InputError``."""
    problems = [
        *_version_problems(provider, request),
        *name_problems(provider, request, request.name),
        *_refused(provider, request),
        *_default_problems(request),
        *gpu_image_problems(provider, request),
        *claim_problems(request.spec.model.volumes, request.name),
        *mode_problems(request),
    ]
    try:
        objects = provider.render(request)
    except InputError as error:
        raise InputError([*problems, *error.problems]) from error
    if problems:
        raise InputError(problems)
    overrides = request.spec.provider.overrides
    resource = (
        override(provider, objects.resource, overrides, objects.renamed)
        if overrides
        else copy.deepcopy(objects.resource)
    )
    for path, value in provider.OPERATOR_DEFAULTS.items():
        _complete(resource, path.split("."), value)
    resource["metadata"]["labels"] |= provider.SELECTOR
    resource = request.with_user_metadata(resource)
    replace_on_changes = (*provider.REPLACE_ON_CHANGES, *objects.replace_on_changes)
    endpoint, wait_for = provider.endpoint(request.name), provider.READY.wait_for(resource)
    claims = storage_claims(request)
    return Rendered(
        resource,
        endpoint,
        wait_for,
        replace_on_changes,
        supporting=(*objects.supporting, *claims),
        warnings=(*objects.warnings, *mode_warnings(request)),
        replacement_trigger=objects.replacement_trigger,
        other_api_versions=tuple(v for v in api_versions(provider) if v != resource["apiVersion"]),
        retained=tuple(claim["metadata"]["name"] for claim in claims),
    )


def _version_problems(provider: Provider, request: Request) -> list[Problem]:
    """A problem if the stack asks for an API version that ``provider`` doesn't render."""
    version = request.config.spec.api_version
    if version is None or version in api_versions(provider):
        return []
    valid = ", ".join(api_versions(provider))
    return [Problem(f"providers.{provider.NAME}.spec.apiVersion", f"{format_value(version)} given; valid: {valid}")]


def name_problems(provider: Provider, request: Request, name: str) -> list[Problem]:
    """A problem if ``name`` is too long for the upstream object."""
    limit = provider.name_limit(request)
    if len(name) <= limit.max_length:
        return []
    return [
        Problem(
            "name",
            f"makes a {provider.KIND} {name}, whose name has at most {limit.max_length} characters: {limit.reason}",
        )
    ]


def _default_problems(request: Request) -> list[Problem]:
    """Problems with amounts of memory in the defaults of the provider's document."""
    sizes = {key: text for key, text in request.config.spec.defaults.items() if key.endswith("Memory") and text}
    problems = {key: problem for key, text in sizes.items() if (problem := size_problem(text))}
    return [
        Problem(f"providers.{request.config.name}.spec.defaults.{key}", f"{format_value(sizes[key])} given, {problem}")
        for key, problem in problems.items()
    ]


def _refused(provider: Provider, request: Request) -> list[Problem]:
    """A problem for each field that ``provider`` doesn't support. Raises ``InputError`` for an unsupported engine or
    mode.
    """
    engine, mode = request.selection.engine, request.spec.serving.mode
    modes = provider.SUPPORTED.get(engine)
    if modes is None:
        supported = ", ".join(provider.SUPPORTED)
        raise InputError(
            [Problem("engine.type", f"{provider.NAME} was chosen, whose renderer knows {supported}, not {engine}")]
        )
    supported_fields = modes.get(mode)
    if supported_fields is None:
        supported = ", ".join(modes)
        raise InputError(
            [
                Problem(
                    "serving.mode", f"{provider.NAME} was chosen, whose renderer knows {engine} {supported}, not {mode}"
                )
            ]
        )
    text = f"provider {provider.NAME} can't honour this with engine {engine} in mode {mode}"
    refused = unsupported_fields(request.spec, PLANNING_FIELDS | supported_fields.fields, supported_fields.reasons)
    hint = f"leave it out, or write it into provider.overrides as the {provider.KIND} has it"
    return [Problem(field, f"{text}: {reason}" if reason else f"{text}; {hint}") for field, reason in refused.items()]


def _complete(value: Any, field: list[str], default: Any) -> None:
    """Set ``field`` to a copy of ``default`` where its parent exists and lacks it; ``name[]`` means every element."""
    if not isinstance(value, dict):
        return
    head, *rest = field
    if not rest:
        value.setdefault(head, copy.deepcopy(default))
    elif head.endswith("[]"):
        elements = value.get(head.removesuffix("[]"))
        for element in elements if isinstance(elements, list) else []:
            _complete(element, rest, default)
    else:
        _complete(value.get(head), rest, default)
