"""A real kube-apiserver, etcd and kube-controller-manager on loopback: RBAC on, the upstream CRDs installed, no real
node.
"""

import datetime
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.cluster.certificates import Authority
from tests.cluster.tools import program
from tests.upstream_crds import CRD_FILES, crd_folder

ROOT = Path(__file__).parents[2]
ADMIN = "admin-token"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """The API server and its etcd, each of which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etcd_port, self.port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        key = rsa.generate_private_key(65537, 2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        (folder / "sa.key").write_bytes(private)
        (folder / "tokens.csv").write_text(f'{ADMIN},admin,admin,"system:masters"\n')
        self.authority = Authority("test-client-ca")
        (folder / "client-ca.crt").write_bytes(self.authority.certificate)
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy on the way to loopback
        self.session.headers["Authorization"] = f"Bearer {ADMIN}"
        self.session.verify = str(folder / "certs" / "apiserver.crt")

    def start_etcd(self) -> None:
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{free_port()}"
        self._start(
            "etcd",
            *(
                "--data-dir",
                str(self.folder / "etcd"),
                "--listen-client-urls",
                client,
                "--advertise-client-urls",
                client,
            ),
            *(
                "--listen-peer-urls",
                peer,
                "--initial-advertise-peer-urls",
                peer,
                "--initial-cluster",
                f"default={peer}",
            ),
            *("--unsafe-no-fsync", "--log-level", "error"),
        )

    def start(self) -> None:
        self.start_etcd()
        self._start(
            "kube-apiserver",
            *(
                "--etcd-servers",
                f"http://127.0.0.1:{self.etcd_port}",
                "--secure-port",
                str(self.port),
                "--bind-address",
                "127.0.0.1",
            ),
            *(
                "--cert-dir",
                str(self.folder / "certs"),
                "--authorization-mode",
                "RBAC",
                "--token-auth-file",
                str(self.folder / "tokens.csv"),
                "--client-ca-file",
                str(self.folder / "client-ca.crt"),
            ),
            *(
                "--service-account-issuer",
                "https://cluster.test",
                "--service-account-key-file",
                str(self.folder / "sa.key"),
            ),
            *(
                "--service-account-signing-key-file",
                str(self.folder / "sa.key"),
                "--service-cluster-ip-range",
                "10.0.0.0/24",
            ),
            # No controller makes the accounts that pods would need.
            *("--disable-admission-plugins", "ServiceAccount"),
        )
        self.wait()

    def start_controllers(self) -> None:
        """The controllers that a stack's objects need; namespaces are left alone, so that tests see that they are
        kept.
        """
        controllers = (
            "garbage-collector",
            "deployment",
            "replicaset",
            "job",
            "endpoints",
            "endpointslice",
            "persistentvolumeclaim-protection",
        )
        self._start(
            "kube-controller-manager",
            *("--kubeconfig", str(self.kubeconfig()), "--leader-elect=false", "--bind-address", "127.0.0.1"),
            *("--secure-port", str(free_port()), "--cert-dir", str(self.folder / "controller-certs")),
            *("--controllers", ",".join(f"{name}-controller" for name in controllers)),
            # With the default of 20 requests a second the deletion of a large stack takes minutes.
            *("--kube-api-qps", "500", "--kube-api-burst", "500"),
        )

    def wait(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.session.get(f"{self.url}/readyz", timeout=2).ok:
                    return
            except (requests.RequestException, OSError):
                pass
            time.sleep(0.2)
        pytest.fail("the API server did not get ready:\n" + self.log("kube-apiserver")[-3000:])

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen([program(name), *arguments], stdout=log, stderr=log, cwd=self.folder)

    def stop(self, name: str) -> None:
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def get(self, path: str) -> Any:
        answer = self.session.get(self.url + path, timeout=30)
        return None if answer.status_code == 404 else answer.json()

    def send(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        answer = self.session.request(method, self.url + path, json=body, headers={"Content-Type": kind}, timeout=60)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:800]}"
        return answer.json()

    def etcd(self, path: str, body: Any) -> Any:
        """What etcd answers over its HTTP gateway."""
        answer = self.session.post(f"http://127.0.0.1:{self.etcd_port}/v3/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def namespace(self, name: str) -> None:
        """Have the namespace, which no controller takes away again."""
        if not self.get(f"/api/v1/namespaces/{name}"):
            self.send(
                "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )

    def items(self, path: str) -> list[Any]:
        return list((self.get(path) or {}).get("items", []))

    def kubeconfig(self, token: str = ADMIN, server: str | None = None) -> Path:
        cluster: dict[str, Any] = {"server": server or self.url}
        cluster |= (
            {"certificate-authority": self.session.verify} if server is None else {"insecure-skip-tls-verify": True}
        )
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        path = self.folder / f"kubeconfig-{abs(hash((token, server)))}"
        path.write_text(yaml.safe_dump(config))
        return path

    def token_for(self, namespace: str, account: str) -> str:
        """A token of a ServiceAccount, which is made here."""
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}}
        self.send("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", body)
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600},
        }
        answer = self.send("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", request)
        return str(answer["status"]["token"])

    def install_crds(self, folder: Path) -> None:
        for file in CRD_FILES.values():
            crd = yaml.load((folder / file).read_text(), yaml.CSafeLoader)
            crd["spec"].pop("conversion", None)  # its webhook is the operator's
            self.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        deadline = time.monotonic() + 60
        for group in ("kaito.sh/v1beta1", "nvidia.com/v1beta1", "ray.io/v1"):
            while not (self.get(f"/apis/{group}") or {}).get("resources"):
                assert time.monotonic() < deadline, f"{group} is not served"
                time.sleep(0.2)


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    crds = crd_folder()
    for name in ("etcd", "kube-apiserver", "kube-controller-manager"):
        program(name)
    cluster = Cluster(folder)
    try:
        cluster.start()
        cluster.start_controllers()
        cluster.install_crds(crds)
        yield cluster
    finally:
        cluster.stop_all()


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
