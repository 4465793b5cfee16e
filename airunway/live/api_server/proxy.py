"""Which proxy of the environment leads to a server, by the rules of Go's net/http, which kubectl and Pulumi's provider
follow.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from airunway.text.problems import InputError, Problem

_PORTS = {"http": 80, "https": 443}


def environment_proxy(server: str, environment: Mapping[str, str]) -> str | None:
    """The proxy for ``server``, an http or https URL; None where it is reached directly. Raises ``InputError`` for one
    of another kind.
    """
    parts = urlsplit(server)
    name = f"{parts.scheme.upper()}_PROXY"
    proxy = environment.get(name) or environment.get(name.lower())
    excepted = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS[parts.scheme]
    if not proxy or is_loopback(host) or any(_matches(entry, host, port) for entry in excepted.lower().split(",")):
        return None
    url = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(url).scheme not in _PORTS:
        raise InputError(
            [Problem(name, "a proxy of http or https is supported, socks5 is not; NO_PROXY excepts a server")]
        )
    return url


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine, to which no proxy leads."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether an element of NO_PROXY means the server: ``*``, an address, a range, or a domain with all below it."""
    entry = entry.strip()
    if not entry or entry == "*":
        return bool(entry)
    address = _address(host)
    if "/" in entry:
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, number = entry.rpartition(":")
    if colon and number.isdecimal() and _address(entry) is None:
        if int(number) != port:
            return False
        entry = name.strip("[]")
    if address is not None:
        return _address(entry) == address
    domain = entry.removeprefix("*").rstrip(".")
    return host.endswith(domain) if domain.startswith(".") else host == domain or host.endswith(f".{domain}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
