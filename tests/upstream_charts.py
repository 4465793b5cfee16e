"""Where the ``values.yaml`` of the operators' charts are, which the project does not bring."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
NUMBERS = re.compile(r"[0-9]+(\.[0-9]+)*$")


def chart_folder() -> Path:
    """The folder of the charts' values; a test that needs them is skipped without one."""
    for folder in (os.environ.get("AIRUNWAY_CHARTS"), ROOT.parent / "shared" / "charts"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("no values of upstream's charts: neither AIRUNWAY_CHARTS nor ../shared/charts is there")


def chart_values(release: str, version: str) -> Any:
    """The values that a chart has by itself, in ``NAME-VERSION.values.yaml`` with the name that its release has here.

    Where those of ``version`` are not there, they are those of the nearest older one: a key that an older chart reads
    may be gone since, and a key that is new is not known, so a failure can mean that newer values are wanted.
    """
    suffix = ".values.yaml"
    result = [path.name for path in chart_folder().glob(f"{release}-*{suffix}")]
    versions = [name.removeprefix(f"{release}-").removesuffix(suffix) for name in result]
    older = [v for v in versions if NUMBERS.match(v) and _numbers(v) <= _numbers(version)]
    if not older:
        pytest.skip(f"no values of {release} {version} or older in {chart_folder()}")
    path = chart_folder() / f"{release}-{max(older, key=_numbers)}{suffix}"
    return yaml.load(path.read_text(), yaml.CSafeLoader)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
