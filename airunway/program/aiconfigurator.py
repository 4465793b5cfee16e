"""Runs NVIDIA's aiconfigurator in a Python of its own and reads what it writes; it reaches no network.

As seen with 0.12.0: it downloads the config.json of a model that it does not know, whatever HF_HUB_OFFLINE says, so it
gets a proxy that nobody listens at.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

from airunway.assessment.sizing import Configuration, SizingError, Workload, read_configuration, sizing_data
from airunway.spec.model import Engine, Mode
from airunway.text.bounded_files import UnreadableFileError, read_text_file
from airunway.text.bounded_streams import UnendingError, bounded
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import one_line

VARIABLE = "AIRUNWAY_AICONFIGURATOR"
"""The environment variable that names the command."""
_INSTALL = (
    "install it beside airunway (pip install 'airunway[size]'), or by itself (uv tool install aiconfigurator=={})"
)
_PASSED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")
_NOWHERE = "http://127.0.0.1:9"
"""The discard port, where nobody listens."""
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_TABLES = {Mode.AGGREGATED: "agg", Mode.DISAGGREGATED: "disagg"}
_UNKNOWN_MODEL = "is not a valid HuggingFace model path"
_REASONS = (
    re.compile(r"\[E\] \[[^\]]*\]\s+-> (.+)"),  # of each mode
    re.compile(r"\[E\] \[[^\]]*\] (.+)"),
    re.compile(r"\berror: (.+)"),
    re.compile(r"(\S.*)\s*\Z"),
)
"""What says why it failed, in a log, of an argument, or at the end; the first that is there."""
_MOST_TABLES = 20
_CHUNK, _MOST_REASON = 65_536, 1_000


@dataclass(frozen=True)
class SizingTask:
    """What is asked: an engine on a system, a model by its id or the folder of its config.json, and a load."""

    model: str
    system: str
    engine: Engine
    workload: Workload
    folder: Path | None = None


@dataclass(frozen=True)
class Aiconfigurator:
    """The command, of the version whose tables are read."""

    command: Path
    version: str

    def configurations(self, task: SizingTask) -> tuple[dict[Mode, Configuration], dict[Mode, str]]:
        """The best configuration of each mode, and why a mode's can't be used. Raises ``InputError``."""
        with TemporaryDirectory(prefix="airunway-size-") as folder:
            code, said = _run(self.command, _arguments(task), Path(folder))
            if code:
                raise InputError([_failure(task, said, self.version)])
            return _read_tables(Path(folder))


def find_aiconfigurator(environment: Mapping[str, str]) -> Aiconfigurator:
    """The command that ``environment`` names, else the one beside this Python or on PATH. Raises ``InputError``."""
    wanted = sizing_data().version
    how = _INSTALL.format(wanted)
    named = environment.get(VARIABLE)
    beside = str(Path(sys.executable).parent)
    path = (
        shutil.which(named) if named else shutil.which("aiconfigurator", path=beside) or shutil.which("aiconfigurator")
    )
    if path is None:
        found = f"{VARIABLE} names {named}, which can't be run" if named else "is not installed"
        raise InputError([Problem("aiconfigurator", f"{found}; {how}")])
    path = os.path.abspath(path)  # it runs elsewhere
    with TemporaryDirectory(prefix="airunway-size-") as folder:
        code, said = _run(Path(path), ["version"], Path(folder))
    numbers = re.findall(r"^[a-z]+ (\d+(?:\.\d+)+\S*)$", said, re.MULTILINE)
    if code or not numbers:
        raise InputError([Problem("aiconfigurator", f"{path} does not say its version; {how}")])
    if numbers[-1] != wanted:
        raise InputError([Problem("aiconfigurator", f"{path} is version {numbers[-1]}, must be {wanted}; {how}")])
    return Aiconfigurator(Path(path), wanted)


def _arguments(task: SizingTask) -> list[str]:
    load = task.workload
    rate = load.request_rate
    target = f"--target-concurrency={load.concurrency}" if rate is None else f"--target-request-rate={rate}"
    return [
        *("cli", "default", "--no-color", "--strict-sla", "--top-n=1", "--save-dir=out"),
        f"--model-path={task.folder.resolve() if task.folder else task.model}",
        f"--system={task.system}",
        f"--backend={task.engine}",
        *(f"--isl={load.isl}", f"--osl={load.osl}", f"--ttft={load.ttft}", f"--tpot={load.tpot}"),
        target,
    ]


def _environment(folder: Path) -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    nowhere = {name: _NOWHERE for proxy in _PROXIES for name in (proxy, proxy.upper())}
    return passed | nowhere | {"HF_HUB_OFFLINE": "1", "MPLBACKEND": "Agg", "MPLCONFIGDIR": str(folder / "matplotlib")}


def _run(command: Path, arguments: Iterable[str], folder: Path) -> tuple[int, str]:
    """The exit status and what was said. Raises ``InputError`` for a run without end."""
    data = sizing_data()
    try:
        process = subprocess.Popen(  # noqa: S603
            [str(command), *arguments],
            cwd=folder,  # a model's id is no path here
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise InputError([Problem("aiconfigurator", f"{command} can't be run: {error.strerror}")]) from error
    with process:
        ended = Timer(data.seconds, _end, [process])
        ended.start()
        try:
            said = b"".join(bounded(_chunks(process), data.output_bytes, data.seconds))
            code = process.wait()
        except UnendingError as error:
            raise InputError([Problem("aiconfigurator", str(error))]) from error
        finally:
            ended.cancel()
            _end(process)
    if code == -signal.SIGKILL:
        raise InputError([Problem("aiconfigurator", f"was ended; it may take {data.seconds} seconds")])
    return code, said.decode("utf-8", "replace")


def _chunks(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    output = process.stdout
    while output is not None and (chunk := os.read(output.fileno(), _CHUNK)):
        yield chunk


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _failure(task: SizingTask, said: str, version: str) -> Problem:
    if _UNKNOWN_MODEL in said and task.folder is None:
        fetch = f"hf download {task.model} config.json --local-dir DIR"
        message = f"aiconfigurator {version} does not know {task.model}, and fetches nothing; run {fetch}, and give"
        return Problem("model.id", f"{message} --model-dir DIR")
    reasons = next((found for pattern in _REASONS if (found := pattern.findall(said))), ["failed and did not say why"])
    return Problem("aiconfigurator", one_line("\n".join(dict.fromkeys(reasons)))[:_MOST_REASON])


def _read_tables(folder: Path) -> tuple[dict[Mode, Configuration], dict[Mode, str]]:
    found: dict[Mode, Configuration] = {}
    refused: dict[Mode, str] = {}
    paths = sorted((folder / "out").rglob("best_config_topn.csv"))[:_MOST_TABLES]
    for mode, name in _TABLES.items():
        path = next((path for path in paths if path.parent.name == name), None)
        if path is None:
            refused[mode] = "no configuration meets the targets"
            continue
        try:
            found[mode] = read_configuration(read_text_file(path), mode)
        except (SizingError, UnreadableFileError) as error:
            refused[mode] = str(error)
    return found, refused
