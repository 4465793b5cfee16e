"""Run a project against the recording monitor and print its number of resources; the caller measures."""

import sys
from pathlib import Path

from airunway.program.record import run_program
from airunway.program.stack_file import read_stack
from bench.projects import STACK

root = Path(sys.argv[1])
recorder = run_program(root, read_stack(root, STACK))
print(len(recorder.requests))
