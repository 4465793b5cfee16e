"""Unit (pure): which proxy of the environment leads to an API server; the cases are those of Go's httpproxy package."""

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airunway.live.api_server.proxy import environment_proxy
from airunway.text.problems import InputError

PROXY = {"HTTPS_PROXY": "http://proxy:3128"}


@pytest.mark.parametrize(
    ("server", "excepted"),
    [
        ("https://localhost:6443", ""),
        ("https://127.0.0.1:6443", ""),
        ("https://127.9.9.9", ""),
        ("https://[::1]:6443", ""),
        ("https://api.example", "*"),
        ("https://api.example", "other, api.example"),
        ("https://API.example", "api.EXAMPLE"),
        ("https://api.example:6443", "example"),
        ("https://api.example:6443", ".example"),
        ("https://api.example:6443", "*.example"),
        ("https://api.example:6443", "api.example:6443"),
        ("https://api.example", "api.example:443"),
        ("https://10.1.2.3:6443", "10.0.0.0/8"),
        ("https://10.1.2.3:6443", "10.1.2.3"),
        ("https://10.1.2.3:6443", "10.1.2.3:6443"),
        ("https://[fd00::1]:6443", "fd00::/8"),
        ("https://[fd00::1]:6443", "[fd00::1]:6443"),
        ("https://[fd00::1]:6443", "fd00::1"),
    ],
)
def test_the_server_is_reached_directly(server: str, excepted: str) -> None:
    assert environment_proxy(server, PROXY | {"NO_PROXY": excepted}) is None


@pytest.mark.parametrize(
    ("server", "excepted"),
    [
        ("https://api.example", ""),
        ("https://api.example", "api.example.org, xample, api.example:6443,,"),
        ("https://example", ".example"),
        ("https://notexample", "example"),
        ("https://10.1.2.3", "10.1.3.0/30, 1.2.3, 0.1.2.3"),
        ("https://10.1.2.3", "10.0.0.0/99"),
        ("https://10.1.2.3.nip.io", "10.0.0.0/8"),
    ],
)
def test_the_server_is_reached_by_the_proxy(server: str, excepted: str) -> None:
    assert environment_proxy(server, PROXY | {"no_proxy": excepted}) == "http://proxy:3128"


def test_the_scheme_of_the_server_chooses_the_variable() -> None:
    environment = {"http_proxy": "plain:1", "https_proxy": "https://secure:2", "ALL_PROXY": "http://all:3"}
    assert environment_proxy("http://a.example", environment) == "http://plain:1"
    assert environment_proxy("https://a.example", environment) == "https://secure:2"
    assert environment_proxy("https://a.example", {"ALL_PROXY": "http://all:3", "HTTPS_PROXY": ""}) is None


def test_a_proxy_of_another_kind_is_told() -> None:
    with pytest.raises(InputError, match="HTTPS_PROXY: only http and https proxies are supported"):
        environment_proxy("https://a.example", {"HTTPS_PROXY": "socks5://p:1"})


labels = st.text("abcz09-", min_size=1, max_size=6).filter(lambda label: label.strip("-") == label)
hosts = (
    st.lists(labels, min_size=2, max_size=4).map(".".join).filter(lambda host: not host.rpartition(".")[2].isdigit())
)
ports = st.integers(1, 65535)


def direct(host: str, excepted: str, port: int = 6443) -> bool:
    return environment_proxy(f"https://{host}:{port}", PROXY | {"NO_PROXY": excepted}) is None


@given(hosts, labels)
def test_a_domain_excepts_itself_and_all_below_it_and_nothing_beside_it(domain: str, label: str) -> None:
    for entry in (domain, f"  {domain} ", domain.upper(), f"{domain}.", f"x,{domain},y"):
        assert direct(domain, entry)
        assert direct(f"{label}.{domain}", entry)
        assert not direct(f"{label}x{domain}", entry)
        assert not direct(f"{domain}.elsewhere", entry)
    for entry in (f".{domain}", f"*.{domain}"):
        assert not direct(domain, entry)
        assert direct(f"{label}.{domain}", entry)
        assert not direct(f"{label}x{domain}", entry)


@given(hosts, ports, ports)
def test_a_port_excepts_that_port_only(host: str, port: int, other: int) -> None:
    assert direct(host, f"{host}:{port}", port)
    assert direct(host, f"{host}:{port}", other) == (port == other)


@given(st.ip_addresses(), st.integers(0, 128))
def test_a_range_excepts_the_addresses_in_it(address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int) -> None:
    assume(not address.is_loopback)
    size = min(bits, address.max_prefixlen)
    network = ipaddress.ip_network(f"{address}/{size}", strict=False)
    host = f"[{address}]" if address.version == 6 else str(address)
    assert direct(host, str(network))
    assert direct(host, f"{address}/{size}")
    assert direct(host, str(address))
    beyond = int(network.broadcast_address) + 1
    if beyond < 2**address.max_prefixlen:
        neighbour = type(address)(beyond)
        assume(not neighbour.is_loopback)
        assert not direct(f"[{neighbour}]" if neighbour.version == 6 else str(neighbour), str(network))


@given(hosts, st.text(st.sampled_from("ab.*:/[]0129 ,x\u00e9"), max_size=20))
def test_whatever_stands_in_no_proxy_nothing_is_raised(host: str, excepted: str) -> None:
    assert direct(host, excepted) in (True, False)
    assert direct(host, f"{excepted},*")
    assert direct(host, f"{excepted},{host}")


@given(st.sampled_from(["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "LOCALHOST", "localhost."]), ports)
def test_this_machine_needs_no_proxy(host: str, port: int) -> None:
    assert direct(host, "", port)


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("proxy:3128", "http://proxy:3128"),
        ("http://proxy", "http://proxy"),
        ("https://user:word@proxy:1", "https://user:word@proxy:1"),
        ("HTTP://proxy", "HTTP://proxy"),
        ("user:word@proxy:3128", "http://user:word@proxy:3128"),
    ],
)
def test_a_proxy_is_named_with_or_without_a_scheme(value: str, url: str) -> None:
    assert environment_proxy("https://a.example", {"https_proxy": value}) == url


@pytest.mark.parametrize("value", ["socks5://p:1", "socks5h://user:hidden@p", "ftp://p", "://p"])
def test_what_is_refused_shows_no_password(value: str) -> None:
    with pytest.raises(InputError, match="only http and https proxies are supported; set NO_PROXY") as raised:
        environment_proxy("https://a.example", {"HTTPS_PROXY": value})
    assert "hidden" not in str(raised.value)
    assert environment_proxy("https://a.example", {"HTTPS_PROXY": value, "NO_PROXY": "a.example"}) is None
