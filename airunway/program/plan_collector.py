"""Pass the plan that a program creates to the code that runs the program."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from airunway.planning.plan import Plan

_PLANS: ContextVar[list[Plan] | None] = ContextVar("plans", default=None)


def report_plan(plan: Plan) -> None:
    """Report the plan that the running program creates."""
    plans = _PLANS.get()
    if plans is not None:
        plans.append(plan)


def is_collected() -> bool:
    """Whether something waits for the plan of the running program, as a preview without an engine does."""
    return _PLANS.get() is not None


@contextmanager
def collect_plans() -> Iterator[list[Plan]]:
    """Collect the plans reported in this context and in contexts copied from it."""
    plans: list[Plan] = []
    token = _PLANS.set(plans)
    try:
        yield plans
    finally:
        _PLANS.reset(token)
