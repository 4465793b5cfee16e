"""What the console's pages read of a request."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from airunway.console.project import Project


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
