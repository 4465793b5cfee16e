"""The real registry and BuildKit, run with what the cluster's objects say: configuration, login and the Job's command.

Paths and addresses of containers are replaced by those of this machine. AIKit's frontend is an image that can't be
fetched here, so BuildKit's own frontend for Dockerfiles stands in for it.
"""

import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster.apiserver import Cluster, free_port
from tests.cluster.tools import program

SYSTEM = "/api/v1/namespaces/airunway-system"
ANY_MANIFEST = {"Accept": "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"}


def require_root() -> None:
    """Skip, loudly, where no file system can be mounted."""
    if sys.platform != "linux" or os.geteuid():
        pytest.skip("BuildKit and a read-only volume are tried as root on Linux only")


class ImageServices:
    """Both containers of the registry on one folder, which the one that nodes pull from can't write, and buildkitd."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self._programs = {name: str(program(name)) for name in ("registry", "buildctl", "buildkitd")}
        self.push, self.pull = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.errors: list[str] = []
        self._running: list[subprocess.Popen[bytes]] = []
        for name in ("data", "login", "docker", "result", "context", "no-login", "bin"):
            (folder / name).mkdir()
        (folder / "context" / "Dockerfile").write_text("FROM scratch\nCOPY model.gguf /models/\n")
        (folder / "context" / "model.gguf").write_text("weights")
        # buildkitd asks for runc before it starts, and calls it for no step of this Dockerfile.
        (folder / "bin" / "buildkit-runc").symlink_to(shutil.which("true") or "/bin/true")

    def build(self, pod: Any) -> str:
        """Run the Job's container as ``pod`` has it, and return its termination message."""
        try:
            if not self._running:
                self._start()
            (container,) = pod["spec"]["containers"]
            done = self.run(container["command"], "docker")
            if done.returncode:
                self.errors.append(done.stderr)
            return (self.folder / "termination-log").read_text()
        except Exception as error:  # a thread that fakes the kubelet must not end
            self.errors.append(repr(error))
            return ""

    def run(self, command: list[str], login: str) -> subprocess.CompletedProcess[str]:
        """Run a build's ``command`` with a folder that has a login, or none."""
        text = "\0".join(command)
        for old, new in [
            ("/run/user/1000/buildkit", str(self.folder)),
            ("/run/airunway", str(self.folder / "result")),
            ("/dev/termination-log", str(self.folder / "termination-log")),
            ("airunway-registry-push.airunway-system.svc:5000", self.push),
        ]:
            assert old in text
            text = text.replace(old, new)
        words = text.split("\0")
        context = str(self.folder / "context")
        words[words.index("gateway.v0")] = "dockerfile.v0"
        for option in ("source=", "context="):
            (at,) = [i for i, word in enumerate(words) if word.startswith(option)]
            del words[at - 1 : at + 1]
        words += ["--local", f"context={context}", "--local", f"dockerfile={context}"]
        environment = {
            "DOCKER_CONFIG": str(self.folder / login),
            "PATH": f"{Path(self._programs['buildctl']).parent}:{os.environ['PATH']}",
        }
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)

    def _start(self) -> None:
        secret = self.cluster.get(f"{SYSTEM}/secrets/airunway-registry-login")["data"]
        configurations = self.cluster.get(f"{SYSTEM}/configmaps/airunway-registry")["data"]
        config = base64.b64decode(secret[".dockerconfigjson"]).decode()
        host = "airunway-registry-push.airunway-system.svc:5000"
        assert host in config
        (self.folder / "docker" / "config.json").write_text(config.replace(host, self.push))
        (self.folder / "login" / "htpasswd").write_bytes(base64.b64decode(secret["htpasswd"]))
        for name, port, address in (("push", 5000, self.push), ("pull", 5001, self.pull)):
            text = configurations[f"{name}.yaml"]
            for old, new in (
                ("/var/lib/registry", str(self.folder / "data")),
                (f"addr: :{port}", f"addr: {address}"),
                ("/etc/registry-login", str(self.folder / "login")),
            ):
                text = text.replace(old, new)
            (self.folder / f"{name}.yaml").write_text(text)
        registry, data = self._programs["registry"], self.folder / "data"
        self._run("push", registry, "serve", str(self.folder / "push.yaml"))
        read_only = f"mount --bind {data} {data} && mount -o remount,ro,bind {data} && exec {registry} serve"
        self._run("pull", "unshare", "-m", "sh", "-c", f"{read_only} {self.folder / 'pull.yaml'}")
        toml = self.cluster.get(f"{SYSTEM}/configmaps/airunway-builder")["data"]["buildkitd.toml"]
        (self.folder / "buildkitd.toml").write_text(toml.replace(host, self.push))
        self._run(
            "buildkitd",
            self._programs["buildkitd"],
            *("--addr", f"unix://{self.folder}/buildkitd.sock", "--root", str(self.folder / "state")),
            *("--config", str(self.folder / "buildkitd.toml"), "--oci-worker-snapshotter", "native"),
        )
        self._until(lambda: httpx.get(f"http://{self.push}/", trust_env=False).is_success)
        self._until(lambda: httpx.get(f"http://{self.pull}/v2/", trust_env=False).is_success)
        self._until((self.folder / "buildkitd.sock").exists)

    def _run(self, name: str, *command: str) -> None:
        environment = {"OTEL_TRACES_EXPORTER": "none", "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        with (self.folder / f"{name}.log").open("wb") as log:
            self._running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))

    def _until(self, condition: Callable[[], bool]) -> None:
        for _ in range(300):
            try:
                if condition():
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        logs = [path.read_text()[-1500:] for path in self.folder.glob("*.log")]
        raise RuntimeError("registry or BuildKit did not start:\n" + "\n".join(logs))

    def stop(self) -> None:
        """End all processes."""
        for process in self._running:
            process.terminate()
            process.wait(20)
