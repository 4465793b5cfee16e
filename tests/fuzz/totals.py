"""How much was tried in a run, and what was the worst of it."""

import functools
import resource
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

_Test = TypeVar("_Test", bound=Callable[..., None])
SECONDS = 10
"""Most that an example or input may take."""


class Totals:
    """The counts of this process."""

    def __init__(self) -> None:
        self.examples, self.inputs = Counter[str](), Counter[str]()
        self.problems: list[str] = []
        self.longest, self.longest_name, self.first_seed = 0.0, "", 0

    def took(self, name: str, seconds: float, *inputs: Any) -> None:
        if seconds > self.longest:
            self.longest, self.longest_name = seconds, f"{name} {inputs or ''}"[:300].strip()

    def lines(self) -> list[str]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        return [
            f"{self.examples.total():,} examples: " + ", ".join(f"{n} {c:,}" for n, c in sorted(self.examples.items())),
            f"{self.inputs.total():,} bad inputs from seed {self.first_seed}: "
            + ", ".join(f"{n} {c:,}" for n, c in sorted(self.inputs.items())),
            f"{len(self.problems)} problems; longest {self.longest:.2f} s ({self.longest_name});"
            f" largest memory {peak:,} MiB, of a process of its own {children:,} MiB",
        ]


TOTALS = Totals()


def counted(test: _Test) -> _Test:
    """Count the examples of a property test, each of which must end in time."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        TOTALS.examples[test.__name__.removeprefix("test_any_")] += 1
        started = time.monotonic()
        test(*arguments, **named)
        seconds = time.monotonic() - started
        TOTALS.took(test.__name__, seconds, arguments, named)
        assert seconds < SECONDS

    return run  # type: ignore[return-value]
