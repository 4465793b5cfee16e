"""Selects the engine and provider of a deployment, and explains the choice."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from airunway.selection import rule_evaluation
from airunway.selection.capabilities import offered_engines, unfit_reason
from airunway.selection.default_engine import default_engine
from airunway.selection.provider_config import InferenceProviderConfig, SelectionRule
from airunway.spec.model import Engine, ModelDeploymentSpec
from airunway.text.problems import InputError, Problem, format_value, suggest_name

EXPLICIT = "explicit"


@dataclass(frozen=True)
class RuleResult:
    """One rule of a provider and its result; an error counts as false."""

    condition: str
    priority: int
    value: bool
    error: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Candidate:
    """One provider and its evaluation; ``priority`` is that of its best true rule."""

    provider: str
    eligible: bool
    priority: int | None
    reason: str
    rules: tuple[RuleResult, ...] = ()


@dataclass(frozen=True)
class Selection:
    """The decision; ``rule`` is None if the spec names the provider, ``rule_input`` is the spec given to the rules."""

    engine: Engine
    provider: str
    rule: SelectionRule | None
    reason: str
    candidates: tuple[Candidate, ...]
    rule_input: dict[str, Any]
    warnings: tuple[str, ...] = ()


def select(spec: ModelDeploymentSpec, configs: Sequence[InferenceProviderConfig]) -> Selection:
    """Choose engine and provider for a checked spec. Raises ``InputError`` if nothing fits."""
    by_name = {config.name: config for config in configs}
    ordered = [by_name[name] for name in sorted(by_name)]
    pinned = spec.provider.name
    if pinned is not None and pinned not in by_name:
        raise InputError(
            [
                Problem(
                    "provider.name",
                    f"no provider '{pinned}'; {suggest_name(pinned, by_name) if by_name else 'none is configured'}",
                )
            ]
        )
    pool = [by_name[pinned]] if pinned is not None else ordered
    engine = spec.engine.type or default_engine(spec, pool)
    rule_input = spec.rule_input(engine)
    candidates = _candidates(spec, engine, ordered, rule_input)
    if pinned is not None:
        return _explicit(pinned, by_name[pinned], spec, engine, rule_input, candidates)
    return _by_rules(spec, engine, rule_input, candidates)


def _candidates(
    spec: ModelDeploymentSpec, engine: Engine, configs: Sequence[InferenceProviderConfig], rule_input: dict[str, Any]
) -> tuple[Candidate, ...]:
    return tuple(_candidate(config, spec, engine, rule_input) for config in configs)


def _candidate(
    config: InferenceProviderConfig, spec: ModelDeploymentSpec, engine: Engine, rule_input: dict[str, Any]
) -> Candidate:
    results = tuple(_evaluate(rule, rule_input) for rule in config.spec.selection_rules)
    misfit = unfit_reason(config, spec, engine)
    if misfit is not None:
        return Candidate(config.name, False, None, misfit, results)
    best = max((r for r in results if r.value), key=lambda r: r.priority, default=None)
    if best is None:
        failed = [f"`{r.condition}` failed: {r.error}" for r in results if r.error]
        reason = "no rule is true" if results else "has no selection rules, so it is chosen by name only"
        return Candidate(config.name, False, None, "; ".join([reason, *failed]), results)
    return Candidate(config.name, True, best.priority, f"rule `{best.condition}`", results)


def _evaluate(rule: SelectionRule, rule_input: dict[str, Any]) -> RuleResult:
    outcome = rule_evaluation.compile_rule(rule.condition).evaluate(rule_input)
    error = outcome.error
    if error is None and not isinstance(outcome.value, bool):
        error = f"returned {format_value(outcome.value)}, not true or false"
    return RuleResult(rule.condition, rule.priority, outcome.is_true, error, rule.description)


def _explicit(
    name: str,
    config: InferenceProviderConfig,
    spec: ModelDeploymentSpec,
    engine: Engine,
    rule_input: dict[str, Any],
    candidates: tuple[Candidate, ...],
) -> Selection:
    misfit = unfit_reason(config, spec, engine)
    if misfit is not None:
        capability = config.capability(engine)
        field = "engine.type" if capability is None else "serving.mode"
        if capability is not None and spec.serving.mode in capability.serving_modes:
            field = "resources.gpu.count"
        raise InputError([Problem(field, f"provider {name} {misfit}; it runs {offered_engines(config)}")])
    reasons = {name: "named by provider.name"}
    explained = tuple(
        (
            replace(c, eligible=c.provider == name, reason=reasons.get(c.provider) or f"provider.name is {name}")
            if c.provider == name or c.eligible
            else c
        )
        for c in candidates
    )
    return Selection(engine, name, None, EXPLICIT, explained, rule_input)


def _by_rules(
    spec: ModelDeploymentSpec, engine: Engine, rule_input: dict[str, Any], candidates: tuple[Candidate, ...]
) -> Selection:
    eligible = sorted((c for c in candidates if c.eligible), key=lambda c: (-(c.priority or 0), c.provider))
    if not eligible:
        offers = "; ".join(f"{c.provider}: {c.reason}" for c in candidates) or "none is configured"
        field = "resources.gpu.count" if not spec.needs_gpu and spec.engine.type is not None else "provider.name"
        raise InputError([Problem(field, f"no provider fits engine {engine}: {offers}")])
    winner = eligible[0]
    rule = _best_rule(winner)
    ties = [c for c in eligible[1:] if c.priority == winner.priority]
    warnings = tuple(
        f"{winner.provider} (rule `{rule.condition}`) and {tied.provider} ({tied.reason}) both have priority"
        f" {winner.priority}; {winner.provider} is chosen because its name sorts first"
        for tied in ties
    )
    explained = tuple(
        (
            replace(
                c,
                reason=(
                    f"{c.reason}, but {winner.provider} ranks higher"
                    if c.priority != winner.priority
                    else f"{c.reason}, but {winner.provider} sorts first"
                ),
            )
            if c.eligible and c is not winner
            else c
        )
        for c in candidates
    )
    reason = f"rule `{rule.condition}` (priority {rule.priority})"
    return Selection(engine, winner.provider, rule, reason, explained, rule_input, warnings)


def _best_rule(candidate: Candidate) -> SelectionRule:
    best = max((r for r in candidate.rules if r.value), key=lambda r: r.priority)
    return SelectionRule(condition=best.condition, priority=best.priority, description=best.description)
