"""The programs that this tier runs: found on PATH, or built from their published Go modules and kept outside the checkout."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
CACHE = Path(os.environ.get("AIRUNWAY_TOOL_CACHE") or Path.home() / ".cache" / "airunway-test-tools")
# Program: module folder, package to build, version.
PROGRAMS = {
    "pulumi": ("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", "v3.259.0"),
    "kube-apiserver": ("apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", "v1.36.1"),
    "etcd": ("etcd", "go.etcd.io/etcd/server/v3", "v3.6.12"),
    "helm": ("helm", "helm.sh/helm/v4/cmd/helm", "v4.3.1"),
}


def program(name: str) -> Path:
    """The path of a program; a test that needs one which can't be had is skipped with the reason."""
    found = shutil.which(name)
    if found:
        return Path(found)
    folder, package, version = PROGRAMS[name]
    target = CACHE / version / name
    if not target.exists():
        if not shutil.which("go"):
            pytest.skip(f"{name} is not on PATH, and there is no Go to build it with")
        _build(name, folder, package, version, target)
    return target


def _build(name: str, folder: str, package: str, version: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    print(f"\nbuilding {name} from {package} (once; kept in {target.parent}) …", flush=True)
    partial = target.with_suffix(".partial")
    # Without its version the Pulumi CLI is taken for one that is too old.
    flags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version.removeprefix('v')}"
    command = ["go", "build", "-trimpath", "-ldflags", flags, "-o", str(partial), package]
    done = subprocess.run(command, cwd=TOOLS / folder, env=os.environ | {"CGO_ENABLED": "0"}, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"{name} does not build:\n{done.stderr[-4000:]}")
    partial.rename(target)
    print(f"built {name} in {time.monotonic() - started:.0f} s", flush=True)
