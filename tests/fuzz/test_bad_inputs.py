"""Fuzz (command line and console, in process and in processes of their own): each bad input ends with a status that is
documented, in time, within its memory and without a traceback.

The default suite runs a small share that is the same in each run; `make fuzz` runs more and other ones. A failure names
its seed: `bad_input(SEED)` makes the input again.
"""

import shutil
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fuzz import running
from tests.fuzz.bad_inputs import bad_input
from tests.fuzz.made_input import BadInput
from tests.fuzz.running import TooSlowError, in_its_own_process, in_process, problem
from tests.fuzz.totals import SECONDS, TOTALS
from tests.fuzz.valid_inputs import STACK_COMMANDS, valid_files

SHARE, ALL = 60, 3_000
"""Bad inputs of the default suite and of `make fuzz`."""
ALONE, ALONE_WITH_VARIABLES = 60, 6
"""One of so many runs in a process of its own."""
WITHOUT_SERVER = ("status", "wait", "import", "chat")


@pytest.mark.parametrize("arguments", STACK_COMMANDS, ids=" ".join)
def test_what_is_changed_is_valid_before(arguments: list[str], tmp_path: Path) -> None:
    """Else everything would be refused for one reason."""
    saved = {"saved.json": b'{"stack": "own", "deployments": [], "resources": []}'}
    outcome = in_process(BadInput("valid", [*arguments, "--stack", "own"], valid_files() | saved), tmp_path)
    if arguments[0] in WITHOUT_SERVER or "--port-forward" in arguments:
        assert (outcome.status, outcome.output.count("error: ")) == (1, 1), outcome.output
        assert "can't be reached: All connection attempts failed" in outcome.output
    else:
        assert outcome.status == 0, outcome.output


def test_bad_inputs_are_refused_or_accepted_and_nothing_else(tmp_path: Path) -> None:
    thorough = settings.get_current_profile_name() == "fuzz"
    TOTALS.first_seed = time.time_ns() % 10**9 if thorough else 0
    for seed in range(TOTALS.first_seed, TOTALS.first_seed + (ALL if thorough else SHARE)):
        made, root = bad_input(seed), tmp_path / str(seed)
        root.mkdir()
        rarely = seed % (ALONE_WITH_VARIABLES if made.environment else ALONE) == 0
        run = in_its_own_process if made.form is None and rarely else in_process
        try:
            outcome = run(made, root)
            wrong, said, seconds = problem(made, outcome), outcome.output[-600:], outcome.seconds
        except TooSlowError:
            wrong, said, seconds = "time", "", SECONDS
        shutil.rmtree(root)
        TOTALS.inputs[made.kind.split()[0]] += 1
        TOTALS.took(f"seed {seed}, {made.kind}", seconds)
        if wrong:
            what = f"{made.arguments} {made.form or ''} {made.environment or ''}"[:500]
            TOTALS.problems.append(f"seed {seed}, {made.kind}: {wrong}\n  {what}\n  {said}")
    assert TOTALS.problems == [], "\n".join(TOTALS.problems)


def _raise() -> None:
    raise KeyError("x")


def _grow() -> None:
    sys.exit(len(bytearray(8 << 30)))


@pytest.mark.parametrize(
    ("behaviour", "wrong"),
    [
        (_raise, "traceback"),
        (_grow, "memory"),
        (lambda: sys.exit(3), "status 3"),
        (lambda: sys.exit(1), "no error is told"),
        (lambda: print("\x1b[31m"), "control characters"),
        (lambda: time.sleep(5), "time"),
        (lambda: None, ""),
    ],
    ids=["traceback", "memory", "status", "silence", "control characters", "time", "nothing"],
)
def test_what_is_wrong_is_found(behaviour: object, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that behaves so in place of what it does."""
    monkeypatch.setattr("airunway.cli.documents.show_selection", lambda *_: behaviour())  # type: ignore[operator]
    if wrong == "time":
        monkeypatch.setattr(running, "SECONDS", 1)
    made = BadInput("behaviour", ["select", "--file", "-"])
    try:
        assert problem(made, in_process(made, tmp_path)) == wrong
    except TooSlowError:
        assert wrong == "time"
