"""Every leaf of the spec, from the types of its model, and other values for each."""

import types
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

# What only a certain text is valid for.
VALUES: dict[str, Any] = {
    "model.gguf.file": "other.gguf",
    "engine.extraArgs": ["--seed=1"],
    "resources.gpu.type": "amd.com/gpu",
    "scaling.prefill.gpu.type": "amd.com/gpu",
    "scaling.decode.gpu.type": "amd.com/gpu",
    "resources.cpu": "3",
    "resources.memory": "7Gi",
    "scaling.prefill.memory": "7Gi",
    "scaling.decode.memory": "7Gi",
    "readyTimeout": "45m",
    "model.storage.volumes[].mountPath": "/other",
    "model.storage.volumes[].size": "7Gi",
    "model.storage.volumes[].accessMode": "ReadWriteOnce",
    "env[].valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}},
}
_VOLUME = {"name": "volume", "mountPath": "/volume"}
_EXISTING = {"model": {"storage": {"volumes": [_VOLUME | {"claimName": "claim"}]}}}
_CREATED = {"model": {"storage": {"volumes": [_VOLUME | {"size": "1Gi"}]}}}
# What a value, or any value of a leaf, takes beside it.
COMPANIONS: dict[str, dict[str, Any]] = {
    "model.source=custom": {"image": "registry.example/model:1"},
    "model.source=aikit": {"model": {"id": "llama3.2:1b"}},
    **{
        f"{part}.gpu.type": {"image": "registry.example/rocm:1"}
        for part in ("resources", "scaling.prefill", "scaling.decode")
    },
    **{
        f"model.storage.volumes[].{leaf}": _EXISTING
        for leaf in ("name", "claimName", "mountPath", "purpose", "readOnly")
    },
    **{f"model.storage.volumes[].{leaf}": _CREATED for leaf in ("size", "storageClassName", "accessMode")},
    "model.gguf.build": {"model": {"gguf": {"file": "x.gguf"}}},
    "env[].value": {"env": [{"name": "SAMPLE"}]},
    "env[].valueFrom": {"env": [{"name": "SAMPLE"}]},
    "tolerations[].operator=Equal": {"tolerations": [{"key": "sample"}]},
    "tolerations[].value": {"tolerations": [{"key": "sample"}]},
    "tolerations[].effect": {"tolerations": [{"key": "sample"}]},
    "tolerations[].tolerationSeconds": {"tolerations": [{"key": "sample", "effect": "NoExecute"}]},
}


def leaves(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and type of each leaf; ``[]`` is any element of a list."""
    for name, field in model.model_fields.items():
        yield from _below(field.annotation, f"{path}.{field.alias or name}".removeprefix("."))


def _below(annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    kind = bare(annotation)
    element = bare(get_args(kind)[0]) if get_origin(kind) is list else None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from leaves(kind, path)
    elif isinstance(element, type) and issubclass(element, BaseModel):
        yield from leaves(element, f"{path}[]")
    else:
        yield path, kind


def bare(annotation: Any) -> Any:
    """The type without its constraints and without None."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = [a for a in get_args(annotation) if a is not type(None)]
        return bare(annotation)
    return annotation


OVERRIDES: list[Any] = [
    {"resource": {"preferredNodes": ["sample"]}},  # of a Workspace
    {"spec": {"priorityClassName": "sample"}},  # of a DynamoGraphDeployment
    {"spec": {"suspend": True}},  # of a RayService
    {"spec": {"paused": True}},  # of a Deployment
]


def values(path: str, kind: Any, default: Any) -> list[Any]:
    """Values other than ``default`` that are valid for the leaf at ``path``."""
    if path == "provider.overrides":
        return OVERRIDES
    if path in VALUES:
        return [VALUES[path]]
    if get_origin(kind) is Literal:
        return [v for v in get_args(kind) if v != default]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [str(v) for v in kind if v != default]
    if kind is bool:
        return [not default]
    by_type = {
        str: "sample",
        int: 7,
        dict[str, str]: {"sample": "7"},
        dict[str, Any]: {"sample": "x"},
        list[str]: ["sample"],
    }
    return [by_type[kind]]


def default_of(model: type[BaseModel], path: str) -> Any:
    """The default of the leaf at ``path``; None where it is required."""
    for part in path.replace("[]", "").split("."):
        field = next(f for n, f in model.model_fields.items() if part == (f.alias or n))
        kind = bare(field.annotation)
        kind = bare(get_args(kind)[0]) if get_origin(kind) is list else kind
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            model = kind
    return None if field.is_required() else field.get_default(call_default_factory=True)


def changed(base: Any, path: str, value: Any) -> Any:
    """``base`` with ``value`` at ``path``; of a list it is the first element."""
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]")
    below = base.get(name) if isinstance(base, dict) else None
    if head.endswith("[]"):
        return (base or {}) | {name: [changed(below[0] if below else {}, rest, value)]}
    return (base or {}) | {name: changed(below or {}, rest, value) if rest else value}
