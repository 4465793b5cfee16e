"""Graph (command line and Hugging Face's real client, which fills its cache from a stand-in of the hub): `airunway lock
--offline`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from huggingface_hub import constants, hf_hub_download

from tests.cluster.serving import serving
from tests.command import run
from tests.graph.changes import write
from tests.graph.hub_projects import QWEN, config, deployment
from tests.graph.model_hub import FIRST, QWEN_CONFIG, SECOND, ModelHub, model
from tests.graph.projects import copy_program

LOCK = "stacks/models.lock.yaml"
CARD = b"---\nlicense: apache-2.0\n---\n# Qwen3\n"


def safetensors(**tensors: tuple[str, list[int], int]) -> bytes:
    """A file of tensors of zeros: type, shape and bytes of each."""
    header, offset = {}, 0
    for name, (kind, shape, size) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(offset)


WEIGHTS = safetensors(a=("BF16", [3, 4], 24), b=("F32", [2], 8))
ENDLESS = (2**62).to_bytes(8, "little")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, without_proxies: None) -> Iterator[ModelHub]:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with serving(ModelHub()) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(copy_program(tmp_path / "project"), "prod", config(deployment("small", QWEN)))
    return tmp_path / "project"


def fetch(
    hub: ModelHub, commit: str = FIRST, revision: str = "main", files: Mapping[str, bytes] = MappingProxyType({})
) -> None:
    """Let the real client fetch a model of these files into its cache."""
    present = {"config.json": json.dumps(QWEN_CONFIG).encode(), "README.md": CARD, "model.safetensors": WEIGHTS}
    present |= files
    hub.models[QWEN, revision] = model(commit, *((name, len(content)) for name, content in present.items()))
    hub.files = {(QWEN, name): content for name, content in present.items()}
    for name in present:
        hf_hub_download(QWEN, name, revision=revision, endpoint=hub.url, cache_dir=constants.HF_HUB_CACHE)
    hub.requests.clear()


def lock(monkeypatch: pytest.MonkeyPatch, project: Path, *arguments: str) -> int:
    return run(monkeypatch, "lock", "--offline", *arguments, "--cwd", str(project), columns=400)


def locked(project: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((project / LOCK).read_text())["models"]
    return content


def test_a_model_in_the_cache_is_locked_without_asking_anyone(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(hub)
    assert lock(monkeypatch, project) == 0
    assert hub.requests == []
    found = locked(project)[QWEN]
    assert (found["revision"], found["license"]) == (FIRST, "apache-2.0")
    assert found["weights"] == {"BF16": 12, "F32": 2}
    assert found["architecture"]["fullLayers"] == 28
    assert [file["path"] for file in found["files"]] == ["README.md", "config.json", "model.safetensors"]
    assert found["files"][2] == {
        "path": "model.safetensors",
        "bytes": len(WEIGHTS),
        "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
    }


def test_a_newer_snapshot_is_told_and_taken_when_asked(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(hub)
    lock(monkeypatch, project)
    fetch(hub, SECOND)
    assert lock(monkeypatch, project, "--check") == 1
    assert f"{QWEN}: moved from {FIRST[:12]} to {SECOND[:12]}" in capsys.readouterr().out
    assert lock(monkeypatch, project, "--update", QWEN) == 0
    assert locked(project)[QWEN]["revision"] == SECOND


def test_a_snapshot_of_a_commit_alone_is_taken_for_main(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(hub, revision=FIRST)
    assert lock(monkeypatch, project) == 0
    assert locked(project)[QWEN]["revision"] == FIRST


def test_what_the_cache_lacks_is_told_with_how_to_fetch_it(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lock(monkeypatch, project) == 1
    told = f"{QWEN}: is not in the cache of Hugging Face's client; fetch it: hf download {QWEN}"
    assert told in capsys.readouterr().err
    fetch(hub)
    write(project, "prod", config(deployment("small", QWEN, revision="v2")))
    assert lock(monkeypatch, project) == 1
    assert f"{QWEN}@v2: is in the cache, but not at v2; it has: {FIRST[:12]}, main" in capsys.readouterr().err
    assert not (project / LOCK).exists()


@pytest.mark.parametrize("broken", [b" ", b"{", b"\xff" * 8 + b"x", ENDLESS, b"\x02" + bytes(7) + b"[]"])
def test_weights_that_can_t_be_read_are_told(
    hub: ModelHub, project: Path, broken: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(hub, files={"model.safetensors": broken})
    assert lock(monkeypatch, project) == 1
    assert f"{QWEN}: its files in " in capsys.readouterr().err


def test_a_model_without_safetensors_a_card_or_a_known_shape_is_locked_with_its_files(
    hub: ModelHub, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(hub, files={"README.md": b"# No card", "config.json": b'{"model_type": "new"}'})
    folder = Path(constants.HF_HUB_CACHE) / "models--Qwen--Qwen3-0.6B" / "snapshots" / FIRST
    (folder / "model.safetensors").unlink()
    assert lock(monkeypatch, project) == 0
    found = locked(project)[QWEN]
    assert not {"weights", "license"} & found.keys()
    assert found["architecture"] == {"type": "new"}
