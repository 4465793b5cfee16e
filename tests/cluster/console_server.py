"""``airunway console`` whose operations run on the test's engine."""

import argparse
import sys
from pathlib import Path

from airunway.console.serve import serve

parser = argparse.ArgumentParser()
parser.add_argument("--stack", required=True)
parser.add_argument("--cwd", type=Path, required=True)
arguments = parser.parse_args()
serve(
    arguments.cwd,
    arguments.stack,
    "127.0.0.1",
    0,
    browser=False,
    run=(sys.executable, "-m", "tests.cluster.console_run"),
)
