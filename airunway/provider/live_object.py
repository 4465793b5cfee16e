"""Models of live objects: each declares the fields that we read and ignores all others."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from airunway.text.problems import Problem, dotted_field, format_value

Object = Mapping[str, Any]


class UnreadableError(Exception):
    """A live object can't be read; the message names the field and the reason."""


class LiveModel(BaseModel):
    """Base of models of live objects: camelCase keys, no implicit conversion, null counts as absent.

    Go writes null for a nil map or slice, and reads null as the zero value.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, value: Any) -> Any:
        if not isinstance(value, dict) or None not in value.values():
            return value
        required = {field.alias or name for name, field in cls.model_fields.items() if field.is_required()}
        return {key: inner for key, inner in value.items() if inner is not None or key in required}


_Model = TypeVar("_Model", bound=BaseModel)


def read_as(model: type[_Model], value: Any, field: str = "") -> _Model:
    """Parse ``value``, found at ``field`` of its object, as ``model``. Raises ``UnreadableError``."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UnreadableError(str(shape_problem(error).under(field))) from error


def read_value(kind: Any, value: Any, field: str) -> Any:
    """Parse ``value``, found at ``field`` of its object, as a type that is no model. Raises ``UnreadableError``."""
    try:
        return TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(value)
    except ValidationError as error:
        raise UnreadableError(str(shape_problem(error).under(field))) from error


def shape_problem(error: ValidationError) -> Problem:
    """The first validation error as a problem, in pydantic's words."""
    detail = error.errors(include_url=False, include_input=False)[0]
    text = str(detail["msg"]).removeprefix("Value error, ")
    return Problem(dotted_field(detail["loc"]), f"{text[0].lower()}{text[1:]}")


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_DIGITS = 18
"""More digits than any count has."""


def _as_whole(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not (value.isascii() and value.isdecimal() and len(value) <= _DIGITS):
        raise ValueError(f"{format_value(value)} given, must be a whole number")
    return int(value)


EMPTY_AS_NONE = BeforeValidator(lambda value: None if value == {} else value)
"""Reads an empty map as None: Go writes one for an empty struct."""

Quantity = Annotated[str, BeforeValidator(_as_text)]
"""A Kubernetes quantity, which may be written as a number."""

WholeNumber = Annotated[int, BeforeValidator(_as_whole)]
"""A whole number that may be written as text."""


class OwnerReference(LiveModel):
    """A reference to the owner of an object."""

    kind: str
    name: str


class Metadata(LiveModel):
    """The metadata of any object."""

    name: str
    namespace: str | None = None
    labels: dict[str, str] = Field({})
    annotations: dict[str, str] = Field({})
    owner_references: list[OwnerReference] = Field([])
    finalizers: list[str] = Field([])
    generation: int = 0
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None


class Condition(LiveModel):
    """One condition of an object's status."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class LiveObject(LiveModel):
    """An object of any kind."""

    api_version: str
    kind: str
    metadata: Metadata


class Status(LiveModel):
    """The part of the status that most kinds share."""

    conditions: list[Condition] = Field([])
