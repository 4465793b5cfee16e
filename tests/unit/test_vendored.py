"""Unit (files): the scripts of others are those that ``vendored.yaml`` says, with a licence each, and no page loads any
from elsewhere. With AIRUNWAY_NPM set, npm's registry is asked for the same files (`make verify-vendored`).
"""

import base64
import hashlib
import io
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from airunway.report.html import script_text

ROOT = Path(__file__).parents[2]
SCRIPTS = yaml.safe_load((ROOT / "vendored.yaml").read_text())
REGISTRY = os.environ.get("AIRUNWAY_NPM", "")


def tracked(*patterns: str) -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    return [n for n in subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split("\0") if n]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s["package"])
def test_a_script_has_its_checksum_and_its_licence_beside_it(script: dict[str, Any]) -> None:
    path = ROOT / script["path"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == script["sha256"]
    assert path.with_name(path.name.replace(".min.js", ".LICENSE")).read_text().strip()


def test_every_script_of_others_is_listed() -> None:
    assert sorted(script["path"] for script in SCRIPTS) == sorted(tracked("*.min.js"))
    assert len({script["package"] for script in SCRIPTS}) == len(SCRIPTS)


def test_no_page_loads_a_script_or_a_style_from_elsewhere() -> None:
    pages = tracked("airunway/**/*.html")
    assert pages
    for page in pages:
        assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//[^\"']+\.(?:js|css)", (ROOT / page).read_text()), page


def test_a_page_does_not_ask_for_a_source_map() -> None:
    assert "sourceMappingURL" in (ROOT / "airunway/report/page/cytoscape-dagre.min.js").read_text()
    assert "sourceMappingURL" not in script_text("cytoscape-dagre.min.js")
    assert "cytoscape" in script_text("cytoscape-dagre.min.js")


@pytest.mark.skipif(not REGISTRY, reason="AIRUNWAY_NPM is not set: the scripts were not compared with npm's")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s["package"])
def test_a_script_is_the_one_that_npm_has(script: dict[str, Any]) -> None:
    about = requests.get(f"{REGISTRY}/{script['package']}/{script['version']}", timeout=60).json()
    package = requests.get(about["dist"]["tarball"], timeout=120).content
    algorithm, _, digest = about["dist"]["integrity"].partition("-")
    assert hashlib.new(algorithm, package).digest() == base64.b64decode(digest)
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        file = archive.extractfile(f"package/{script['file']}")
        assert file is not None
        assert file.read() == (ROOT / script["path"]).read_bytes()
    assert about["license"] == script["license"]
