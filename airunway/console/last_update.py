"""When a stack was last applied, and of which commit, as the Pulumi CLI tells it from the stack's backend."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from airunway.console.process_group import LIMITS, end_group
from airunway.text.credentials import without_tokens
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import printable

_READ = 10
"""Operations that are read; ``pulumi refresh`` is one too, a preview is not."""
_ENVIRONMENT = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
_ERROR = "error: "
_SHORT = 8


@dataclass(frozen=True)
class LastUpdate:
    """The last ``pulumi up`` or ``pulumi destroy`` of a stack; ``result`` is Pulumi's word for it.

    ``commit`` is the one that was checked out, "" if that is not known. Pulumi tells that commit's author, and not who
    ran it (3.259).
    """

    is_destroyed: bool
    result: str
    at: datetime
    commit: str = ""
    is_dirty: bool = False

    def sentence(self, stack: str, age: str) -> str:
        """What is to be told of it, with code between backticks; ``age`` is how long ago it began."""
        when = f"on {self.at.date().isoformat()}, {age} ago"
        changes = ", with changes that were not committed" if self.is_dirty else ""
        of = f", of commit `{self.commit[:_SHORT]}`{changes}" if self.commit else ""
        done, doing = ("destroyed", "pulumi destroy") if self.is_destroyed else ("applied", "pulumi up")
        match self.result:
            case "succeeded":
                return f"Stack {stack} was last {done} {when}{of}."
            case "in-progress":
                return f"`{doing}` of stack {stack} is running; it began {when}{of}."
        return f"The last `{doing}` of stack {stack} failed {when}{of}."


class _Operation(BaseModel):
    """What is read of one operation in ``pulumi stack history --json`` (3.259); its times are in UTC."""

    kind: str
    result: str = ""
    started: datetime = Field(alias="startTime")
    environment: dict[str, str] = {}


_OPERATIONS = TypeAdapter(list[_Operation])


async def last_update(root: Path, stack: str) -> LastUpdate | None:
    """The last update of a stack; None if it has none, or none among its last operations.

    It takes neither a passphrase nor a secret, and nothing is asked. Raises ``InputError``.
    """
    program = shutil.which("pulumi")
    if program is None:
        raise InputError([Problem("Pulumi", "its CLI is not installed")])
    options = ["--json", "--page-size", str(_READ), "--stack", stack, "--non-interactive", "--color", "never"]
    process = await asyncio.create_subprocess_exec(
        *(program, "stack", "history", *options),
        cwd=root,
        env=os.environ | _ENVIRONMENT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(LIMITS["historySeconds"]):
            output, errors = await process.communicate()
    except TimeoutError as error:
        message = f"did not answer within {LIMITS['historySeconds']} seconds"
        raise InputError([Problem("Pulumi", message)]) from error
    finally:
        await end_group(process)
    if process.returncode:
        raise InputError([Problem("Pulumi", _reason(errors.decode("utf-8", "replace")))])
    return read_last_update(output)


def read_last_update(output: bytes) -> LastUpdate | None:
    """The last update among the operations that the CLI prints, newest first. Raises ``InputError``."""
    try:
        operations = _OPERATIONS.validate_json(output)
    except ValidationError as error:
        raise InputError([Problem("Pulumi", "its history is not as that of 3.259")]) from error
    found = next((operation for operation in operations if operation.kind in ("update", "destroy")), None)
    if found is None:
        return None
    told = found.environment
    commit, is_dirty = told.get("git.head", ""), told.get("git.dirty") == "true"
    return LastUpdate(found.kind == "destroy", found.result, found.started.astimezone(UTC), commit, is_dirty)


def _reason(errors: str) -> str:
    """The last thing that the CLI says, in one line."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()] or ["it failed and did not say why"]
    return printable(without_tokens(lines[-1].removeprefix(_ERROR)))
