"""Asks registries for the digests of images, by the client of python-dxf (12.1).

It honours HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE, and logs in as Docker does.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ssl import SSLCertVerificationError
from typing import Any
from urllib.parse import urlsplit

from docker.auth import INDEX_NAME, resolve_repository_name
from docker.errors import DockerException
from dxf import DXF, DXFBase, hash_bytes
from dxf.exceptions import DXFAuthInsecureError, DXFUnauthorizedError
from requests import ConnectionError as UnreachableError
from requests import Response, Session
from requests.exceptions import (
    HTTPError,
    InvalidProxyURL,
    ProxyError,
    RequestException,
    SSLError,
    Timeout,
)

from airunway.live.registry_logins import Login
from airunway.live.registry_session import SECONDS, certificates, registry_session
from airunway.text.bounded_streams import UnendingError
from airunway.text.problems import InputError, Problem, format_value

_HUB = "registry-1.docker.io"
"""Host of Docker Hub's registry, which images name docker.io or not at all."""
_HOST = re.compile(r"([A-Za-z0-9]+([.-]+[A-Za-z0-9]+)*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_PART = r"[a-z0-9]+(?:(?:\.|__|_|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"({_PART}(?:/{_PART})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?")
"""A repository and its tag, as in the distribution-spec ("pulling manifests")."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOOPBACK = re.compile(r"(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?")
_NO_HEAD = (405, 501)


@dataclass(frozen=True)
class ImageAddress:
    """Where the digest of an image is asked for; ``registry`` is what `docker login` calls the host."""

    registry: str
    host: str
    repository: str
    tag: str


def image_address(image: str) -> ImageAddress:
    """The registry, repository and tag of an image without a digest. Raises ``InputError``."""
    try:
        registry, path = resolve_repository_name(image)
    except (DockerException, IndexError) as error:
        raise _no_name(image) from error
    found = _PATH.fullmatch(path)
    if not found or not _HOST.fullmatch(registry):
        raise _no_name(image)
    return ImageAddress(registry, _HUB if registry == INDEX_NAME else registry, found[1], found[2] or "latest")


def look_up(image: str, login: Login | None) -> str:
    """Return the digest that a pull of ``image`` finds now. Raises ``InputError``.

    Of an image for several platforms it is that of their index. As Docker does, a registry of this machine is asked
    without TLS if it has none.
    """
    address, trusted = image_address(image), certificates()
    with registry_session() as session, _problems(image, address, login):
        try:
            return _digest(_Client(address, login, trusted, session), address.tag)
        except SSLError as error:
            if not _LOOPBACK.fullmatch(address.host) or _is_certificate(error):
                raise
        return _digest(_Client(address, login, trusted, session, insecure=True), address.tag)


class _Client(DXF):
    """The library's client of one repository, with a session of our own."""

    def __init__(
        self,
        address: ImageAddress,
        login: Login | None,
        trusted: str | bool,
        session: Session,
        *,
        insecure: bool = False,
    ) -> None:
        answer = _authenticate(login)
        super().__init__(address.host, address.repository, answer, insecure, tlsverify=trusted, timeout=SECONDS)
        self._sessions = [session]


def _authenticate(login: Login | None) -> Callable[[DXFBase, Response], None]:
    """What answers a registry's challenge: by a token, of whoever is not logged in too, or by the login itself."""
    user, password = (login.user, login.password) if login else (None, None)

    def answer(client: DXFBase, response: Response) -> None:
        client.authenticate(user, password, response=response)

    return answer


def _digest(client: DXF, tag: str) -> str:
    """The digest of a tag; a registry that does not say it is asked for the manifest."""
    try:
        stated, _ = client.head_manifest_and_response(tag)
    except HTTPError as error:
        if error.response is None or error.response.status_code not in _NO_HEAD:
            raise
        stated = None
    if stated is None:
        _, response = client.get_manifest_and_response(tag)
        _require_manifest(response.content)
        stated = hash_bytes(response.content)
        if response.headers.get("Docker-Content-Digest", stated) != stated:
            raise ValueError("the manifest has another digest than the registry says")
    if not _DIGEST.fullmatch(stated):
        raise ValueError(f"{format_value(stated)} is no digest")
    return stated


def _require_manifest(content: bytes) -> None:
    """Raise ``ValueError`` unless it is what images consist of (image-spec, "manifest" and "index")."""
    manifest: Any = json.loads(content)
    if not isinstance(manifest, dict) or manifest.get("schemaVersion") != 2:
        raise ValueError("its answer is no manifest")


@contextmanager
def _problems(image: str, address: ImageAddress, login: Login | None) -> Iterator[None]:
    """What goes wrong as ``InputError``, in words; nothing of what was sent is in them."""
    host = address.host
    hint = f"docker login {address.registry}"
    try:
        yield
    except (DXFUnauthorizedError, DXFAuthInsecureError, HTTPError) as error:
        raise _problem(image, _refusal(error, host, hint, login)) from error
    except SSLError as error:
        message = f"{_asked(error, host)} has no certificate that is trusted; SSL_CERT_FILE names other authorities"
        raise _problem(image, f"{message} ({_reason(error)})") from error
    except (ProxyError, InvalidProxyURL) as error:
        raise _problem(image, f"{host} can't be reached through the proxy that HTTPS_PROXY names") from error
    except Timeout as error:
        raise _problem(image, f"{_asked(error, host)} does not answer within {SECONDS:.0f} seconds") from error
    except UnendingError as error:
        raise _problem(image, f"{host} does not answer as a registry does: {error}") from error
    except UnreachableError as error:
        raise _problem(image, f"{_asked(error, host)} can't be reached: {_reason(error)}") from error
    except (RequestException, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        is_proxy = "SOCKS" in str(error)  # requests says no more (2.34)
        wrong = "HTTPS_PROXY: only http and https proxies are supported"
        raise _problem(image, wrong if is_proxy else f"{host} does not answer as a registry does") from error


def _refusal(error: Exception, host: str, hint: str, login: Login | None) -> str:
    response = error.response if isinstance(error, HTTPError) else None
    status = 401 if response is None else response.status_code
    if isinstance(error, DXFAuthInsecureError):
        return f"{host} asks for a login, and has no HTTPS to send it by"
    if isinstance(error, HTTPError) and (asked := _asked(error, host)) != host and status not in (401, 403):
        return f"{asked}, which gives tokens for {host}, refused: status {status}"
    if status == 404:
        return f"{host} has no such tag" + ("" if login else f", or shows it to others: {hint}")
    if status == 429:
        return f"{host} was asked too often; try again later, or log in: {hint}"
    if status not in (401, 403):
        return f"{host} refused: status {status}"
    if login and login.is_token:
        return f"{host} wants a login, and that of `{hint}` is an identity token, which is not used here"
    return f"{host} refused the login of `{hint}`" if login else f"{host} wants a login, or has no such image: {hint}"


def _asked(error: RequestException, host: str) -> str:
    """The host that was asked: that of the registry, or of who gives its tokens."""
    url = error.request.url if error.request is not None else None
    return urlsplit(url or "").netloc.rpartition("@")[2] or host


def _reason(error: BaseException) -> str:
    """The operating system's or TLS's words for what went wrong."""
    words = (str(cause.strerror) for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror)
    return next(words, type(error).__name__)


def _is_certificate(error: BaseException) -> bool:
    """Whether it is the certificate that TLS failed for."""
    return any(isinstance(cause, SSLCertVerificationError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _no_name(image: str) -> InputError:
    return _problem(image, "must be [HOST/]REPOSITORY[:TAG], of lower-case letters but for the tag")


def _problem(image: str, message: str) -> InputError:
    return InputError([Problem(image, message)])
