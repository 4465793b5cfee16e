"""Live objects as models: each names the fields that are read, leaves all others alone, and says where an object has
another shape.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from airunway.text.problems import Problem, path_of, shown

Object = Mapping[str, Any]


class UnreadableError(Exception):
    """A live object has another shape than its kind, or says what can't be read on; the text names the path and says
    why.
    """


class LiveModel(BaseModel):
    """Base of what is read from a live object: camelCase keys, no silent conversion, null for what is not there.

    Go writes null for a map or list that it never made, and reads null as nothing.
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


def read_as(model: type[_Model], value: Any, path: str = "") -> _Model:
    """``value``, which stands at ``path`` of its object, as ``model``. Raises ``UnreadableError``."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UnreadableError(str(shape_problem(error).under(path))) from error


def read_value(kind: Any, value: Any, path: str) -> Any:
    """``value``, which stands at ``path`` of its object, as ``kind``, which is no model. Raises ``UnreadableError``."""
    try:
        return TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(value)
    except ValidationError as error:
        raise UnreadableError(str(shape_problem(error).under(path))) from error


def shape_problem(error: ValidationError) -> Problem:
    """The first thing that is wrong with a value's shape, in pydantic's words."""
    detail = error.errors(include_url=False, include_input=False)[0]
    text = str(detail["msg"]).removeprefix("Value error, ")
    return Problem(path_of(detail["loc"]), f"{text[0].lower()}{text[1:]}")


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_DIGITS = 18
"""More of them than any count has."""


def _as_whole(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not (value.isascii() and value.isdecimal() and len(value) <= _DIGITS):
        raise ValueError(f"{shown(value)} given, a whole number is wanted")
    return int(value)


UNLESS_EMPTY = BeforeValidator(lambda value: None if value == {} else value)
"""Takes a map without anything for nothing: so Go writes a struct that was never filled."""

Quantity = Annotated[str, BeforeValidator(_as_text)]
"""A Kubernetes quantity, which may be written as a number."""

Whole = Annotated[int, BeforeValidator(_as_whole)]
"""A whole number that may be written as text."""


class Owner(LiveModel):
    """The object that another belongs to."""

    kind: str
    name: str


class Metadata(LiveModel):
    """What every object says of itself."""

    name: str
    namespace: str | None = None
    labels: dict[str, str] = Field({})
    annotations: dict[str, str] = Field({})
    owner_references: list[Owner] = Field([])
    finalizers: list[str] = Field([])
    generation: int = 0
    deletion_timestamp: str | None = None


class Condition(LiveModel):
    """One condition as the object's operator set it."""

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
    """What the status of most kinds has."""

    conditions: list[Condition] = Field([])
