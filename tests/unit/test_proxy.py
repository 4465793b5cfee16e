"""Unit (pure): which proxy of the environment leads to an API server; the cases are those of Go's httpproxy package."""

import pytest

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
    with pytest.raises(InputError, match="HTTPS_PROXY: a proxy of http or https is supported, socks5 is not"):
        environment_proxy("https://a.example", {"HTTPS_PROXY": "socks5://p:1"})
