"""The real registry (distribution 3.1.2) on loopback: with TLS by an authority of the tests' own, and with logins."""

import hashlib
import json
import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import httpx

from tests.cluster.apiserver import free_port
from tests.cluster.certificates import Authority
from tests.cluster.tools import program

USER, PASSWORD = "puller", "only-in-the-header"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"


def certified(folder: Path) -> tuple[Path, Path, Path]:
    """The files of an authority, and of the certificate and key of a server of this machine."""
    authority = Authority("registries")
    files = tuple(folder / name for name in ("authority.pem", "certificate.pem", "key.pem"))
    for path, content in zip(files, (authority.certificate, *authority.serving("localhost")), strict=True):
        path.write_bytes(content)
    return files[0], files[1], files[2]


@dataclass(frozen=True)
class RealRegistry:
    """A registry that runs; ``client`` may push."""

    host: str
    client: httpx.Client

    def push(self, repository: str, tag: str, *, kind: str = OCI_MANIFEST, note: str = "") -> str:
        """Push an image of one platform, or an index of one such image; return the digest of what the tag names."""
        is_docker = kind in (DOCKER_LIST, DOCKER_MANIFEST)
        config = self._blob(repository, json.dumps({"architecture": "amd64", "os": "linux", "note": note}).encode())
        config_kind, one = (_DOCKER_CONFIG, DOCKER_MANIFEST) if is_docker else (_OCI_CONFIG, OCI_MANIFEST)
        manifest = {"schemaVersion": 2, "mediaType": one, "config": {"mediaType": config_kind, **config}, "layers": []}
        if kind == one:
            return self._manifest(repository, tag, one, manifest)
        text = json.dumps(manifest).encode()
        digest = self._manifest(repository, _digest(text), one, manifest)
        platform = {"architecture": "amd64", "os": "linux"}
        part = {"mediaType": one, "digest": digest, "size": len(text), "platform": platform}
        return self._manifest(repository, tag, kind, {"schemaVersion": 2, "mediaType": kind, "manifests": [part]})

    def _blob(self, repository: str, content: bytes) -> dict[str, Any]:
        started = self.client.post(f"/v2/{repository}/blobs/uploads/").raise_for_status()
        digest = _digest(content)
        location = httpx.URL(started.headers["Location"]).copy_merge_params({"digest": digest})
        kind = {"Content-Type": "application/octet-stream"}
        self.client.put(location, content=content, headers=kind).raise_for_status()
        return {"digest": digest, "size": len(content)}

    def _manifest(self, repository: str, tag: str, kind: str, manifest: dict[str, Any]) -> str:
        text = json.dumps(manifest).encode()
        url = f"/v2/{repository}/manifests/{tag}"
        self.client.put(url, content=text, headers={"Content-Type": kind}).raise_for_status()
        return _digest(text)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def htpasswd(folder: Path) -> dict[str, Any]:
    """The ``auth`` of a registry's configuration, for one login."""
    path = folder / "htpasswd"
    path.write_text(f"{USER}:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}\n")
    return {"htpasswd": {"realm": "tests", "path": str(path)}}


@contextmanager
def real_registry(
    folder: Path,
    certificate: tuple[Path, Path, Path] | None = None,
    auth: dict[str, Any] | None = None,
    pushing: httpx.Auth | tuple[str, str] | None = None,
) -> Iterator[RealRegistry]:
    """Run a registry whose files are in ``folder``; ``pushing`` is the login of whoever pushes."""
    folder.mkdir()
    host = f"localhost:{free_port()}"
    http: dict[str, Any] = {"addr": host}
    if certificate:
        http["tls"] = {"certificate": str(certificate[1]), "key": str(certificate[2])}
    configuration = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
        "http": http,
        **({"auth": auth} if auth else {}),
    }
    (folder / "config.yaml").write_text(json.dumps(configuration))
    log = (folder / "log").open("wb")
    command = [str(program("registry")), "serve", str(folder / "config.yaml")]
    environment = os.environ | {"OTEL_TRACES_EXPORTER": "none"}
    running = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
    scheme = "https" if certificate else "http"
    trusted: Any = ssl.create_default_context(cafile=str(certificate[0])) if certificate else True
    client = httpx.Client(base_url=f"{scheme}://{host}", verify=trusted, trust_env=False, auth=pushing)
    try:
        _until_up(client, running, folder / "log")
        yield RealRegistry(host, client)
    finally:
        running.terminate()
        running.wait(20)
        client.close()
        log.close()


def _until_up(client: httpx.Client, running: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            client.get("/")
        except httpx.TransportError as error:
            if running.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the registry does not start:\n{log.read_text()[-2000:]}") from error
            time.sleep(0.05)
        else:
            return
