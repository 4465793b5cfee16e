"""Validate an API server's responses and return them as plain data in the shape of the Kubernetes API."""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
from pydantic import Field

from airunway.live.objects import AnyObject, CustomObject, CustomResourceDefinition, Deployment, Pod, Service
from airunway.provider.live_object import LiveModel, UnreadableError, read_as
from airunway.text.problems import format_value, join

_MAX_MESSAGE, _MAX_EXCERPT, _MAX_STATUS = 1_000, 200, 65_536
"""Maximum characters shown of a Status's message, and of any other text; bytes of the longest Status that is read."""
_PARTIAL = "PartialObjectMetadata"


_Model = TypeVar("_Model", bound=LiveModel)


class InvalidResponseError(Exception):
    """A response that does not follow the Kubernetes API; the message says why."""


class _ListMeta(LiveModel):
    token: str = Field("", alias="continue")


class _List(LiveModel):
    metadata: _ListMeta = _ListMeta()
    items: list[Any] | None


class Resource(LiveModel):
    """A kind's API resource; ``namespaced`` is None if discovery was not read."""

    name: str
    kind: str
    namespaced: bool | None = None


class _Resources(LiveModel):
    resources: list[Resource]


_MODELS: Mapping[str, type[AnyObject]] = {
    "CustomResourceDefinition": CustomResourceDefinition,
    "Deployment": Deployment,
    "Pod": Pod,
    "Service": Service,
}


def read_json(response: httpx.Response) -> dict[str, Any]:
    """Parse a response as a JSON object. Raises ``InvalidResponseError``."""
    try:
        value = json.loads(response.content, parse_float=_finite, parse_constant=_finite)
    except RecursionError as error:
        raise InvalidResponseError("its response is nested too deeply") from error
    except ValueError as error:
        kind = response.headers.get("content-type", "of no content type").partition(";")[0]
        raise InvalidResponseError(f"its response ({kind}) is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidResponseError(f"its response is a {type(value).__name__}, must be a map")
    return value


def read_page(body: Mapping[str, Any], version: str, resource: Resource) -> tuple[list[dict[str, Any]], str]:
    """Return the objects of a list's page, and its continue token or "". Raises ``InvalidResponseError``."""
    page = _validate(_List, body, f"list of {resource.kind}")
    items = [read_object(item, version, resource, f"items[{index}]") for index, item in enumerate(page.items or [])]
    return items, page.metadata.token


def read_object(value: Any, version: str, resource: Resource, path: str = "") -> dict[str, Any]:
    """Validate ``value`` as an object of the kind of ``resource``. Raises ``InvalidResponseError``."""
    checked = _validate(_MODELS.get(resource.kind, CustomObject), value, resource.kind, path)
    if resource.namespaced and not checked.metadata.namespace:
        raise InvalidResponseError(
            f"its response is not a valid {resource.kind}: {join(path, 'metadata.namespace')}: field required"
        )
    # Built-in kinds' lists omit both in their items.
    for field, expected in (("apiVersion", version), ("kind", resource.kind)):
        if value.get("kind") != _PARTIAL and value.get(field, expected) != expected:
            raise InvalidResponseError(
                f"its response is not a valid {resource.kind}: {join(path, field)}: {format_value(value[field])} given,"
                f" must be {expected}"
            )
    return {**value, "apiVersion": version, "kind": resource.kind}


def read_resources(body: Mapping[str, Any]) -> dict[str, Resource]:
    """Return a group version's resources by kind, without subresources. Raises ``InvalidResponseError``."""
    resources = _validate(_Resources, body, "APIResourceList").resources
    return {resource.kind: resource for resource in resources if "/" not in resource.name}


def refusal(response: httpx.Response) -> str:
    """Describe an error response in one line: its code and the server's message."""
    message, limit = _status_message(response), _MAX_MESSAGE
    if message is None:
        # Whatever charset the response claims, some of which are no text at all.
        message, limit = " ".join(response.content[:_MAX_STATUS].decode(errors="replace").split()), _MAX_EXCERPT
    excerpt = message if len(message) <= limit else f"{message[: limit - 1]}…"
    return f"{response.status_code} {response.reason_phrase}".strip() + (f": {excerpt}" if excerpt else "")


def _status_message(response: httpx.Response) -> str | None:
    """Return the message of a Status; None if the response is none."""
    if len(response.content) > _MAX_STATUS:
        return None
    try:
        return str(read_json(response).get("message") or "")
    except InvalidResponseError:
        return None


def _validate(model: type[_Model], value: Any, expected: str, path: str = "") -> _Model:
    try:
        return read_as(model, value, path)
    except UnreadableError as error:
        raise InvalidResponseError(f"its response is not a valid {expected}: {error}") from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
