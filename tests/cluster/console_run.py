"""``console.run`` on the test's engine: where there is no Python language host, the project's program runs inline."""

import argparse
import os
from pathlib import Path

from airunway.console.run import run
from tests.cluster.engine import Engine

parser = argparse.ArgumentParser()
parser.add_argument("action")
parser.add_argument("--stack", required=True)
arguments = parser.parse_args()
run(Engine(Path(os.environ["CONSOLE_STATE"]), Path.cwd()).opened(arguments.stack), arguments.action)
