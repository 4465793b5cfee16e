"""``python -m airunway.console.run preview|up --stack NAME``: Pulumi's Automation API on the project here, each event
as JSON on a line.
"""

import argparse
import json
import signal
import sys
from typing import Any

from pulumi import automation as auto
from pulumi.automation import events

from airunway.program.type_token import kind_of


def main() -> None:
    """Run it on the stack as the Pulumi CLI has it; a stack that it does not have is not made here."""
    parser = argparse.ArgumentParser(prog="python -m airunway.console.run", description=__doc__)
    parser.add_argument("action", choices=["preview", "up"])
    parser.add_argument("--stack", required=True)
    arguments = parser.parse_args()
    try:
        stack = auto.select_stack(arguments.stack, work_dir=".")
    except auto.StackNotFoundError:
        _print(
            kind="log",
            text=f"stack {arguments.stack} is not in the backend; `pulumi stack init {arguments.stack}` makes it",
            severity="error",
        )
        sys.exit(1)
    except auto.CommandError as error:
        _print(kind="log", text=_last_line(error), severity="error")
        sys.exit(1)
    run(stack, arguments.action)


def run(stack: auto.Stack, action: str) -> None:
    """``preview`` or ``up`` with its events printed; exits with 1 where it fails."""
    # Ctrl-C is for the engine, which ends what it is at. A handler, unlike SIG_IGN, is not handed down to it.
    signal.signal(signal.SIGINT, lambda *_: None)
    act = stack.up if action == "up" else stack.preview
    try:
        act(on_event=_show, color="never")
    except auto.CommandError as error:
        _print(kind="log", text=_last_line(error), severity="error")
        sys.exit(1)


def _last_line(error: auto.CommandError) -> str:
    return str(error).strip().splitlines()[-1]


def _show(event: events.EngineEvent) -> None:
    if event.resource_pre_event:
        _step(event.resource_pre_event.metadata, "started")
    elif event.res_outputs_event:
        _step(event.res_outputs_event.metadata, "done")
    elif event.res_op_failed_event:
        _step(event.res_op_failed_event.metadata, "failed")
    elif event.diagnostic_event and not event.diagnostic_event.ephemeral:
        text = event.diagnostic_event.message.strip()
        if text and event.diagnostic_event.severity != "debug":
            _print(kind="log", text=text, severity=event.diagnostic_event.severity)
    elif event.summary_event:
        counts = {str(getattr(op, "value", op)): count for op, count in event.summary_event.resource_changes.items()}
        _print(kind="summary", counts=counts)


def _step(step: events.StepEventMetadata, state: str) -> None:
    operation = str(getattr(step.op, "value", step.op))
    _print(
        kind="step",
        urn=step.urn,
        type=kind_of(step.type),
        name=step.urn.rsplit("::", 1)[-1],
        operation=operation,
        state=state,
    )


def _print(**event: Any) -> None:
    print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
