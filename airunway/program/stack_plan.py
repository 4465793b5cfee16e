"""What a stack's file says, planned without running the program: nothing of the process is changed, so threads may do
it at once.
"""

from collections.abc import Mapping
from pathlib import Path

from airunway.planning.deployment import PlanContext
from airunway.planning.files import Files
from airunway.planning.plan import Plan
from airunway.planning.settings import StackSettings
from airunway.program.stack_config import plan_of, settings_of, target_of
from airunway.program.stack_file import read_stack


def stack_settings(root: Path, stack: str) -> tuple[StackSettings, Files]:
    """The settings of ``stack`` of the project at ``root``, and the files that they name. Raises ``InputError``."""
    return settings_of(read_stack(root, stack).values, root)


def stack_target(root: Path, stack: str) -> PlanContext:
    """What an entry of ``stack`` is planned for. Raises ``InputError``."""
    return target_of(read_stack(root, stack).values, root)


def stack_plan(root: Path, stack: str, text: str | None = None, changed: Mapping[str, str] | None = None) -> Plan:
    """The plan of ``stack``, with ``text`` for its file, and ``changed`` texts for files that it names. Raises
    ``InputError``.
    """
    return plan_of(read_stack(root, stack, text).values, root, changed)
