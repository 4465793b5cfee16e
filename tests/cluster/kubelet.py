"""A node whose kubelet forwards ports and has logs, and does nothing else.

Ports: websocket in Kubernetes' channel protocol, to ports of this machine. Logs: ``GET
/containerLogs/NAMESPACE/POD/CONTAINER`` with the parameters that the API server passes on (LogLocation in
pkg/registry/core/pod/strategy.go), answered as the kubelet of Kubernetes 1.36.1 does: getContainerLogs in
pkg/kubelet/server/server.go, validateContainerLogStatus in pkg/kubelet/kubelet_pods.go, and how it cuts and dates lines
in k8s.io/cri-client 0.36.1, pkg/logs/logs.go. The tests' own part is what the containers have written.
"""

import contextlib
import datetime
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request

from tests.cluster.apiserver import Cluster

NODE = "test-node"
Logs = Mapping[tuple[str, str, bool], str]
"""What containers have written, as lines with their times: by pod, container, and whether it is the one before."""


def certificate(folder: Path) -> ssl.SSLContext:
    """A TLS server's context with a certificate that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubelet")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1)
    )
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "kubelet.pem"
    path.write_bytes(text + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@contextmanager
def node(cluster: Cluster, folder: Path, logs: Logs | None = None) -> Iterator[str]:
    """A ready node of the cluster; a pod on it answers on the ports of 127.0.0.1, and has ``logs``."""
    context = certificate(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_listen, args=(listener, context, cluster, logs or {}), daemon=True).start()
    cluster.send("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    endpoint = {"kubeletEndpoint": {"Port": listener.getsockname()[1]}}
    status = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "daemonEndpoints": endpoint}
    cluster.send("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status}, "application/merge-patch+json")
    try:
        yield NODE
    finally:
        listener.close()
        cluster.send("DELETE", f"/api/v1/nodes/{NODE}")


def _listen(listener: socket.socket, context: ssl.SSLContext, cluster: Cluster, logs: Logs) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return  # closed
        threading.Thread(target=_serve, args=(plain, context, cluster, logs), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, cluster: Cluster, logs: Logs) -> None:
    with plain, contextlib.suppress(OSError), contextlib.ExitStack() as opened:
        client = opened.enter_context(context.wrap_socket(plain, server_side=True))
        received = client.recv(65536)
        target = received.decode("latin-1").partition(" ")[2].partition(" ")[0]
        if target.startswith("/containerLogs/"):
            client.sendall(_log_answer(target, cluster, logs))
        else:
            _forward(client, received, opened)


def _log_answer(target: str, cluster: Cluster, logs: Logs) -> bytes:
    parts = urlsplit(target)
    _, _, namespace, pod, container = parts.path.split("/")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    status, text = _log(cluster, logs, namespace, (pod, container, query.get("previous") == "true"), query)
    reason = {200: "OK", 400: "Bad Request", 404: "Not Found"}[status]
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + (b"%x\r\n%b\r\n" % (len(text), text) if text else b"") + b"0\r\n\r\n"


def _log(
    cluster: Cluster, logs: Logs, namespace: str, of: tuple[str, str, bool], query: Mapping[str, str]
) -> tuple[int, bytes]:
    pod, container, previous = of
    live = cluster.get(f"/api/v1/namespaces/{namespace}/pods/{pod}")
    if live is None:
        return 404, f'pod "{pod}" does not exist'.encode()
    statuses = {s["name"]: s for s in live["status"].get("containerStatuses") or []}
    if container not in statuses:
        return 400, f'container "{container}" in pod "{pod}" is not available'.encode()
    state, last = statuses[container]["state"], statuses[container].get("lastState") or {}
    if previous and "terminated" not in last:
        return 400, f'previous terminated container "{container}" in pod "{pod}" not found'.encode()
    waits = "waiting" in state and "terminated" not in last
    if waits:
        why = {
            "ErrImagePull": "image can't be pulled",
            "ImagePullBackOff": "trying and failing to pull image",
        }.get(state["waiting"]["reason"], state["waiting"]["reason"])
        return 400, f'container "{container}" in pod "{pod}" is waiting to start: {why}'.encode()
    is_last = previous or "waiting" in state
    lines = re.findall(r"[^\n]*\n", logs.get((pod, container, is_last), ""))[-int(query["tailLines"]) :]
    if query.get("timestamps") != "true":
        lines = [line.split(" ", 1)[1] for line in lines]
    return 200, "".join(lines).encode()[: int(query["limitBytes"])]


def _forward(client: ssl.SSLSocket, received: bytes, opened: contextlib.ExitStack) -> None:
    """Forward a port by the websocket that ``received`` begins with."""
    connection = WSConnection(ConnectionType.SERVER)
    backend: socket.socket | None = None
    lock = threading.Lock()
    while received:
        connection.receive_data(received)
        for event in connection.events():
            if isinstance(event, Request):
                query = parse_qs(urlsplit(event.target).query)
                port = int((query.get("port") or query["ports"])[0])
                client.sendall(
                    connection.send(AcceptConnection(subprotocol=event.subprotocols[0] if event.subprotocols else None))
                )
                for channel in (b"\0", b"\1"):
                    client.sendall(connection.send(BytesMessage(channel + port.to_bytes(2, "little"))))
                backend = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
                threading.Thread(target=_back, args=(backend, client, connection, lock), daemon=True).start()
            elif isinstance(event, BytesMessage) and backend:
                backend.sendall(event.data[1:])
            elif isinstance(event, CloseConnection):
                return
        received = client.recv(65536)


def _back(backend: socket.socket, client: ssl.SSLSocket, connection: WSConnection, lock: threading.Lock) -> None:
    with contextlib.suppress(OSError):
        while data := backend.recv(65536):
            with lock:
                client.sendall(connection.send(BytesMessage(b"\0" + data)))
