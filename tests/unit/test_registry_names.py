"""Unit (pure, and Docker's own library on files and a helper of the test): which registry an image is asked of, and by
which login.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.image_registry import image_address
from airunway.live.registry_logins import Login, RegistryLogins
from airunway.planning.settings import BUILD_DATA
from airunway.provider.image_references import without_digest
from airunway.text.problems import InputError
from providers import PROVIDERS

SECRET = "only-in-the-file"


@pytest.mark.parametrize(
    ("image", "registry", "host", "repository", "tag"),
    [
        ("vllm/vllm-openai:v0.33.0", "docker.io", "registry-1.docker.io", "vllm/vllm-openai", "v0.33.0"),
        ("docker.io/library/registry:3.1.2", "docker.io", "registry-1.docker.io", "library/registry", "3.1.2"),
        ("registry", "docker.io", "registry-1.docker.io", "registry", "latest"),
        ("index.docker.io/org/x:1", "docker.io", "registry-1.docker.io", "org/x", "1"),
        ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1", "nvcr.io", "nvcr.io", "nvidia/ai-dynamo/vllm-runtime", "1.6.1"),
        ("localhost/x:1", "localhost", "localhost", "x", "1"),
        ("localhost:5000/x", "localhost:5000", "localhost:5000", "x", "latest"),
        (
            "mirror.internal:5000/a/b-c__d.e:V_1.2-x",
            "mirror.internal:5000",
            "mirror.internal:5000",
            "a/b-c__d.e",
            "V_1.2-x",
        ),
        ("[::1]:5000/x:1", "[::1]:5000", "[::1]:5000", "x", "1"),
    ],
)
def test_an_image_names_its_registry_as_docker_reads_it(
    image: str, registry: str, host: str, repository: str, tag: str
) -> None:
    found = image_address(image)
    assert (found.registry, found.host, found.repository, found.tag) == (registry, host, repository, tag)


def test_a_name_without_a_folder_is_docker_hub_s_library() -> None:
    """The client of python-dxf completes it, of which no test can ask Docker Hub itself."""
    from dxf import DXF

    assert DXF(image_address("registry:3").host, "registry")._repo_path == "library/registry/"


@pytest.mark.parametrize(
    "image",
    [
        *("", ":1", "/x", "Org/X:1", "x:", "x:1:2", "https://x.y/z:1", "a//b", "a/../b:1", "x.y/z:1?q=1", "x.y/%2e:1"),
        *("user:password@x.y/z:1", "x y", "-x.y/z", "x.y:port/z", "x.y:1/z#1", f"x:{'a' * 129}", "x.y\\z/a"),
    ],
)
def test_what_is_no_name_of_an_image_is_asked_of_nobody(image: str) -> None:
    with pytest.raises(InputError, match="must be"):
        image_address(image)


@given(st.text(max_size=60))
def test_a_name_is_an_address_or_told(image: str) -> None:
    try:
        found = image_address(image)
    except InputError:
        return
    assert found.host
    assert not set(found.host + found.repository + found.tag) & set("@?#% \\\n")


def test_every_image_that_the_program_names_has_an_address() -> None:
    images = [image for d in PROVIDERS.documents.values() for image in d["spec"].get("images", {}).values()]
    images += [BUILD_DATA[part]["image"] for part in ("registry", "builder")]
    for image in images:
        assert image_address(without_digest(image).replace("{id}", "llama3.2:1b")).tag


def config(folder: Path, monkeypatch: pytest.MonkeyPatch, content: Any) -> RegistryLogins:
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    (folder / "config.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return RegistryLogins()


def encoded(user: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{SECRET}".encode()).decode()}


def test_logins_are_found_by_the_registry_s_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auths = {"https://index.docker.io/v1/": encoded("hub"), "nvcr.io": encoded("$oauthtoken"), "x.io": {}}
    logins = config(tmp_path, monkeypatch, {"auths": auths | {"acr.io": {"identitytoken": SECRET, **encoded("id")}}})
    assert logins.login("docker.io") == Login("hub", SECRET)
    assert logins.login("nvcr.io") == Login("$oauthtoken", SECRET)
    assert logins.login("x.io") is None
    assert logins.login("ghcr.io") is None
    token = logins.login("acr.io")
    assert token
    assert token.is_token
    assert SECRET not in repr(logins.login("nvcr.io"))


def test_without_a_file_nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert RegistryLogins().login("ghcr.io") is None


def test_a_credential_helper_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-tests"
    helper.write_text(f"""#!/bin/sh
read -r server
[ "$server" = ghcr.io ] || {{ echo "credentials not found in native keychain"; exit 1; }}
echo '{{"Username": "me", "Secret": "{SECRET}"}}'
""")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    logins = config(tmp_path, monkeypatch, {"credsStore": "tests"})
    assert logins.login("ghcr.io") == Login("me", SECRET)
    assert logins.login("nvcr.io") is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"credsStore": "absent"}, "the helper is not installed"),
        ({"auths": {"ghcr.io": {"auth": SECRET}}}, "its login can't be read"),
        ({"auths": {"ghcr.io": SECRET}}, "its login can't be read"),
        ({"auths": [SECRET]}, "its login can't be read"),
        ([SECRET], "its login can't be read"),
        (f'"{SECRET}"', "its login can't be read"),
    ],
)
def test_a_login_that_can_t_be_read_is_told_without_it(
    content: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError) as refused:
        config(tmp_path, monkeypatch, content).login("ghcr.io")
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_file_that_is_no_json_has_no_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Docker's library takes it: it may be of an older form."""
    assert config(tmp_path, monkeypatch, "{").login("ghcr.io") is None
