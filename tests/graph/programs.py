"""Pulumi programs written as functions, run as the program is: in this process, against the monitor that keeps every
registration.
"""

from collections.abc import Callable
from typing import Any

import pytest

from airunway.program.record import Resource, run_function
from airunway.program.stack_file import StackConfig
from airunway.text.problems import InputError
from components import ModelDeployment


def registered(program: Callable[[], Any], stack: str = "dev") -> list[Resource]:
    """What ``program`` registers, each after what it needs. Raises what the program raises."""
    return list(run_function(program, StackConfig("own", stack, {}, ())).registered)


def deployed(args: Any, **more: Any) -> list[Resource]:
    """What a program registers whose only statement is a ModelDeployment with these arguments."""
    return registered(lambda: ModelDeployment("chat", {"model": {"id": "org/model"}} | args, **more))


def problems(program: Callable[[], Any]) -> list[str]:
    """What is wrong with a program that is refused."""
    with pytest.raises(InputError) as refused:
        registered(program)
    return [str(p) for p in refused.value.problems]


def objects(resources: list[Resource], kind: str = "") -> list[dict[str, Any]]:
    """The Kubernetes objects among them, or those of one kind."""
    result = [r.inputs for r in resources if r.custom and "kind" in r.inputs]
    return [o for o in result if o["kind"] == kind] if kind else result


def graphs(resources: list[Resource]) -> list[Resource]:
    """The DynamoGraphDeployments among them."""
    return [r for r in resources if r.type.endswith(":DynamoGraphDeployment")]
