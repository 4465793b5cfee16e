"""Select the environment's proxy for a server by the rules of Go's net/http, as kubectl and Pulumi's provider do."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from airunway.text.problems import InputError, Problem

_PORTS = {"http": 80, "https": 443}


def environment_proxy(server: str, environment: Mapping[str, str]) -> str | None:
    """Return the proxy URL for ``server``, or None. Raises ``InputError`` for a proxy that is not http or https."""
    parts = urlsplit(server)
    name = f"{parts.scheme.upper()}_PROXY"
    proxy = environment.get(name) or environment.get(name.lower())
    exceptions = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS[parts.scheme]
    if not proxy or is_loopback(host) or any(_matches(entry, host, port) for entry in exceptions.lower().split(",")):
        return None
    url = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(url).scheme not in _PORTS:
        raise InputError(
            [Problem(name, "only http and https proxies are supported; set NO_PROXY to connect without a proxy")]
        )
    return url


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine, which is never accessed through a proxy."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _matches(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY matches: ``*``, an address, a range, or a domain with its subdomains."""
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
