"""A way to the API server that can be told to misbehave."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from tests.cluster.apiserver import Cluster
from tests.cluster.kubelet import certificate
from tests.cluster.serving import serving


class FaultProxy(ThreadingHTTPServer):
    """Passes requests on; while it is ``away`` every one is answered with 503, and with ``refuse_reads`` every reading
    one with that.
    """

    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.away = cluster, False
        self.refuse_reads: int | None = None
        super().__init__(("127.0.0.1", 0), _Handler)
        # Over plain HTTP client-go sends no token.
        self.socket = certificate(cluster.folder).wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def fault(self, method: str) -> int | None:
        return 503 if self.away else self.refuse_reads if method == "GET" else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultProxy

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.command)
        if fault is not None:
            self._reply(fault, b'{"kind":"Status","message":"try again"}', {"Retry-After": "1"})
            return
        keep = {
            k: v
            for k, v in self.headers.items()
            if k.lower() not in ("host", "connection", "content-length", "accept-encoding")
        }
        cluster = self.server.cluster
        with requests.request(
            self.command,
            cluster.url + self.path,
            data=body,
            headers=keep | {"Accept-Encoding": "identity"},
            verify=str(cluster.session.verify),
            proxies={"https": ""},
            timeout=60,
            stream=True,
        ) as answer:
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with contextlib.suppress(OSError):  # a watch ends when its client goes
                for chunk in answer.raw.read_chunked(decode_content=False) if answer.raw.chunked else [answer.content]:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

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
    with serving(FaultProxy(cluster)) as proxy:
        yield proxy
