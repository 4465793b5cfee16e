"""TLS settings from a kubeconfig's cluster and user, as client-go (0.36) reads them."""

import ssl
import tempfile

from airunway.live.api_server.credentials import Credentials
from airunway.live.api_server.kubeconfig_entries import ClusterEntry
from airunway.text.bounded_files import UnreadableFileError, read_file
from airunway.text.problems import InputError, Problem


class NamedContext(ssl.SSLContext):
    """Checks the server's certificate against ``name``, if set, instead of the address.

    httpx (0.28) has a setting for this, but ignores it behind a proxy.
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
        """Wrap as the base class does, with ``name``."""
        return super().wrap_bio(incoming, outgoing, server_side, self.name or server_hostname, session)


def tls_context(cluster: ClusterEntry, credentials: Credentials) -> ssl.SSLContext:
    """Create the TLS context for a cluster's server. Raises ``InputError`` for unusable files and certificates.

    If a certificate authority is set, only it is trusted, and it need not be a root.
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
    source = "certificate-authority-data" if cluster.certificate_authority_data else str(cluster.certificate_authority)
    try:
        data = cluster.certificate_authority_data or read_file(source)
        context.load_verify_locations(cadata=data.decode("ascii"))
    except ssl.SSLError as error:
        raise InputError([Problem(source, f"is not a PEM certificate: {error.reason or error}")]) from error
    except UnreadableFileError as error:
        raise InputError([Problem(source, str(error))]) from error
    except ValueError as error:
        raise InputError([Problem(source, "is not a PEM certificate")]) from error


def _identify(context: ssl.SSLContext, credentials: Credentials) -> None:
    """Load the client's certificate through a temporary file, as OpenSSL requires a file."""
    with tempfile.NamedTemporaryFile(prefix="airunway-") as file:
        file.write(credentials.certificate.rstrip() + b"\n" + credentials.key)
        file.flush()
        try:
            # Without this, OpenSSL would prompt for the password of an encrypted key.
            context.load_cert_chain(file.name, password=lambda: "")
        except (ssl.SSLError, ValueError) as error:
            mismatch = "KEY_VALUES_MISMATCH" in str(error)
            reason = (
                "the key does not match the certificate"
                if mismatch
                else "must be a certificate and a key without a password, in PEM"
            )
            raise InputError([Problem("client certificate", f"can't be used: {reason}")]) from error
