"""``console.run`` on the test's engine: the project's program inline, as the Python language host can't be had here."""

import argparse
import os
from pathlib import Path

from pulumi import automation as auto

from console.run import run
from preview.stack_file import read_stack
from tests.cluster.engine import Engine, run_program

parser = argparse.ArgumentParser()
parser.add_argument("action")
parser.add_argument("--stack", required=True)
arguments = parser.parse_args()
engine = Engine(Path(os.environ["CONSOLE_STATE"]))
stack = auto.create_or_select_stack(arguments.stack, project_name="airunway", program=run_program, opts=engine.options())
stack.set_all_config({key: auto.ConfigValue(text) for key, text in read_stack(Path.cwd(), arguments.stack).values.items()})
try:
    run(stack, arguments.action)
finally:
    if engine.standin:
        engine.standin.server.stop(None)
