"""What an API server's answers have to look like before anything else reads them: plain data of the shape that
Kubernetes' API has.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
from pydantic import Field

from airunway.live.objects import AnyObject, CustomObject, CustomResourceDefinition, Deployment, Pod, Service
from airunway.provider.live_object import LiveModel, UnreadableError, read_as
from airunway.text.problems import join

_MESSAGE, _EXCERPT = 1_000, 200
"""Characters of a Status's message, and of any other text, that messages show."""


_Model = TypeVar("_Model", bound=LiveModel)


class OddAnswerError(Exception):
    """An answer that is not what Kubernetes' API gives; the message says what is wrong with it."""


class _ListMeta(LiveModel):
    token: str = Field("", alias="continue")


class _List(LiveModel):
    metadata: _ListMeta = _ListMeta()
    items: list[Any] | None


class Resource(LiveModel):
    """A kind's resource, as discovery has it; ``namespaced`` is None where it was not asked."""

    name: str
    kind: str
    namespaced: bool | None = None


class _Resources(LiveModel):
    resources: list[Resource]


_SHAPES: Mapping[str, type[AnyObject]] = {
    "CustomResourceDefinition": CustomResourceDefinition,
    "Deployment": Deployment,
    "Pod": Pod,
    "Service": Service,
}


def read_json(response: httpx.Response) -> dict[str, Any]:
    """The map that an answer is. Raises ``OddAnswerError``."""
    try:
        value = json.loads(response.content, parse_float=_finite, parse_constant=_finite)
    except RecursionError as error:
        raise OddAnswerError("its answer is nested too deeply") from error
    except ValueError as error:
        kind = response.headers.get("content-type", "of no content type").partition(";")[0]
        raise OddAnswerError(f"its answer ({kind}) is no JSON") from error
    if not isinstance(value, dict):
        raise OddAnswerError(f"its answer is a {type(value).__name__}, a map is wanted")
    return value


def read_page(answer: Mapping[str, Any], version: str, resource: Resource) -> tuple[list[dict[str, Any]], str]:
    """The objects of a list's page, and the token that continues it, which may be empty. Raises ``OddAnswerError``."""
    page = _checked(_List, answer, f"list of {resource.kind}")
    items = [read_object(item, version, resource, f"items[{index}]") for index, item in enumerate(page.items or [])]
    return items, page.metadata.token


def read_object(value: Any, version: str, resource: Resource, path: str = "") -> dict[str, Any]:
    """``value`` as an object of the kind of ``resource``. Raises ``OddAnswerError``."""
    checked = _checked(_SHAPES.get(resource.kind, CustomObject), value, resource.kind, path)
    if resource.namespaced and not checked.metadata.namespace:
        raise OddAnswerError(f"its answer is no {resource.kind}: {join(path, 'metadata.namespace')}: field required")
    # A list's elements leave out what the list says for all of them.
    return {**value, "apiVersion": version, "kind": resource.kind}


def read_resources(answer: Mapping[str, Any]) -> dict[str, Resource]:
    """The resources of one group's version by kind, without subresources. Raises ``OddAnswerError``."""
    found = _checked(_Resources, answer, "APIResourceList").resources
    return {resource.kind: resource for resource in found if "/" not in resource.name}


def refusal(response: httpx.Response) -> str:
    """What an answer that refuses says: its code always, and the server's words in one line."""
    try:
        said, limit = str(read_json(response).get("message") or ""), _MESSAGE
    except OddAnswerError:
        said, limit = " ".join(response.text.split()), _EXCERPT
    excerpt = said if len(said) <= limit else f"{said[: limit - 1]}…"
    return f"{response.status_code} {response.reason_phrase}".strip() + (f": {excerpt}" if excerpt else "")


def _checked(model: type[_Model], value: Any, what: str, path: str = "") -> _Model:
    try:
        return read_as(model, value, path)
    except UnreadableError as error:
        raise OddAnswerError(f"its answer is no {what}: {error}") from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
