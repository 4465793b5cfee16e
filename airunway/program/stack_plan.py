"""Plan a stack from its file without running the program, which makes it thread-safe."""

from collections.abc import Mapping
from pathlib import Path

from airunway.planning.deployment import PlanContext
from airunway.planning.files import Files
from airunway.planning.plan import Plan
from airunway.planning.settings import StackSettings
from airunway.program.problem_places import located_problems
from airunway.program.stack_config import check_places, plan_of, settings_of, target_of
from airunway.program.stack_file import read_stack


def stack_settings(root: Path, stack: str) -> tuple[StackSettings, Files]:
    """Read the settings of ``stack`` and the files that they name. Raises ``InputError``."""
    with located_problems(root, stack):
        return settings_of(_values(root, stack), root)


def stack_target(root: Path, stack: str) -> PlanContext:
    """Return the target that entries of ``stack`` are planned for. Raises ``InputError``."""
    with located_problems(root, stack):
        return target_of(_values(root, stack), root)


def stack_plan(root: Path, stack: str, text: str | None = None, edited: Mapping[str, str] | None = None) -> Plan:
    """Plan ``stack``, optionally with unsaved ``text`` and ``edited`` deployment files. Raises ``InputError``."""
    if text is not None or edited:  # the files are not what is planned
        return plan_of(_values(root, stack, text), root, edited)
    with located_problems(root, stack):
        return plan_of(_values(root, stack), root)


def _values(root: Path, stack: str, text: str | None = None) -> dict[str, str]:
    config = read_stack(root, stack, text)
    check_places(config)
    return config.values


def unlocked_plan(root: Path, stack: str) -> Plan:
    """Plan ``stack`` as it is without a lock. Raises ``InputError``."""
    with located_problems(root, stack):
        return plan_of(_values(root, stack), root, is_locked=False)
