"""Preview the project in a folder on the real engine and print the figures as JSON; the cluster is the caller's.

``wall`` is without the start of Python, ``cpu`` is this process's and the engine's, ``memory`` (MiB, peak) is this
process's.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench.projects import STACK
from tests.cluster.engine import Engine

root = Path(sys.argv[1])

with tempfile.TemporaryDirectory() as place:
    stack = Engine(Path(place), root).opened(STACK, inline=True)
    started = time.perf_counter()
    summary = stack.preview().change_summary
    wall = time.perf_counter() - started
    own, engine_s = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, engine_s))
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": own.ru_maxrss / 1024, "resources": sum(summary.values())}))
