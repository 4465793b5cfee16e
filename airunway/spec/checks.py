"""Checks of the KubeAIRunway webhook beyond types: limits, combinations, names (upstream's HEAD of July 2026)."""

import re
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from airunway.spec.clear_text import clear_text_problems
from airunway.spec.model import (
    GPU_RESOURCE,
    MAX_CPU,
    MAX_GPUS,
    MAX_MEMORY,
    MAX_REPLICAS,
    MAX_VARIABLES,
    ComponentScaling,
    ModelDeploymentSpec,
    Source,
)
from airunway.spec.model_checks import model_problems
from airunway.spec.override_checks import override_problems
from airunway.spec.pod_checks import env_problems, gpu_type_problems, toleration_problems
from airunway.spec.quantities import parse_quantity as parse_quantity
from airunway.spec.quantities import size_problem
from airunway.spec.storage_checks import storage_problems, storage_warnings
from airunway.spec.written_flags import written_flags
from airunway.text.problems import Problem, format_value, validation_problems

_Spec = TypeVar("_Spec", bound=ModelDeploymentSpec)
ARG_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
"""A whole flag name, without dashes, that ``engine.args`` accepts."""
_JOINED = re.compile(r"(-[^\s=]*)\s")


def parse_spec(
    data: Any, model: type[_Spec], hidden: Collection[str] = frozenset()
) -> tuple[_Spec | None, list[Problem]]:
    """Parse and check a spec, or a model that extends it; the spec is None if there are problems.

    The keys in ``hidden`` are not suggested for unknown ones.
    """
    variables = data.get("env") if isinstance(data, dict) else None
    if isinstance(variables, list) and len(variables) > MAX_VARIABLES:
        return None, [Problem("env", f"{len(variables):,} variables given, must be at most {MAX_VARIABLES:,}")]
    try:
        spec = model.model_validate(data)
    except ValidationError as error:
        problems = validation_problems(error, model, hidden)
        valid_part = _without(data, [e["loc"] for e in error.errors()])
        try:
            later_problems = check_spec(model.model_validate(valid_part))
        except ValidationError:
            later_problems = []
        broken = {_element(p.field) or _section(p.field) for p in problems}
        return None, problems + [p for p in later_problems if not {_section(p.field), _element(p.field)} & broken]
    problems = check_spec(spec)
    return (None if problems else spec), problems


def _element(field: str) -> str | None:
    """The element of a section's list that ``field`` is in, such as ``env[2]``; the others don't depend on it."""
    match = re.match(r"([^.\[]+\[[0-9]+\])\.", field)
    return match[1] if match else None


def _section(field: str) -> str:
    section = re.split(r"[.\[]", field)[0]
    return "resources" if section in ("scaling", "serving") else section


def _without(data: Any, locations: list[tuple[int | str, ...]]) -> Any:
    """A copy of ``data`` without the values at ``locations``."""
    removed = {location[0] for location in locations if len(location) == 1}
    nested: dict[int | str, list[tuple[int | str, ...]]] = {}
    for location in locations:
        if len(location) > 1:
            nested.setdefault(location[0], []).append(location[1:])
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else None
    if items is None:
        return data
    result = {k: _without(v, nested[k]) if k in nested else v for k, v in items if k not in removed}
    return result if isinstance(data, dict) else list(result.values())


def check_spec(spec: ModelDeploymentSpec) -> list[Problem]:
    """The problems of a well-typed spec that don't depend on the provider."""
    # Other messages could show what is in clear text.
    credentials = {problem.field: problem for problem in clear_text_problems(spec)}
    problems = [
        *model_problems(spec),
        *storage_problems(spec),
        *_mode(spec),
        *_ceilings(spec),
        *gpu_type_problems(spec),
        *_images(spec),
        *_args(spec),
        *env_problems(spec),
        *toleration_problems(spec),
        *override_problems(spec.provider.overrides),
    ]
    return [*(problem for problem in problems if problem.field not in credentials), *credentials.values()]


def spec_warnings(spec: ModelDeploymentSpec) -> list[str]:
    """Warnings about valid but questionable settings."""
    warnings = []
    for field in trusting_fields(spec):
        warnings.append(f"{field}: the model's own code will run in the cluster")
    if spec.model.source is Source.CUSTOM and spec.model.served_name:
        warnings.append("model.servedName: with source custom the image decides the name")
    return [*warnings, *storage_warnings(spec)]


def trusting_fields(spec: ModelDeploymentSpec) -> Iterator[str]:
    """The fields that let a model's code run, as a setting or as a flag of the engine."""
    if spec.engine.trust_remote_code:
        yield "engine.trustRemoteCode"
    for field, flag, value in written_flags(spec):
        if flag == "trust-remote-code" and value.lower() != "false":
            yield field


def _mode(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    for name in ("prefill", "decode"):
        part: ComponentScaling | None = getattr(spec.scaling, name)
        field = f"scaling.{name}"
        if not spec.disaggregated:
            if part is not None:
                yield Problem(
                    field, "only for disaggregated serving; set serving.mode: disaggregated, or use scaling.replicas"
                )
        elif part is None:
            yield Problem(
                field,
                f"required in disaggregated mode, for example {{replicas: 1, gpu: {{count: 1}}}} for the {name}"
                " workers",
            )
        elif part.gpu is None or part.gpu.count == 0:
            yield Problem(
                f"{field}.gpu.count",
                f"{part.gpu.count if part.gpu else 'nothing'} given, disaggregated mode needs at least 1",
            )
    yield from _resources(spec)


def _resources(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    """Problems for values of ``resources`` that have no effect."""
    gpu, memory = spec.resources.gpu, spec.resources.memory
    hint = "in disaggregated mode GPUs belong under scaling.prefill and scaling.decode"
    if spec.disaggregated and spec.gpu_count > 0:
        yield Problem("resources.gpu.count", f"{spec.gpu_count} given; {hint}")
    elif gpu and gpu.count == 0 and gpu.type != GPU_RESOURCE:
        yield Problem(
            "resources.gpu.type",
            f"{format_value(gpu.type)} given; {hint if spec.disaggregated else 'give resources.gpu.count too'}",
        )
    parts = (spec.scaling.prefill, spec.scaling.decode)
    if spec.disaggregated and memory and all(part and part.memory for part in parts):
        yield Problem(
            "resources.memory",
            f"{format_value(memory)} given, but scaling.prefill and scaling.decode have memory of their own",
        )


def _ceilings(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    scaling, resources = spec.scaling, spec.resources
    parts = [(f"scaling.{role}", p) for role, p in (("prefill", scaling.prefill), ("decode", scaling.decode)) if p]
    replicas = [("scaling.replicas", scaling.replicas), *((f"{field}.replicas", p.replicas) for field, p in parts)]
    gpus = [
        ("resources.gpu.count", spec.gpu_count),
        *((f"{field}.gpu.count", p.gpu.count) for field, p in parts if p.gpu),
    ]
    for field, number in replicas:
        if number > MAX_REPLICAS:
            yield Problem(field, f"{number} given, must be at most {MAX_REPLICAS}")
    for field, number in gpus:
        if number > MAX_GPUS:
            yield Problem(field, f"{number} given, must be at most {MAX_GPUS}")
    quantities = [("resources.cpu", resources.cpu, MAX_CPU), ("resources.memory", resources.memory, MAX_MEMORY)]
    quantities += [(f"{field}.memory", p.memory, MAX_MEMORY) for field, p in parts]
    for field, text, maximum in quantities:
        if text is None:
            continue
        amount = parse_quantity(text)
        if amount is not None and amount > (parse_quantity(maximum) or 0):
            yield Problem(field, f"{format_value(text)} given, must be at most {maximum}")
            continue
        problem = _cpu_problem(amount) if maximum == MAX_CPU else size_problem(text)
        if problem:
            yield Problem(field, f"{format_value(text)} given, {problem}")


def _cpu_problem(amount: Decimal | None) -> str | None:
    if amount is None:
        return "must be a Kubernetes quantity, such as 500m or 4"
    return "must be more than 0" if amount == 0 else None


def _images(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    if spec.image and spec.engine.image and spec.image != spec.engine.image:
        yield Problem(
            "engine.image",
            f"{format_value(spec.engine.image)} given, but image is {format_value(spec.image)}; give one of the two",
        )


def _args(spec: ModelDeploymentSpec) -> Iterator[Problem]:
    for key in spec.engine.args:
        if not ARG_KEY.fullmatch(key):
            yield Problem(f"engine.args.{key}", "letters, digits, -, _ and . are valid, without the leading dashes")
    for index, token in enumerate(spec.engine.extra_args):
        if joined := _JOINED.match(token):
            flag = joined[1]
            message = f"{flag} and its value are in one element; write two, {flag!r} and the value, or {flag}=VALUE"
            yield Problem(f"engine.extraArgs[{index}]", message)
        flag = token.lstrip("-").split("=", 1)[0]
        if token.startswith("--") and flag in spec.engine.args:
            yield Problem(
                f"engine.extraArgs[{index}]",
                f"{format_value(token)} given, but engine.args sets {flag} too; give it once",
            )
