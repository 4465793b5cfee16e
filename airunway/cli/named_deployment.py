"""The deployment that a command names."""

from airunway.planning.deployment import PlannedDeployment
from airunway.planning.plan import Plan
from airunway.text.problems import InputError, Problem, suggest_name


def named_deployment(plan: Plan, stack: str, name: str) -> PlannedDeployment:
    """Return the deployment ``name`` of the plan of ``stack``. Raises ``InputError`` if there is none."""
    deployments = {planned.name: planned for planned in plan.deployments}
    if name not in deployments:
        hint = suggest_name(name, deployments) if deployments else "the stack has no deployments"
        raise InputError([Problem("NAME", f"no deployment '{name}' in stack {stack}; {hint}")])
    return deployments[name]
