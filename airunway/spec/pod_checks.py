"""Checks of what goes into pods as it is: environment variables, tolerations and names of GPU resources.

The API server refuses what is wrong in them, but only once the operator makes the pods.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from airunway.spec.model import ModelDeploymentSpec, Toleration
from airunway.text.problems import Problem, format_value, unknown_keys
from airunway.text.yaml_reading import load_data

_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_QUALIFIED_NAME = re.compile(rf"({_DOMAIN}/)?{_NAME}")
_EXTENDED_RESOURCE = re.compile(rf"{_DOMAIN}/{_NAME}")


@cache
def _sources() -> Mapping[str, Mapping[str, list[str]]]:
    return load_data(Path(__file__).with_name("env_sources.yaml"))


def env_problems(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """Problems with names and sources of environment variables."""
    names: set[str] = set()
    for index, variable in enumerate(spec.env):
        field = f"env[{index}]"
        if variable.name in names:
            yield Problem(f"{field}.name", f"{format_value(variable.name)} is set twice")
        elif not _VARIABLE.fullmatch(variable.name):
            rule = "letters, digits and - _ . are valid, and a digit not at the beginning"
            yield Problem(f"{field}.name", f"{format_value(variable.name)} given; {rule}")
        names.add(variable.name)
        if variable.value is not None and variable.value_from is not None:
            yield Problem(field, "value and valueFrom exclude each other")
        elif variable.value_from is not None:
            yield from _source_problems(variable.value_from, f"{field}.valueFrom")


def _source_problems(source: Mapping[str, Any], field: str) -> Iterator[Problem]:
    sources = _sources()
    unknown = [key for key in source if key not in sources]
    yield from unknown_keys(unknown, sources, field)
    if len(source) != 1 and not unknown:
        names = " and ".join(source) if source else "nothing"
        yield Problem(field, f"{names} given, must be one of {', '.join(sources)}")
    for key, reference in source.items():
        if key in sources:
            yield from _reference_problems(reference, sources[key], f"{field}.{key}")


def _reference_problems(reference: Any, keys: Mapping[str, list[str]], field: str) -> Iterator[Problem]:
    valid = [*keys["required"], *keys["optional"]]
    if not isinstance(reference, dict):
        yield Problem(field, f"{format_value(reference)} given, must be a map with the keys {', '.join(valid)}")
        return
    yield from unknown_keys((key for key in reference if key not in valid), valid, field)
    for key, value in reference.items():
        if key not in valid:
            continue
        if key == "optional" and not isinstance(value, bool):
            yield Problem(f"{field}.{key}", f"{format_value(value)} given, must be true or false")
        elif key != "optional" and not (isinstance(value, str) and value):
            yield Problem(f"{field}.{key}", f"{format_value(value)} given, must be a string that is not empty")
    for key in keys["required"]:
        if key not in reference:
            yield Problem(f"{field}.{key}", "required, but not given")


def toleration_problems(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """Problems with tolerations whose fields don't go together."""
    for index, toleration in enumerate(spec.tolerations):
        yield from _toleration_problems(toleration, f"tolerations[{index}]")


def _toleration_problems(toleration: Toleration, field: str) -> Iterator[Problem]:
    key, exists = toleration.key, toleration.operator == "Exists"
    if not key and not exists:
        yield Problem(f"{field}.key", "required, unless operator is Exists, which without a key tolerates every taint")
    if key and not _QUALIFIED_NAME.fullmatch(key):
        yield Problem(f"{field}.key", f"{format_value(key)} given, must be the key of a taint, such as nvidia.com/gpu")
    if exists and toleration.value:
        yield Problem(
            f"{field}.value", f"{format_value(toleration.value)} given, but operator Exists takes no value; use Equal"
        )
    elif toleration.value and not re.fullmatch(_NAME, toleration.value):
        yield Problem(
            f"{field}.value", f"{format_value(toleration.value)} given; letters, digits and - _ . are valid, 63 at most"
        )
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        yield Problem(
            f"{field}.tolerationSeconds",
            f"{toleration.toleration_seconds} given, but only for the effect NoExecute, not"
            f" {toleration.effect or 'for all effects'}",
        )


def gpu_type_problems(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """Problems with GPU types that are no extended resource, as the name of a product isn't."""
    parts = (("scaling.prefill", spec.scaling.prefill), ("scaling.decode", spec.scaling.decode))
    gpus = [("resources", spec.resources.gpu), *((field, part.gpu) for field, part in parts if part)]
    for field, gpu in gpus:
        if gpu and (not _EXTENDED_RESOURCE.fullmatch(gpu.type) or _is_kubernetes_own(gpu.type)):
            yield Problem(
                f"{field}.gpu.type",
                f"{format_value(gpu.type)} given, must be an extended resource (DOMAIN/NAME) such as nvidia.com/gpu or"
                " amd.com/gpu; for a product set nodeSelector, such as {nvidia.com/gpu.product: NVIDIA-L40S}",
            )


def _is_kubernetes_own(resource: str) -> bool:
    domain = resource.partition("/")[0]
    return domain == "kubernetes.io" or domain.endswith(".kubernetes.io")
