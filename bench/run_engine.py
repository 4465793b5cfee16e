"""Preview the project in a folder on the real engine and print the figures as JSON; the cluster is the caller's.

``wall`` is without the start of Python, ``cpu`` is this process's and the engine's, ``memory`` (MiB, peak) is this process's.
"""

import json
import resource
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
    wall = time.perf_counter() - started
    own, engine_s = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, engine_s))
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": own.ru_maxrss / 1024, "resources": sum(summary.values())}))
    if engine.standin:
        engine.standin.server.stop(None)
