"""The components' argument types as Python source, made from the models that check them, so that each field is
described once.
"""

import types
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from airunway.planning.settings import StackSettings
from airunway.provider.pods import OUTPUT_FIELDS
from airunway.spec.entry import DeploymentEntry
from airunway.text.descriptions import one_line_paragraphs

_INDENT = "    "
_WIDTH = 120
# Pulumi has its own ways for these: the name and ``protect`` of a resource; files are the program's to read.
_NOT_AN_ARGUMENT = {
    "ModelDeploymentArgs": {"name"},
    "PlatformArgs": {
        "cluster",
        "deployments",
        "deployment_files",
        "manifests",
        "provider_files",
        "protect",
        "controller",
        "delivery",
    },
    "ModelServingArgs": {"deployment_files", "manifests", "provider_files", "protect"},
    "ControllerSettings": {"manifests"},
}
_SECRETS = {
    "hugging_face_token": "Token of Hugging Face: made a Secret in each namespace that needs it.",
    "registry_password": "Password of registry.existing.username.",
}


def write_argument_types(folder: Path) -> None:
    """Write both modules into ``folder``."""
    (folder / "spec_types.py").write_text(spec_types(), encoding="utf-8")
    (folder / "settings_types.py").write_text(settings_types(), encoding="utf-8")


def spec_types() -> str:
    """The source of ``components/spec_types.py``."""
    return _module("What a model deployment is asked for.", {"ModelDeploymentArgs": DeploymentEntry}, set())


def settings_types() -> str:
    """The source of ``components/settings_types.py``."""
    known = set(_models(DeploymentEntry)) - {"DeploymentEntry"}
    roots = {"Deployment": DeploymentEntry, "PlatformArgs": StackSettings, "ModelServingArgs": StackSettings}
    return _module("What the deployments of a cluster share.", roots, known)


def _module(title: str, roots: Mapping[str, Any], known: set[str]) -> str:
    classes: dict[str, list[str]] = {}
    used: set[str] = set()
    for name, root in roots.items():
        for inner in _models(root).values():
            if inner is not root and inner.__name__ not in known:
                classes.setdefault(inner.__name__, _class(inner.__name__, inner, used))
        classes[name] = _class(name, root, used)
    head = [
        f'"""{title} Written by `make schema` from the models that check it."""',
        "",
        "from typing import Any, NotRequired, TypedDict",
        "",
    ]
    imports = sorted(used & known - set(classes))
    head += ["import pulumi", ""]
    if imports:
        head += ["from components.spec_types import (", *(f"{_INDENT}{name}," for name in imports), ")", ""]
    return "\n".join([*head, *(line for lines in classes.values() for line in ["", *lines, ""])]).rstrip() + "\n"


def _class(name: str, model: type[BaseModel], used: set[str]) -> list[str]:
    doc = one_line_paragraphs(model.__doc__ or "").split("\n\n")[0]
    lines = [f"class {name}(TypedDict):", *_docstring(doc), ""]
    for field, info in model.model_fields.items():
        if field not in _NOT_AN_ARGUMENT.get(name, ()):
            lines += _field(
                field, _type(info, _leaf(model, info, field), used), info.description or "", required=info.is_required()
            )
    if model is StackSettings:
        for field, text in _SECRETS.items():
            lines += _field(field, "pulumi.Input[str]", text, required=False)
    return lines[:-1]


def _field(name: str, annotation: str, description: str, *, required: bool) -> list[str]:
    return [
        f"{_INDENT}{name}: {annotation if required else f'NotRequired[{annotation}]'}",
        *_docstring(description),
        "",
    ]


def _docstring(text: str) -> Iterable[str]:
    line = f'{_INDENT}"""{text}"""'
    if len(line) <= _WIDTH:
        return [line]
    lines: list[str] = []
    current = f'{_INDENT}"""'
    for word in text.split():
        if len(current) + len(word) + 1 > _WIDTH:
            lines, current = [*lines, current.rstrip()], _INDENT
        current += f"{word} "
    return [*lines, current.rstrip(), f'{_INDENT}"""']


def _leaf(model: type[BaseModel], info: FieldInfo, field: str) -> bool:
    """Whether an Output may stand for the field's value."""
    return (model.__name__, info.alias or field) in OUTPUT_FIELDS


def _type(info: FieldInfo, passed_through: bool, used: set[str]) -> str:
    return _annotation(info.annotation, passed_through, used)


def _annotation(annotation: Any, passed_through: bool, used: set[str]) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _annotation(arguments[0], passed_through, used)
    if origin in (typing.Union, types.UnionType):
        (inner,) = [a for a in arguments if a is not type(None)]
        return _annotation(inner, passed_through, used)
    if origin is list:
        element = "Deployment" if arguments == (Any,) else _annotation(arguments[0], passed_through, used)
        return f"list[{element}]"
    if origin is dict:
        return f"dict[str, {_annotation(arguments[1], passed_through, used)}]"
    if annotation is Any:
        return "Any"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        used.add(annotation.__name__)
        return annotation.__name__
    named = origin is typing.Literal or (isinstance(annotation, type) and issubclass(annotation, Enum))
    plain = "str" if named else annotation.__name__
    return f"pulumi.Input[{plain}]" if passed_through else plain


def _models(root: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """``root`` and the models in it by name, each after those that it holds."""
    found: dict[str, type[BaseModel]] = {}
    for info in root.model_fields.values():
        for model in _models_in(info.annotation):
            found |= {name: inner for name, inner in _models(model).items() if name not in found}
    return found | {root.__name__: root}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in typing.get_args(annotation) for model in _models_in(inner)]
