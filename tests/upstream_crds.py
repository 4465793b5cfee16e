"""Where upstream's CustomResourceDefinitions are, which the project does not bring."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CRD_FILES = {
    "Workspace": "kaito-0.12.0/kaito.sh_workspaces.yaml",
    "DynamoGraphDeployment": "dynamo-1.5.0/nvidia.com_dynamographdeployments.yaml",
    "RayService": "ray.io_rayservices.yaml",
}
"""The definition of each kind that a deployment becomes, as of the release that the catalog installs."""


def crd_folder() -> Path:
    """The folder of the definitions; a test that needs them is skipped without one."""
    for folder in (os.environ.get("AIRUNWAY_CRDS"), ROOT.parent / "shared" / "crds"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("no upstream CRDs: neither AIRUNWAY_CRDS nor ../shared/crds is there")
