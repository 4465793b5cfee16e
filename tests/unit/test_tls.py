"""Unit (real OpenSSL, both ends in memory; certificates made here): whom a kubeconfig's cluster trusts, and how its
user is known.
"""

import base64
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from airunway.live.api_server.credentials import Credentials
from airunway.live.api_server.kubeconfig_entries import ClusterEntry
from airunway.live.api_server.tls import tls_context
from airunway.text.problems import InputError
from tests.cluster.certificates import Authority

OURS, OTHERS = Authority("ours"), Authority("others")
SERVER = OURS.serving("api.example", "other.example")
NOBODY = Credentials()


def written(folder: Path, certificate: tuple[bytes, bytes]) -> str:
    path = folder / "pair.pem"
    path.write_bytes(certificate[0] + certificate[1])
    return str(path)


def cluster(**fields: Any) -> ClusterEntry:
    return ClusterEntry.model_validate(
        {"server": "https://api.example:6443"} | {k.replace("_", "-"): v for k, v in fields.items()}
    )


def trusting(authority: Authority, **fields: Any) -> ClusterEntry:
    return cluster(certificate_authority_data=base64.b64encode(authority.certificate).decode(), **fields)


def handshake(client: ssl.SSLContext, folder: Path, name: str = "api.example", asks: Authority | None = None) -> Any:
    """The client's certificate as the server sees it, once both agree. Raises ``ssl.SSLError``."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(written(folder, SERVER))
    if asks:
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(cadata=asks.certificate.decode())
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    pending = [True, True]
    for _ in range(10):
        for index, end in enumerate(ends):
            if pending[index]:
                try:
                    end.do_handshake()
                    pending[index] = False
                except ssl.SSLWantReadError:
                    pass
    assert pending == [False, False]
    return ends[1].getpeercert()


def test_a_server_is_trusted_by_the_authority_that_is_given(tmp_path: Path) -> None:
    handshake(tls_context(trusting(OURS), NOBODY), tmp_path)
    (tmp_path / "ca.pem").write_bytes(OURS.certificate)
    handshake(tls_context(cluster(certificate_authority=str(tmp_path / "ca.pem")), NOBODY), tmp_path)


def test_no_other_authority_is_trusted(tmp_path: Path) -> None:
    for entry in (trusting(OTHERS), cluster()):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(tls_context(entry, NOBODY), tmp_path)


def test_an_authority_need_not_be_a_root(tmp_path: Path) -> None:
    handshake(tls_context(cluster(certificate_authority_data=base64.b64encode(SERVER[0]).decode()), NOBODY), tmp_path)


def test_a_server_of_another_name_is_refused_unless_that_name_is_given(tmp_path: Path) -> None:
    for name in ("elsewhere.example", "10.0.0.1"):
        with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname|IP address"):
            handshake(tls_context(trusting(OURS), NOBODY), tmp_path, name)
        handshake(tls_context(trusting(OURS, tls_server_name="other.example"), NOBODY), tmp_path, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls_context(trusting(OURS, tls_server_name="wrong.example"), NOBODY), tmp_path)


def test_what_is_not_to_be_verified_is_not(tmp_path: Path) -> None:
    handshake(tls_context(cluster(insecure_skip_tls_verify=True), NOBODY), tmp_path, "elsewhere.example")


def test_a_user_is_known_by_certificate(tmp_path: Path) -> None:
    certificate, key = OURS.signed("me", "team")
    observed = handshake(
        tls_context(trusting(OURS), Credentials(certificate=certificate, key=key)), tmp_path, asks=OURS
    )
    assert dict(pair for part in observed["subject"] for pair in part) == {
        "organizationName": "team",
        "commonName": "me",
    }


@pytest.mark.parametrize("days", [-1.0, None])
def test_a_certificate_that_the_server_does_not_take_is_its_refusal(days: float | None, tmp_path: Path) -> None:
    certificate, key = OURS.signed("me", "team", days=days) if days else OTHERS.signed("me", "team")
    with pytest.raises(ssl.SSLError):
        handshake(tls_context(trusting(OURS), Credentials(certificate=certificate, key=key)), tmp_path, asks=OURS)


def pairs() -> dict[str, tuple[bytes, bytes, str]]:
    """What is no certificate with its key, and what is said of it."""
    certificate, key = OURS.signed("me", "team")
    locked = OURS.signed("me", "team", password=b"secret")
    expected = "must be a certificate and a key without a password, in PEM"
    return {
        "another key": (certificate, OURS.signed("you", "team")[1], "the key does not match the certificate"),
        "no key": (certificate, b"", expected),
        "a key with a password": (*locked, expected),
        "only a key": (b"x", key, expected),
        "text": (b"hello", b"world", expected),
        "bytes": (b"\x00\xff", b"\xff\x00", expected),
        "cut": (certificate[:200], key, expected),
    }


@pytest.mark.parametrize("case", pairs())
def test_what_is_no_pair_is_refused_without_a_word_of_it(case: str, tmp_path: Path) -> None:
    certificate, key, output = pairs()[case]
    with pytest.raises(InputError) as raised:
        tls_context(trusting(OURS), Credentials(certificate=certificate, key=key))
    assert str(raised.value) == f"client certificate: can't be used: {output}"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        OURS.signed("a", "b")[1],
    ],
)
def test_what_is_no_authority_is_refused_with_its_file(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"ca\.pem: is not a PEM certificate"):
        tls_context(cluster(certificate_authority=str(path)), NOBODY)


def test_an_authority_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.pem: can't be read: No such file"):
        tls_context(cluster(certificate_authority=str(tmp_path / "gone.pem")), NOBODY)
    with pytest.raises(InputError, match="is a folder"):
        tls_context(cluster(certificate_authority=str(tmp_path)), NOBODY)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: is not a regular file"):
        tls_context(cluster(certificate_authority=str(tmp_path / "pipe")), NOBODY)
