"""The project that a command is about, and the stack where none is named."""

import os
from pathlib import Path

DEFAULT_STACK = "dev"


def nearest_project(start: Path, *, parents: bool = True) -> Path | None:
    """Return ``start``, or the nearest of its parents, that has a Pulumi.yaml; None if there is none."""
    start = Path(os.path.realpath(start))
    for folder in [start, *start.parents] if parents else [start]:
        if os.path.exists(folder / "Pulumi.yaml"):  # unlike the method, false for names that no file can have
            return folder
    return None
