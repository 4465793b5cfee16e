"""What the KubeAIRunway controller would decide, and where that is not what our rules decide.

Its algorithm is followed as read from upstream (July 2026; February 2026 for group kubeairunway.ai): the engine is
chosen before the provider and without it, rules that fail count as false, and a provider none of whose rules is true
still stands at priority 0.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airunway.planning.model_deployment import data
from airunway.selection import rules
from airunway.selection.provider_config import InferenceProviderConfig, SelectionRule
from airunway.selection.select import Selection
from airunway.spec.model import GPU_RESOURCE, Engine, Mode, ModelDeploymentSpec


@dataclass(frozen=True)
class ControllerDecision:
    """Engine and provider that the controller would take, or None, and why."""

    engine: str | None
    provider: str | None
    why: str

    def __str__(self) -> str:
        return f"{self.engine} on {self.provider}, by {self.why}" if self.provider else self.why


def controller_decision(
    sent: dict[str, Any], configs: Sequence[InferenceProviderConfig], group: str
) -> ControllerDecision:
    """The decision for a ModelDeployment's spec ``sent`` with ``configs`` registered and ready, for a new deployment.

    One that the controller has decided on before keeps its engine and provider.
    """
    mode = Mode(sent.get("serving", {}).get("mode", Mode.AGGREGATED))
    gpu = sent["resources"].get("gpu", {}).get("count", 0) > 0 or mode is Mode.DISAGGREGATED
    offers = {config.name: _offer(config, gpu, mode, group) for config in configs}
    engine = sent.get("engine", {}).get("type") or next(
        (str(e) for e in Engine if any(e in o for o in offers.values())), None
    )
    if engine is None:
        return ControllerDecision(None, None, "no engine available from the registered providers")
    named = sent.get("provider", {}).get("name")
    if named:
        return ControllerDecision(engine, named, "provider.name")
    seen = _as_rules_see_it(sent, engine, group)
    ranks = sorted((-_priority(c, seen), c.name) for c in configs if Engine(engine) in offers[c.name])
    if not ranks:
        return ControllerDecision(engine, None, "no compatible provider found")
    priority, name = ranks[0]
    return ControllerDecision(
        engine, name, f"priority {-priority}" if priority else "name, as no rule of any provider is true"
    )


def _offer(config: InferenceProviderConfig, gpu: bool, mode: Mode, group: str) -> set[Engine]:
    """Engines that a provider has for the compute and mode."""
    engines = config.spec.capabilities.engines
    if not data()["groups"][group].get("flat"):
        return {e.name for e in engines if mode in e.serving_modes and (e.gpu_support if gpu else e.cpu_support)}
    fits = any(e.gpu_support if gpu else e.cpu_support for e in engines) and any(
        mode in e.serving_modes for e in engines
    )
    return {e.name for e in engines if fits and (gpu or e.name is Engine.LLAMACPP)}


def _priority(config: InferenceProviderConfig, seen: dict[str, Any]) -> int:
    return max(
        (r.priority for r in config.spec.selection_rules if rules.compile_rule(r.condition).evaluate(seen).is_true),
        default=0,
    )


def _as_rules_see_it(sent: dict[str, Any], engine: str, group: str) -> dict[str, Any]:
    """The spec after the API server's and the webhook's defaults, as Go writes it: no zero values, numbers as
    doubles.
    """
    caching = {"enablePrefixCaching": True} if data()["groups"][group].get("prefixCachingDefault") else {}
    seen = sent | {
        "model": {"source": "huggingface"} | sent.get("model", {}),
        "engine": caching | sent.get("engine", {}) | {"type": engine},
        "serving": {"mode": str(Mode.AGGREGATED)} | sent.get("serving", {}),
        "scaling": {"replicas": 1} | sent.get("scaling", {}),
    }
    if "gpu" in sent["resources"]:
        seen["resources"] = sent["resources"] | {"gpu": {"type": GPU_RESOURCE} | sent["resources"]["gpu"]}
    marshalled: dict[str, Any] = _marshalled(seen)
    return marshalled


def _marshalled(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _marshalled(v) for k, v in value.items() if v not in (0, "", False, []) or isinstance(v, dict)}
    if isinstance(value, list):
        return [_marshalled(v) for v in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def departures(
    spec: ModelDeploymentSpec,
    sent: dict[str, Any],
    selection: Selection,
    configs: Sequence[InferenceProviderConfig],
    group: str,
    shims: Mapping[str, Any],
) -> list[str]:
    """One sentence for each way in which the cluster's controller would depart from the decision or from the spec.

    ``shims`` is what the controller's shims do, by provider name.
    """
    found = []
    registered = controller_decision(sent, configs, group)
    ours = (str(selection.engine), selection.provider)
    settle = f"set engine.type: {selection.engine} and provider.name: {selection.provider} to settle it"
    if (registered.engine, registered.provider) != ours:
        found.append(f"the controller would decide otherwise: {registered}; {settle}")
    own = controller_decision(sent, [_as_shims_register(config, shims) for config in configs], group)
    if (own.engine, own.provider) != ours and (own.engine, own.provider) != (registered.engine, registered.provider):
        found.append(
            "with the rules that the provider shims register when they start, the controller would decide otherwise:"
            f" {own}; {settle}"
        )
    found += [
        f"{row['field']}: the controller's {selection.provider} shim {row['does']}"
        for row in shims.get(selection.provider, {}).get("departures", [])
        if row.get("engine", selection.engine) == selection.engine and _given(sent, row["field"])
    ]
    whole = spec.model_dump(mode="json", by_alias=True)
    return found + [
        f"{row['field']}: {json.dumps(row['value'])} gets lost in the controller, {row['does']}"
        for row in data()["lost"]
        if _at(whole, row["field"]) == row["value"]
    ]


def _as_shims_register(config: InferenceProviderConfig, shims: Mapping[str, Any]) -> InferenceProviderConfig:
    if config.name not in shims:
        return config
    own = [SelectionRule(condition=r["condition"], priority=r["priority"]) for r in shims[config.name]["rules"]]
    return config.model_copy(update={"spec": config.spec.model_copy(update={"selection_rules": own})})


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _given(sent: Any, path: str) -> bool:
    return bool(_at(sent, path))
