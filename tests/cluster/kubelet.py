"""A node whose kubelet only forwards ports: websocket in Kubernetes' channel protocol, to ports of this machine."""

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
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
def node(cluster: Cluster, folder: Path) -> Iterator[str]:
    """A ready node of the cluster; a pod on it answers on the ports of 127.0.0.1."""
    context = certificate(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_listen, args=(listener, context), daemon=True).start()
    cluster.send("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    endpoint = {"kubeletEndpoint": {"Port": listener.getsockname()[1]}}
    status = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "daemonEndpoints": endpoint}
    cluster.send("PATCH", f"/api/v1/nodes/{NODE}/status", {"status": status}, "application/merge-patch+json")
    try:
        yield NODE
    finally:
        listener.close()
        cluster.send("DELETE", f"/api/v1/nodes/{NODE}")


def _listen(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return  # closed
        threading.Thread(target=_serve, args=(plain, context), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext) -> None:
    with plain, contextlib.suppress(OSError), contextlib.ExitStack() as opened:
        client = opened.enter_context(context.wrap_socket(plain, server_side=True))
        connection = WSConnection(ConnectionType.SERVER)
        backend: socket.socket | None = None
        lock = threading.Lock()
        while data := client.recv(65536):
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, Request):
                    query = parse_qs(urlsplit(event.target).query)
                    port = int((query.get("port") or query["ports"])[0])
                    client.sendall(
                        connection.send(
                            AcceptConnection(subprotocol=event.subprotocols[0] if event.subprotocols else None)
                        )
                    )
                    for channel in (b"\0", b"\1"):
                        client.sendall(connection.send(BytesMessage(channel + port.to_bytes(2, "little"))))
                    backend = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
                    threading.Thread(target=_back, args=(backend, client, connection, lock), daemon=True).start()
                elif isinstance(event, BytesMessage) and backend:
                    backend.sendall(event.data[1:])
                elif isinstance(event, CloseConnection):
                    return


def _back(backend: socket.socket, client: ssl.SSLSocket, connection: WSConnection, lock: threading.Lock) -> None:
    with contextlib.suppress(OSError):
        while data := backend.recv(65536):
            with lock:
                client.sendall(connection.send(BytesMessage(b"\0" + data)))
