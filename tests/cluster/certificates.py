"""A certificate authority of the tests' own, for accounts that log in by certificate."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates, all in PEM."""

    def __init__(self, name: str) -> None:
        self._key, self._name = (
            ec.generate_private_key(ec.SECP256R1()),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        )
        self.certificate = self._signed(self._name, self._key.public_key(), days=1, authority=True)

    def signed(self, user: str, group: str, *, days: float = 1, password: bytes | None = None) -> tuple[bytes, bytes]:
        """Certificate and key of ``user``, who is in ``group``; ``days`` below 0 are gone by."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group), x509.NameAttribute(NameOID.COMMON_NAME, user)]
        )
        kind = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kind)
        return self._signed(subject, key.public_key(), days=days), private

    def serving(self, *names: str) -> tuple[bytes, bytes]:
        """Certificate and key of a server that is called ``names``."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._signed(subject, key.public_key(), days=1, names=alternatives), private

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        days: float,
        authority: bool = False,
        names: x509.SubjectAlternativeName | None = None,
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        begins, ends = now - datetime.timedelta(days=2), now + datetime.timedelta(days=days)
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number(), begins, ends)
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        builder = builder.add_extension(names, critical=False) if names else builder
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
