"""Run a program several times and measure wall time, CPU time and peak memory."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Sample:
    """Measurements of one run: wall and CPU seconds, peak MiB, and its output."""

    wall: float
    cpu: float
    memory: float
    output: str


# On Linux, peak memory includes the process before exec, so the starter must be small.
_STARTER = """
import os, sys, time
started = time.perf_counter()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - started
os.write(int(sys.argv[1]), f"{wall} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}".encode())
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(command: Sequence[str], folder: Path) -> Sample:
    """Run ``command``, whose program is a path. Raises ``CalledProcessError`` if it fails."""
    reader, writer = os.pipe()
    starter = [sys.executable, "-I", "-S", "-c", _STARTER, str(writer), *command]
    try:
        process = subprocess.run(starter, cwd=folder, stdout=subprocess.PIPE, text=True, pass_fds=[writer], check=True)
        wall, cpu, memory = map(float, os.read(reader, 200).split())
    finally:
        os.close(reader)
        os.close(writer)
    return Sample(wall, cpu, memory, process.stdout)


def run_in_turns(commands: Mapping[str, Sequence[str]], folder: Path, times: int) -> dict[str, list[Sample]]:
    """Run each command ``times`` times, in turns, so that a slow minute slows all of them."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(times):
        for name, command in commands.items():
            samples[name].append(run(command, folder))
    return samples


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Format the median with minimum and maximum."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"
