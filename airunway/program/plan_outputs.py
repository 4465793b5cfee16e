"""Outputs in a plan: put in place of the texts that stand for them while decisions are made."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pulumi
from pydantic import BaseModel

from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import Plan, PlannedProvider


def plan_with_outputs(plan: Plan, outputs: Mapping[str, pulumi.Input[str]]) -> Plan:
    """``plan`` with each text that is or contains a key of ``outputs`` replaced, in objects and in Helm values."""
    if not outputs:
        return plan
    text = text_with_outputs(outputs)
    return replace(
        plan,
        deployments=tuple(deployment_with_texts(deployment, text) for deployment in plan.deployments),
        providers=tuple(_provider_with_texts(provider, text) for provider in plan.providers),
    )


def deployment_with_texts(deployment: PlannedDeployment, text: Callable[[str], Any]) -> PlannedDeployment:
    """``deployment`` with ``text`` applied to every string of its objects."""
    rendered = deployment.rendered
    supporting = tuple(replace_texts(obj, text) for obj in rendered.supporting)
    return replace(
        deployment, rendered=replace(rendered, resource=replace_texts(rendered.resource, text), supporting=supporting)
    )


def with_built_image(deployment: PlannedDeployment, tagged: str, reference: pulumi.Output[str]) -> PlannedDeployment:
    """``deployment`` with ``reference`` in its objects wherever they have its image ``tagged``."""
    return deployment_with_texts(deployment, lambda text: reference if text == tagged else text)


def _provider_with_texts(provider: PlannedProvider, text: Callable[[str], Any]) -> PlannedProvider:
    spec = provider.config.spec
    installed = spec.installation
    charts = [c.model_copy(update={"values": replace_texts(c.values, text)}) for c in installed.helm_charts]
    installation = installed.model_copy(update={"helm_charts": charts})
    config = provider.config.model_copy(update={"spec": spec.model_copy(update={"installation": installation})})
    return replace(provider, config=config)


def text_with_outputs(outputs: Mapping[str, pulumi.Input[str]]) -> Callable[[str], Any]:
    """A function that replaces a text that is a key of ``outputs``, or one or more keys within it."""
    keys = re.compile("|".join(map(re.escape, outputs)))

    def replaced(text: str) -> Any:
        if text in outputs:
            return outputs[text]
        found = list(dict.fromkeys(keys.findall(text))) if outputs else []
        if not found:
            return text
        values = pulumi.Output.all(**{key: outputs[key] for key in found})
        return values.apply(lambda known: keys.sub(lambda match: known[match[0]], text))

    return replaced


def replace_texts(value: Any, text: Callable[[str], Any]) -> Any:
    """``value`` as plain data with ``text`` applied to every string but keys."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {key: replace_texts(inner, text) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [replace_texts(inner, text) for inner in value]
    if isinstance(value, BaseModel):
        return replace_texts(value.model_dump(), text)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: replace_texts(getattr(value, f.name), text) for f in fields(value)}
    return value
