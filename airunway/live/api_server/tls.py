"""TLS as a kubeconfig's cluster and user want it, and as client-go (0.36) reads them."""

import ssl
import tempfile
from pathlib import Path

from airunway.live.api_server.credentials import Credentials
from airunway.live.api_server.kubeconfig_entries import ClusterEntry
from airunway.text.problems import InputError, Problem


class NamedContext(ssl.SSLContext):
    """Checks the server's certificate against ``name``, where there is one, instead of the address.

    httpx (0.28) has a setting for that, which it leaves out of account behind a proxy.
    """

    name: str | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As the base does, with the other name."""
        return super().wrap_bio(incoming, outgoing, server_side, self.name or server_hostname, session)


def tls_context(cluster: ClusterEntry, credentials: Credentials) -> ssl.SSLContext:
    """The settings for ``cluster``'s server. Raises ``InputError`` for files and certificates that can't be used.

    A certificate authority that is given is the only one that is trusted, and need not be a root.
    """
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.name = cluster.tls_server_name
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if cluster.insecure_skip_tls_verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif cluster.certificate_authority_data or cluster.certificate_authority:
        _trust(context, cluster)
    else:
        context.load_default_certs()
    if credentials.certificate:
        _identify(context, credentials)
    return context


def _trust(context: ssl.SSLContext, cluster: ClusterEntry) -> None:
    place = "certificate-authority-data" if cluster.certificate_authority_data else str(cluster.certificate_authority)
    try:
        data = cluster.certificate_authority_data or Path(place).read_bytes()
        context.load_verify_locations(cadata=data.decode("ascii"))
    except ssl.SSLError as error:
        raise InputError([Problem(place, f"is no certificate in PEM: {error.reason or error}")]) from error
    except OSError as error:
        raise InputError([Problem(place, f"can't be read: {error.strerror}")]) from error
    except ValueError as error:
        raise InputError([Problem(place, "is no certificate in PEM")]) from error


def _identify(context: ssl.SSLContext, credentials: Credentials) -> None:
    """Load the client's certificate, which OpenSSL takes from a file only; the file is gone afterwards."""
    with tempfile.NamedTemporaryFile(prefix="airunway-") as file:
        file.write(credentials.certificate.rstrip() + b"\n" + credentials.key)
        file.flush()
        try:
            # Without a password OpenSSL would ask on the terminal for that of an encrypted key.
            context.load_cert_chain(file.name, password=lambda: "")
        except (ssl.SSLError, ValueError) as error:
            mismatch = "KEY_VALUES_MISMATCH" in str(error)
            why = (
                "the key is not the certificate's"
                if mismatch
                else "a certificate and a key without a password are wanted, in PEM"
            )
            raise InputError([Problem("client certificate", f"can't be used: {why}")]) from error
