"""The programs that this tier runs: found on PATH, or built from their published Go modules and kept outside the
checkout.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tests" / "tools"
CACHE = Path(os.environ.get("AIRUNWAY_TOOL_CACHE") or Path.home() / ".cache" / "airunway-test-tools")
_PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_PROVIDER = "github.com/pulumi/pulumi-kubernetes/provider/v4"


@dataclass(frozen=True)
class Program:
    """A Go program: the folder of its module, the package to build, its version, and the variable that holds its
    version.

    ``beside`` is a file of ``beside_module`` that the program reads from where it lies.
    """

    folder: str
    package: str
    version: str
    variable: str = ""
    beside_module: str = ""
    beside: str = ""


PROGRAMS = {
    # Without its version the Pulumi CLI is taken for one that is too old.
    "pulumi": Program(
        "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", f"v{installed('pulumi')}", _PULUMI_VERSION
    ),
    "kube-apiserver": Program("apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", "v1.36.1"),
    "kube-controller-manager": Program("apiserver", "k8s.io/kubernetes/cmd/kube-controller-manager", "v1.36.1"),
    "etcd": Program("etcd", "go.etcd.io/etcd/server/v3", "v3.6.12"),
    "registry": Program("registry", "github.com/distribution/distribution/v3/cmd/registry", "v3.1.2"),
    "buildctl": Program("buildkit", "github.com/moby/buildkit/cmd/buildctl", "v0.34.2"),
    "buildkitd": Program("buildkit", "github.com/moby/buildkit/cmd/buildkitd", "v0.34.2"),
    "helm": Program("helm", "helm.sh/helm/v4/cmd/helm", "v4.3.1"),
    # The module is of January 2026; it answers to the version that the Python SDK asks for.
    "pulumi-resource-kubernetes": Program(
        "kubernetes-provider",
        ".",
        f"v{installed('pulumi_kubernetes')}",
        "main.version",
        _PROVIDER,
        "cmd/pulumi-resource-kubernetes/schema.json",
    ),
}


def program(name: str) -> Path:
    """The path of a program; a test that needs one which can't be had is skipped with the reason."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    expected = PROGRAMS[name]
    target = CACHE / expected.version / name
    if not target.exists():
        if not shutil.which("go"):
            pytest.skip(f"{name} is not on PATH, and there is no Go to build it with")
        _build(name, expected, target)
    return target


def language_host() -> Path | None:
    """Pulumi's Python language host, where it is installed; it is not published as a Go module."""
    on_path = shutil.which("pulumi-language-python")
    return Path(on_path) if on_path else None


def policy_pack_environment() -> Path:
    """A virtual environment with what the extra ``policy-pack`` has, from PyPI, once; a test is skipped if it can't be
    had. It is without airunway itself: a pack finds that by ``PYTHONPATH``.
    """
    lock = ROOT / "requirements-policy-pack.txt"
    target = CACHE / f"policy-pack-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if target.exists():
        return target
    print(f"\ninstalling {lock.name} (once; kept in {target}) …", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", f"{target}.partial"], check=True)
    install = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    done = subprocess.run([f"{target}.partial/bin/python", *install], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"what a policy pack needs can't be installed: {done.stderr.strip().splitlines()[-1]}")
    Path(f"{target}.partial").rename(target)
    return target


def _build(name: str, expected: Program, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    print(f"\nbuilding {name} from {expected.package} (once; kept in {target.parent}) …", flush=True)
    partial = target.with_suffix(".partial")
    flags = "-s -w" + (f" -X {expected.variable}={expected.version.removeprefix('v')}" if expected.variable else "")
    _go(name, expected, "build", "-trimpath", "-ldflags", flags, "-o", str(partial), expected.package)
    if expected.beside:
        module = _go(name, expected, "list", "-m", "-f", "{{.Dir}}", expected.beside_module).strip()
        shutil.copyfile(Path(module) / expected.beside, target.with_name(f"{name}.{Path(expected.beside).name}"))
    partial.rename(target)
    print(f"built {name} in {time.monotonic() - started:.0f} s", flush=True)


def _go(name: str, expected: Program, *arguments: str) -> str:
    environment = os.environ | {"CGO_ENABLED": "0"}
    done = subprocess.run(
        ["go", *arguments], cwd=TOOLS / expected.folder, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        pytest.fail(f"{name} does not build:\n{done.stderr[-4000:]}")
    return done.stdout
