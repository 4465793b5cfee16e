"""Where the ``values.yaml`` of the operators' charts are, which the project does not bring."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def chart_folder() -> Path:
    """The folder of the charts' values; a test that needs them is skipped without one."""
    for folder in (os.environ.get("AIRUNWAY_CHARTS"), ROOT.parent / "shared" / "charts"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("no values of upstream's charts: neither AIRUNWAY_CHARTS nor ../shared/charts is there")


def chart_values(release: str, version: str | None) -> Any:
    """The values that a chart has by itself, under the name that its release has here: ``NAME-VERSION.values.yaml``."""
    path = chart_folder() / f"{release}-{version}.values.yaml"
    if not path.exists():
        pytest.skip(f"no values of {release} {version}: {path} is not there")
    return yaml.load(path.read_text(), yaml.CSafeLoader)
