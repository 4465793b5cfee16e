"""Stands in for a registry, for the real client (python-dxf 12.1).

It answers `HEAD` and `GET /v2/REPOSITORY/manifests/TAG` with the headers, and refuses with the status, the errors and
the challenge, that were seen of distribution 3.1.2 (tests/cluster/test_image_digests.py), and gives tokens itself.
"""

import contextlib
import hashlib
import json
import ssl
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.certificates import Authority

INDEX = "application/vnd.oci.image.index.v1+json"


def manifest(note: str) -> bytes:
    """An index of images of no platform."""
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"x": note}}).encode()


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class ImageRegistry(ThreadingHTTPServer):
    """``images`` are manifests by ``REPOSITORY:TAG``; ``answer`` is one for all, in place of them.

    With ``tls``, the folder of a certificate, it asks for tokens of the host ``tokens``, which is itself unless a test
    says otherwise; ``token_answer`` is what it says where it is asked for one.
    """

    daemon_threads = True

    def __init__(self, tls: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.images: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.logins: set[str | None] = set()
        self.answer: Answer | None = None
        self.token_answer: Answer | None = None
        self.has_head = True
        self.is_secure = tls is not None
        self.tokens = self.host
        if tls and not (tls / "server.pem").exists():
            authority = Authority("registries")
            certificate, key = authority.serving("localhost")
            (tls / "authority.pem").write_bytes(authority.certificate)
            (tls / "server.pem").write_bytes(certificate + key)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "server.pem")
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def host(self) -> str:
        return f"localhost:{self.server_port}"

    def push(self, image: str, note: str = "") -> str:
        """Let ``image`` be another; the digest of it."""
        self.images[image] = manifest(image + note)
        return digest_of(self.images[image])

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up, or begins with TLS where there is none, is no error."""


class Answer:
    """A status with headers, and a body or the pieces of one."""

    def __init__(self, status: int = 200, body: bytes | Callable[[], Iterable[bytes]] = b"", **headers: str) -> None:
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class _Handler(BaseHTTPRequestHandler):
    server: ImageRegistry

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        registry, path = self.server, urlsplit(self.path).path
        if path == "/token":
            registry.logins.add(self.headers["Authorization"])
            return self._send(registry.token_answer or Answer(body=b'{"token": "granted"}'))
        registry.requests.append(f"{self.command} {path}")
        if registry.is_secure and self.headers["Authorization"] != "Bearer granted":
            realm = f'Bearer realm="https://{registry.tokens}/token",service="registry.tests",scope="repository:x:pull"'
            return self._refuse(401, "UNAUTHORIZED", WWW_Authenticate=realm)
        if registry.answer:
            return self._send(registry.answer)
        if self.command == "HEAD" and not registry.has_head:
            return self._refuse(405, "UNSUPPORTED")
        repository, _, tag = path.removeprefix("/v2/").partition("/manifests/")
        content = registry.images.get(f"{repository}:{tag}")
        if content is None:
            return self._refuse(404, "MANIFEST_UNKNOWN")
        found = {"Content_Type": INDEX, "Docker_Content_Digest": digest_of(content)}
        return self._send(Answer(200, content, Docker_Distribution_Api_Version="registry/2.0", **found))

    def _refuse(self, status: int, code: str, **headers: str) -> None:
        text = json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode()
        self._send(Answer(status, text, Content_Type="application/json", **headers))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command == "GET":
            with contextlib.suppress(OSError):  # the client has had enough
                for piece in [answer.body] if isinstance(answer.body, bytes) else answer.body():
                    self.wfile.write(piece)
