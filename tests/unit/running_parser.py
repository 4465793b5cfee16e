"""A real parser that runs in another interpreter, for the opt-in tests of what workers are given."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from airunway.provider.worker_flags import WorkerFlags


@dataclass(frozen=True)
class WorkerParser:
    """``flags`` is what the script says of the parser; ``release`` and ``engine`` are versions."""

    flags: dict[str, Any]
    requests: IO[str]
    replies: IO[str]

    def parse(self, request: Any) -> Any:
        """What a command line, or a configuration, parses to; a mapping with ``error`` if it does not."""
        self.requests.write(json.dumps(request) + "\n")
        self.requests.flush()
        return json.loads(self.replies.readline())

    def known(self, worker: WorkerFlags) -> dict[str, Any]:
        """What we know of the worker, in the form of ``flags``."""
        return {key: getattr(worker, key, self.flags[key]) for key in self.flags}


@contextmanager
def running_parser(interpreter: str, script: str, *arguments: str) -> Iterator[WorkerParser]:
    """The parser in ``script`` of this folder."""
    environment = os.environ | {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    environment.pop("PYTHONPATH", None)
    command = [interpreter, str(Path(__file__).with_name(script)), *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, text=True, env=environment, cwd="/", stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin
        assert process.stdout
        yield WorkerParser(json.loads(process.stdout.readline()), process.stdin, process.stdout)
        process.stdin.close()
