"""Predicts the KubeAIRunway controller's decision and compares it with ours.

It follows upstream's algorithm (July 2026; February 2026 for group kubeairunway.ai): the engine is chosen first,
without regard to the provider; rules that fail count as false; a provider without a true rule still has priority 0.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.planning.controller_delivery import controller_data
from airunway.selection import rule_evaluation
from airunway.selection.default_engine import PREFERENCE
from airunway.selection.provider_config import InferenceProviderConfig, SelectionRule
from airunway.selection.select import Selection
from airunway.spec.model import GPU_RESOURCE, Engine, Mode, ModelDeploymentSpec


@dataclass(frozen=True)
class ControllerDecision:
    """The engine and provider that the controller would choose, or None, and the reason."""

    engine: str | None
    provider: str | None
    reason: str

    def __str__(self) -> str:
        return f"{self.engine} on {self.provider}, by {self.reason}" if self.provider else self.reason


def controller_decision(
    manifest_spec: dict[str, Any], configs: Sequence[InferenceProviderConfig], group: str
) -> ControllerDecision:
    """The decision for a new ModelDeployment with spec ``manifest_spec``, if ``configs`` are registered and ready.

    A ModelDeployment that the controller has decided on before keeps its engine and provider.
    """
    mode = Mode(manifest_spec.get("serving", {}).get("mode", Mode.AGGREGATED))
    gpu = manifest_spec["resources"].get("gpu", {}).get("count", 0) > 0 or mode is Mode.DISAGGREGATED
    offers = {config.name: _offer(config, gpu, mode, group) for config in configs}
    engine = manifest_spec.get("engine", {}).get("type") or next(
        (str(e) for e in PREFERENCE if any(e in o for o in offers.values())), None
    )
    if engine is None:
        return ControllerDecision(None, None, "no engine available from the registered providers")
    provider = manifest_spec.get("provider", {}).get("name")
    if provider:
        return ControllerDecision(engine, provider, "provider.name")
    rule_input = _rule_input(manifest_spec, engine, group)
    ranks = sorted((-_priority(c, rule_input), c.name) for c in configs if Engine(engine) in offers[c.name])
    if not ranks:
        return ControllerDecision(engine, None, "no compatible provider found")
    priority, name = ranks[0]
    return ControllerDecision(
        engine, name, f"priority {-priority}" if priority else "name, as no rule of any provider is true"
    )


def _offer(config: InferenceProviderConfig, gpu: bool, mode: Mode, group: str) -> set[Engine]:
    """Engines that a provider offers for the compute and mode."""
    engines = config.spec.capabilities.engines
    if not controller_data()["groups"][group].get("flat"):
        return {e.name for e in engines if mode in e.serving_modes and (e.gpu_support if gpu else e.cpu_support)}
    fits = any(e.gpu_support if gpu else e.cpu_support for e in engines) and any(
        mode in e.serving_modes for e in engines
    )
    return {e.name for e in engines if fits and (gpu or e.name is Engine.LLAMACPP)}


def _priority(config: InferenceProviderConfig, rule_input: dict[str, Any]) -> int:
    return max(
        (
            r.priority
            for r in config.spec.selection_rules
            if rule_evaluation.compile_rule(r.condition).evaluate(rule_input).is_true
        ),
        default=0,
    )


def _rule_input(manifest_spec: dict[str, Any], engine: str, group: str) -> dict[str, Any]:
    """The spec with the API server's and webhook's defaults, as Go marshals it: no zero values, numbers as doubles."""
    caching = {"enablePrefixCaching": True} if controller_data()["groups"][group].get("prefixCachingDefault") else {}
    rule_input = manifest_spec | {
        "model": {"source": "huggingface"} | manifest_spec.get("model", {}),
        "engine": caching | manifest_spec.get("engine", {}) | {"type": engine},
        "serving": {"mode": str(Mode.AGGREGATED)} | manifest_spec.get("serving", {}),
        "scaling": {"replicas": 1} | manifest_spec.get("scaling", {}),
    }
    if "gpu" in manifest_spec["resources"]:
        rule_input["resources"] = manifest_spec["resources"] | {
            "gpu": {"type": GPU_RESOURCE} | manifest_spec["resources"]["gpu"]
        }
    marshalled: dict[str, Any] = _marshalled(rule_input)
    return marshalled


def _marshalled(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _marshalled(v) for k, v in value.items() if v not in (0, "", False, []) or isinstance(v, dict)}
    if isinstance(value, list):
        return [_marshalled(v) for v in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def controller_differences(
    spec: ModelDeploymentSpec,
    manifest_spec: dict[str, Any],
    selection: Selection,
    configs: Sequence[InferenceProviderConfig],
    group: str,
    shims: Mapping[str, Any],
) -> list[str]:
    """One message for each difference between the controller's behaviour and our decision or the spec.

    ``shims`` describes the controller's shims, by provider name.
    """
    messages = []
    registered = controller_decision(manifest_spec, configs, group)
    planned = (str(selection.engine), selection.provider)
    hint = f"set engine.type: {selection.engine} and provider.name: {selection.provider} to pin the decision"
    if (registered.engine, registered.provider) != planned:
        messages.append(f"the controller would decide otherwise: {registered}; {hint}")
    with_shim_rules = controller_decision(manifest_spec, [_with_shim_rules(config, shims) for config in configs], group)
    if (with_shim_rules.engine, with_shim_rules.provider) != planned and (
        with_shim_rules.engine,
        with_shim_rules.provider,
    ) != (registered.engine, registered.provider):
        messages.append(
            "with the rules that the provider shims register when they start, the controller would decide otherwise:"
            f" {with_shim_rules}; {hint}"
        )
    messages += [
        f"{row['field']}: the controller's {selection.provider} shim {row['does']}"
        for row in shims.get(selection.provider, {}).get("departures", [])
        if row.get("engine", selection.engine) == selection.engine and _exceeds(manifest_spec, row)
    ]
    spec_fields = spec.model_dump(mode="json", by_alias=True)
    return messages + [
        f"{row['field']}: the controller loses the value {json.dumps(row['value'])}, {row['does']}"
        for row in controller_data()["lost"]
        if _value_at(spec_fields, row["field"]) == row["value"]
    ]


def _with_shim_rules(config: InferenceProviderConfig, shims: Mapping[str, Any]) -> InferenceProviderConfig:
    if config.name not in shims:
        return config
    own = [SelectionRule(condition=r["condition"], priority=r["priority"]) for r in shims[config.name]["rules"]]
    return config.model_copy(update={"spec": config.spec.model_copy(update={"selection_rules": own})})


def _value_at(value: Any, field: str) -> Any:
    """The value of ``field``; ``name[]`` means the elements of a list, of which the first that has one counts."""
    head, _, rest = field.partition(".")
    inner = value.get(head.removesuffix("[]")) if isinstance(value, dict) else None
    if not rest:
        return inner
    if not head.endswith("[]"):
        return _value_at(inner, rest)
    return next((found for element in inner or [] if (found := _value_at(element, rest))), None)


def _exceeds(manifest_spec: Any, row: Mapping[str, Any]) -> bool:
    """Whether the row's field is set, to more than ``above`` where the row names a number."""
    value = _value_at(manifest_spec, row["field"])
    return bool(value) and ("above" not in row or value > row["above"])
