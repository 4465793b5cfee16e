"""Pulumi programs written as functions, run as the program is: in this process, against the monitor that keeps every
registration.
"""

from collections.abc import Callable
from typing import Any

from airunway.program.record import Resource, run_function
from airunway.program.stack_file import StackConfig


def registered(program: Callable[[], Any], stack: str = "dev") -> list[Resource]:
    """What ``program`` registers, each after what it needs. Raises what the program raises."""
    return list(run_function(program, StackConfig("own", stack, {}, ())).registered)


def objects(resources: list[Resource], kind: str = "") -> list[dict[str, Any]]:
    """The Kubernetes objects among them, or those of one kind."""
    result = [r.inputs for r in resources if r.custom and "kind" in r.inputs]
    return [o for o in result if o["kind"] == kind] if kind else result
