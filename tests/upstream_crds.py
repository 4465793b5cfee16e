"""Where upstream's CustomResourceDefinitions are, which the project does not bring."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def crd_folder() -> Path:
    """The folder of the definitions; a test that needs them is skipped without one."""
    for folder in (os.environ.get("AIRUNWAY_CRDS"), ROOT.parent / "shared" / "crds"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("no upstream CRDs: neither AIRUNWAY_CRDS nor ../shared/crds is there")
