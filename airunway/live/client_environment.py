"""What of the environment an HTTP client can't be made with: certificates and proxies."""

from collections.abc import Iterator
from contextlib import contextmanager

from airunway.text.problems import InputError, Problem


@contextmanager
def environment_as_input(invalid_url: type[Exception]) -> Iterator[None]:
    """Raise ``InputError`` where making a client fails; ``invalid_url`` is what its library raises for a proxy."""
    try:
        yield
    except OSError as error:
        raise InputError(
            [Problem("SSL_CERT_FILE", f"has no certificates that can be read: {error.strerror}")]
        ) from error
    except (invalid_url, ValueError, ImportError) as error:  # ImportError: what only socks proxies need
        raise InputError([Problem("HTTPS_PROXY", "only http and https proxies are supported")]) from error
