"""Preview the project in a folder on the real engine and print how many seconds that took; the cluster is the caller's."""

import runpy
import sys
import tempfile
import time
from pathlib import Path

from pulumi import automation as auto

from bench.projects import STACK
from preview.record import at
from preview.stack_file import read_stack
from tests.cluster.engine import Engine

root = Path(sys.argv[1])


def program() -> None:
    """The project's program, in its own folder."""
    with at(root):
        runpy.run_path(str(root / "__main__.py"), run_name="__main__")


with tempfile.TemporaryDirectory() as place:
    engine = Engine(Path(place))
    stack = auto.create_or_select_stack(STACK, project_name="airunway", program=program, opts=engine.options())
    # As a file: on a command line the deployments would be too long.
    settings = stack.workspace.stack_settings(STACK)
    settings.config = dict(read_stack(root, STACK).values)
    stack.workspace.save_stack_settings(STACK, settings)
    started = time.perf_counter()
    summary = stack.preview().change_summary
    print(time.perf_counter() - started, sum(summary.values()))
    if engine.standin:
        engine.standin.server.stop(None)
