"""Unit (pure): what pods of ours can't do, and that a stack that runs keeps its KAITO Workspaces."""

from typing import Any

import pytest

from airunway.planning.files import Files
from airunway.planning.plan import parse_settings, plan_stack
from providers import PROVIDERS

GGUF = {"name": "gguf", "model": {"id": "org/m-GGUF"}}
VLLM = {
    "name": "plain",
    "model": {"id": "org/m"},
    "resources": {"gpu": {"count": 1}},
    "provider": {"name": "vllm"},
}


def pod(entry: dict[str, Any], **settings: Any) -> dict[str, Any]:
    raw = {"cluster": {"context": "x"}, "deployments": [entry]} | settings
    (planned,) = plan_stack(parse_settings(raw), Files(), PROVIDERS).deployments
    resource = planned.rendered.resource
    spec: dict[str, Any] = (resource.get("inference") or resource["spec"])["template"]["spec"]
    return spec


@pytest.mark.parametrize("level", ["privileged", "baseline", "restricted"])
def test_a_workspace_of_a_stack_that_enforces_a_level_has_no_token_and_no_escalation(level: str) -> None:
    spec = pod(GGUF, podSecurity=level)
    assert spec["automountServiceAccountToken"] is False
    assert spec["containers"][0]["securityContext"] == {"allowPrivilegeEscalation": False}


def test_a_workspace_of_another_stack_is_what_it_was() -> None:
    """A changed template makes it anew."""
    spec = pod(GGUF)
    assert "automountServiceAccountToken" not in spec
    assert "securityContext" not in spec["containers"][0]


def test_a_deployment_of_vllm_never_has_them() -> None:
    spec = pod(VLLM)
    assert spec["automountServiceAccountToken"] is False
    assert spec["containers"][0]["securityContext"] == {"allowPrivilegeEscalation": False}
