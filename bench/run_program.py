"""Run the project in a folder against the recording monitor and print how many resources it registered; measured from outside."""

import sys
from pathlib import Path

from bench.projects import STACK
from preview.record import run_program
from preview.stack_file import read_stack

root = Path(sys.argv[1])
recorder, _ = run_program(root, read_stack(root, STACK))
print(len(recorder.requests))
