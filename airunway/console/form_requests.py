"""What the console's pages read of a request."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from airunway.console.project import Project
from airunway.text.json_reading import read_json


def named_stack(request: Request, project: Project) -> str:
    """The stack in the address. Raises ``HTTPException`` for an unknown one."""
    stack = str(request.path_params["stack"])
    if stack not in project.stacks:
        raise HTTPException(404, f"no stack {stack}; valid: {', '.join(project.stacks)}")
    return stack


async def form_data(request: Request) -> dict[str, str]:
    """The texts of a form."""
    async with request.form() as form:
        return {key: value for key, value in form.items() if isinstance(value, str)}


def typed_fields(form: Mapping[str, str]) -> dict[str, str]:
    """What was typed into a form's fields."""
    return {key: value for key, value in form.items() if key not in ("kind", "replacing")}


def reviewed_change(form: Mapping[str, str]) -> dict[str, Any]:
    """The change that a review's form holds; empty if it holds none."""
    try:
        change = read_json(form.get("change", ""))
    except ValueError:
        return {}
    return change if isinstance(change, dict) else {}
