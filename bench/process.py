"""Run a program several times and keep wall time, CPU time and peak memory."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Sample:
    """Figures of one run: seconds, seconds, MiB, and what it printed."""

    wall: float
    cpu: float
    memory: float
    output: str


# Linux counts what a process was before exec towards its peak memory, so what starts the measured one must be small.
_START = """
import os, sys, time
started = time.perf_counter()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - started
os.write(int(sys.argv[1]), f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}".encode())
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(command: Sequence[str], folder: Path) -> Sample:
    """Run ``command``, whose program is a path, to its end. Raises ``CalledProcessError`` where it fails."""
    reader, writer = os.pipe()
    starter = [sys.executable, "-I", "-S", "-c", _START, str(writer), *command]
    try:
        done = subprocess.run(starter, cwd=folder, stdout=subprocess.PIPE, text=True, pass_fds=[writer], check=True)
        wall, cpu, memory = map(float, os.read(reader, 200).split())
    finally:
        os.close(reader)
        os.close(writer)
    return Sample(wall, cpu, memory, done.stdout)


def in_turns(commands: Mapping[str, Sequence[str]], folder: Path, times: int) -> dict[str, list[Sample]]:
    """Run each command ``times`` times, one after the other in turns, so that a slow minute slows all of them."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            samples[name].append(run(command, folder))
    return samples


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median with least and most."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"
