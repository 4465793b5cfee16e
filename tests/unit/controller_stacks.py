"""Stacks that are delivered to a controller: their plan, what the controller is sent, and what is refused."""

from typing import Any

import pytest

from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.text.problems import InputError
from providers import PROVIDERS

GROUPS = ("airunway.ai", "kubeairunway.ai")


def stack(*deployments: dict[str, Any], files: Any = None, **settings: Any) -> Plan:
    """The plan of a stack whose deployments are delivered to the controller."""
    entries = [{"name": f"d{i}", "model": {"id": "org/model"}} | d for i, d in enumerate(deployments)]
    base = {"cluster": {"context": "kind"}, "namespace": "ml", "delivery": "modeldeployment", "deployments": entries}
    return plan_stack(parse_settings(base | settings), Files.from_texts(files or {}), PROVIDERS)


def sent(group: str = "airunway.ai", **fields: Any) -> dict[str, Any]:
    """The ModelDeployment of one deployment with these fields."""
    (planned,) = stack(fields, controller={"apiGroup": group}).deployments
    return planned.rendered.resource


def refused(*deployments: dict[str, Any], **settings: Any) -> str:
    """The message with which such a stack is refused."""
    with pytest.raises(InputError) as raised:
        stack(*deployments, **settings)
    return str(raised.value)
