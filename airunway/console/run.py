"""Run ``preview`` or ``up`` with Pulumi's Automation API in this folder, and print each event as a JSON line."""

import argparse
import json
import signal
import sys
from typing import Any

from pulumi import automation as auto
from pulumi.automation import events

from airunway.program.type_token import kind_of


def main() -> None:
    """Run the action on an existing stack of the Pulumi CLI."""
    parser = argparse.ArgumentParser(prog="python -m airunway.console.run", description=__doc__)
    parser.add_argument("action", choices=["preview", "up"])
    parser.add_argument("--stack", required=True)
    arguments = parser.parse_args()
    try:
        stack = auto.select_stack(arguments.stack, work_dir=".")
    except auto.StackNotFoundError:
        _print(
            kind="log",
            text=f"stack {arguments.stack} is not in the backend; create it with `pulumi stack init {arguments.stack}`",
            severity="error",
        )
        sys.exit(1)
    except auto.CommandError as error:
        _print(kind="log", text=_last_line(error), severity="error")
        sys.exit(1)
    run(stack, arguments.action)


def run(stack: auto.Stack, action: str) -> None:
    """Run ``preview`` or ``up`` and print its events; exit with 1 if it fails."""
    # Ctrl-C is for the engine, which finishes its current step. Unlike SIG_IGN, a handler is not inherited.
    signal.signal(signal.SIGINT, lambda *_: None)
    run_action = stack.up if action == "up" else stack.preview
    try:
        run_action(on_event=_show, color="never")
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
    elif event.diagnostic_event:
        _diagnostic(event.diagnostic_event)
    elif event.summary_event:
        counts = {str(getattr(op, "value", op)): count for op, count in event.summary_event.resource_changes.items()}
        _print(kind="summary", counts=counts)


def _diagnostic(event: events.DiagnosticEvent) -> None:
    """Print a message; one that is only for the moment says what a resource waits for."""
    text = event.message.strip()
    if text and event.severity != "debug":
        _print(kind="status" if event.ephemeral else "log", text=text, severity=event.severity, urn=event.urn or "")


def _step(step: events.StepEventMetadata, state: str) -> None:
    operation = str(getattr(step.op, "value", step.op))
    resource = step.new or step.old
    _print(
        kind="step",
        urn=step.urn,
        parent=(resource.parent if resource else "") or "",
        type=kind_of(step.type),
        name=step.urn.rsplit("::", 1)[-1],
        operation=operation,
        state=state,
    )


def _print(**event: Any) -> None:
    print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
