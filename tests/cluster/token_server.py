"""Gives tokens for pulls to the real registry, by the token protocol that ghcr.io, nvcr.io and Docker Hub speak too
(distribution 3.1.2, "Docker Registry v2 authentication via central service").
"""

import base64
import json
import ssl
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER, SERVICE = "tests", "registry.tests"


class TokenServer(ThreadingHTTPServer):
    """Whoever asks may pull what ``public`` has; whoever logs in as ``login`` may pull and push all."""

    def __init__(self, certificate: tuple[Path, Path, Path], login: tuple[str, str], public: frozenset[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.login, self.public = "Basic " + base64.b64encode(":".join(login).encode()).decode(), public
        self.scopes: list[tuple[str, bool]] = []
        """What was asked for, and whether with a login."""
        key = serialization.load_pem_private_key(certificate[2].read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key, self._signer = key, x509.load_pem_x509_certificate(certificate[1].read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[1], certificate[2])
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def auth(self, authority: Path) -> dict[str, Any]:
        """The ``auth`` of a registry's configuration that trusts this server."""
        realm = f"https://localhost:{self.server_port}/token"
        return {"token": {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(authority)}}

    def token(self, access: list[dict[str, Any]]) -> str:
        """A signed token for this access."""
        certificate = base64.b64encode(self._signer.public_bytes(serialization.Encoding.DER)).decode()
        now = int(time.time())
        claims: dict[str, Any] = {"iss": ISSUER, "sub": "", "aud": SERVICE, "jti": "1", "access": access}
        claims |= {"iat": now, "nbf": now - 60, "exp": now + 300}
        text = ".".join(
            _encoded(json.dumps(part).encode()) for part in ({"alg": "ES256", "x5c": [certificate]}, claims)
        )
        numbers = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_encoded(b''.join(number.to_bytes(32, 'big') for number in numbers))}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        server, scope = self.server, parse_qs(urlsplit(self.path).query).get("scope", [""])[0]
        login = self.headers["Authorization"]
        server.scopes.append((scope, login is not None))
        if login not in (None, server.login):
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        kind, name, actions = scope.split(":")
        allowed = actions.split(",") if login else ["pull"] if name in server.public else []
        text = json.dumps({"token": server.token([{"type": kind, "name": name, "actions": allowed}])}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
