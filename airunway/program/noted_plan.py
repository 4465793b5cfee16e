"""The plan that a program makes, handed to whoever records the program."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from airunway.planning.plan import Plan

_PLANS: ContextVar[list[Plan] | None] = ContextVar("plans", default=None)


def note_plan(plan: Plan) -> None:
    """Say that the running program creates what ``plan`` needs."""
    plans = _PLANS.get()
    if plans is not None:
        plans.append(plan)


@contextmanager
def noted_plans() -> Iterator[list[Plan]]:
    """The plans that are noted from here on, in the same context and in those that begin in it."""
    plans: list[Plan] = []
    token = _PLANS.set(plans)
    try:
        yield plans
    finally:
        _PLANS.reset(token)
