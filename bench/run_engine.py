"""Preview a project with the real engine and print measurements as JSON; the caller provides the cluster.

``wall`` excludes the start of Python, ``cpu`` is that of this process and the engine, ``memory`` is the peak of this
process in MiB.
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

with tempfile.TemporaryDirectory() as folder:
    stack = Engine(Path(folder), root).opened(STACK, inline=True)
    started = time.perf_counter()
    summary = stack.preview().change_summary
    wall = time.perf_counter() - started
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, children))
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": own.ru_maxrss / 1024, "resources": sum(summary.values())}))
