"""What an API server's answers have to look like before anything else reads them: plain data of the shape that Kubernetes' API has."""

import json
import math
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from airunway.text.problems import Problem, join, path_of

_MESSAGE, _EXCERPT = 1_000, 200
"""Characters of a Status's message, and of any other text, that messages show."""


class OddAnswerError(Exception):
    """An answer that is not what Kubernetes' API gives; the message says what is wrong with it."""


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)


class _Owner(_Answer):
    kind: str
    name: str


class _Metadata(_Answer):
    name: str
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[_Owner] | None = None
    finalizers: list[str] | None = None
    generation: int = 0
    deletion_timestamp: str | None = None


class _Object(_Answer):
    metadata: _Metadata
    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None


class _ServicePort(_Answer):
    port: int
    target_port: int | str | None = None


class _ServiceSpec(_Answer):
    selector: dict[str, str] | None = None
    ports: list[_ServicePort] | None = None


class _Service(_Answer):
    metadata: _Metadata
    spec: _ServiceSpec


class _ContainerPort(_Answer):
    name: str | None = None
    container_port: int


class _Container(_Answer):
    ports: list[_ContainerPort] | None = None


class _PodSpec(_Answer):
    containers: list[_Container]


class _Condition(_Answer):
    type: str
    status: str


class _PodStatus(_Answer):
    conditions: list[_Condition] | None = None


class _Pod(_Answer):
    metadata: _Metadata
    spec: _PodSpec
    status: _PodStatus | None = None


class _DeploymentSpec(_Answer):
    replicas: int = 1


class _DeploymentStatus(_Answer):
    ready_replicas: int = 0
    observed_generation: int = 0


class _Deployment(_Answer):
    metadata: _Metadata
    spec: _DeploymentSpec
    status: _DeploymentStatus | None = None


class _Schema(_Answer):
    schema_: dict[str, Any] | None = Field(None, alias="openAPIV3Schema")


class _Version(_Answer):
    name: str
    schema_: _Schema | None = Field(None, alias="schema")


class _DefinitionSpec(_Answer):
    versions: list[_Version]


class _Definition(_Answer):
    metadata: _Metadata
    spec: _DefinitionSpec


class _ListMeta(_Answer):
    token: str | None = Field(None, alias="continue")


class _List(_Answer):
    metadata: _ListMeta | None = None
    items: list[Any] | None


class Resource(_Answer):
    """A kind's resource, as discovery has it; ``namespaced`` is None where it was not asked."""

    name: str
    kind: str
    namespaced: bool | None = None


class _Resources(_Answer):
    resources: list[Resource]


_SHAPES: Mapping[str, type[BaseModel]] = {
    "CustomResourceDefinition": _Definition,
    "Deployment": _Deployment,
    "Pod": _Pod,
    "Service": _Service,
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
    return items, (page.metadata.token if page.metadata else None) or ""


def read_object(value: Any, version: str, resource: Resource, path: str = "") -> dict[str, Any]:
    """``value`` as an object of the kind of ``resource``. Raises ``OddAnswerError``."""
    checked = _checked(_SHAPES.get(resource.kind, _Object), value, resource.kind, path)
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


def _checked(model: type[Any], value: Any, what: str, path: str = "") -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        said = str(detail["msg"])
        problem = Problem(join(path, path_of(detail["loc"])), f"{said[0].lower()}{said[1:]}")
        raise OddAnswerError(f"its answer is no {what}: {problem}") from error


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
