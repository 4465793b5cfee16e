"""An API server that can be told to answer oddly, as a real one can't: it serves what the live commands read, all of it
empty.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

GROUPS = {
    "/api/v1": {"Secret": "secrets", "Service": "services", "Pod": "pods", "Event": "events"},
    "/apis/apps/v1": {"Deployment": "deployments"},
    "/apis/apiextensions.k8s.io/v1": {"CustomResourceDefinition": "customresourcedefinitions"},
    "/apis/kaito.sh/v1beta1": {"Workspace": "workspaces"},
    "/apis/nvidia.com/v1beta1": {"DynamoGraphDeployment": "dynamographdeployments"},
    "/apis/ray.io/v1": {"RayService": "rayservices"},
}
CLUSTER_WIDE = ("CustomResourceDefinition",)


@dataclass
class Answer:
    """One answer: ``body`` is bytes, or data to be sent as JSON; ``slowly`` seconds lie between its bytes.

    ``raw`` is sent instead of all of that, piece by piece, for as long as the client stays; then the connection is
    closed, or is reset where ``reset`` says so.
    """

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    slowly: float = 0
    cut: bool = False
    raw: Callable[[], Iterable[bytes]] | None = None
    reset: bool = False


Rule = Answer | Callable[[dict[str, str]], Answer | None] | None


class ApiServer(ThreadingHTTPServer):
    """Answers by ``rules`` where one has the path (a rule for ``*`` has all), else as an API server of an empty cluster
    does.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def forget(self) -> None:
        """Answer as at the start."""
        self.rules, self.asked = {}, []

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        for key in (path, "*"):
            rule = self.rules.get(key)
            result = rule(query) if callable(rule) else rule
            if result is not None:
                return result
        if path == "/version":
            return Answer({"gitVersion": "v1.36.1"})
        for group, kinds in GROUPS.items():
            if path == group:
                return Answer(
                    {
                        "resources": [
                            {"name": n, "kind": k, "namespaced": k not in CLUSTER_WIDE} for k, n in kinds.items()
                        ]
                    }
                )
            for kind, name in kinds.items():
                if path.startswith(f"{group}/") and path.endswith(f"/{name}"):
                    return Answer({"kind": f"{kind}List", "metadata": {}, "items": []})
        return Answer({"kind": "Status", "message": "not found"}, 404)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ApiServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(parts.path)
        answer = self.server.answer(parts.path, {k: v[-1] for k, v in parse_qs(parts.query).items()})
        if answer.raw is not None:
            self._send_raw(answer.raw(), reset=answer.reset)
            return
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.kind, "Content-Length": str(len(body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.cut:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif answer.slowly:
            for index in range(len(body)):
                self.wfile.write(body[index : index + 1])
                time.sleep(answer.slowly)
        else:
            self.wfile.write(body)

    def _send_raw(self, pieces: Iterable[bytes], *, reset: bool) -> None:
        self.close_connection = True
        for piece in pieces:
            self.wfile.write(piece)
        if reset:  # closing it without lingering, SO_LINGER with zero seconds
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def api_server() -> Iterator[ApiServer]:
    server = ApiServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
