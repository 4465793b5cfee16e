"""A way to the API server that can be told to misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from tests.cluster.apiserver import Cluster


class FaultProxy(ThreadingHTTPServer):
    """Passes requests on; each status in ``faults`` answers one writing request instead, and while it is ``away`` 503 every one."""

    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.faults, self.refused, self.away = cluster, list[int](), 0, False
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fault(self, method: str) -> int | None:
        with self.lock:
            if self.away:
                return 503
            if method == "GET" or not self.faults:
                return None
            self.refused += 1
            return self.faults.pop(0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultProxy

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.command)
        if fault is not None:
            self._reply(fault, b'{"kind":"Status","message":"try again"}', {"Retry-After": "1"})
            return
        keep = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "content-length", "accept-encoding")}
        cluster = self.server.cluster
        answer = requests.request(
            self.command,
            cluster.url + self.path,
            data=body,
            headers=keep,
            verify=str(cluster.session.verify),
            proxies={"https": ""},
            timeout=60,
        )
        self._reply(answer.status_code, answer.content, {"Content-Type": answer.headers.get("Content-Type", "")})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _pass

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def fault_proxy(cluster: Cluster) -> Iterator[FaultProxy]:
    proxy = FaultProxy(cluster)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
