"""Unit (pure, files in a folder of their own): which cluster and user a stack's kubeconfig leads to."""

import json
import os
import pwd
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airunway.live.api_server.kubeconfig import Context, name_of, read_context
from airunway.planning.settings import Cluster
from airunway.text.problems import InputError

CA = "LS0tLS1CRUdJTg=="


def cluster(name: str = "c", /, **entry: Any) -> dict[str, Any]:
    return {"name": name, "cluster": {"server": f"https://{name}.example:6443"} | entry}


def user(name: str = "u", /, **entry: Any) -> dict[str, Any]:
    return {"name": name, "user": {"token": f"{name}-token"} | entry}


def context(name: str = "x", cluster: str | None = "c", user: str | None = "u") -> dict[str, Any]:
    return {"name": name, "context": {"cluster": cluster, "user": user}}


def config(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A kubeconfig of ``entries``, told apart by what they hold."""
    parts = {kind: [e for e in entries if kind[:-1] in e] for kind in ("clusters", "users", "contexts")}
    return {"apiVersion": "v1", "kind": "Config", **parts, **more}


WHOLE = config(cluster(), user(), context())


def read(folder: Path, *files: Any, context: str | None = "x") -> Context:
    """The context, of ``files`` as KUBECONFIG lists them."""
    paths = []
    for index, file in enumerate(files):
        paths.append(folder / f"config-{index}")
        paths[-1].write_text(file if isinstance(file, str) else json.dumps(file))
    return read_context(Cluster(context=context), folder, {"KUBECONFIG": os.pathsep.join(map(str, paths))})


def refusal(folder: Path, *files: Any, context: str | None = "x") -> str:
    with pytest.raises(InputError) as raised:
        read(folder, *files, context=context)
    return str(raised.value).replace(f"{folder}/", "")


def test_a_named_context_needs_no_current_one(tmp_path: Path) -> None:
    result = read(tmp_path, WHOLE)
    assert (result.name, result.cluster.server, result.user.token) == ("x", "https://c.example:6443", "u-token")


def test_the_current_context_of_the_environment_does_not_matter(tmp_path: Path) -> None:
    other = config(cluster("d"), user("v"), context("y", "d", "v"), **{"current-context": "y"})
    assert read(tmp_path, other, WHOLE).name == "x"
    (tmp_path / "config").write_text(json.dumps(WHOLE | {"current-context": "x"}))
    with pytest.raises(InputError, match="set context or kubeconfig"):
        read_context(Cluster(), tmp_path, {"KUBECONFIG": str(tmp_path / "config")})


def test_the_first_file_that_has_a_name_wins_whole(tmp_path: Path) -> None:
    first = config(cluster(**{"tls-server-name": "first"}), user())
    second = config(
        cluster(**{"tls-server-name": "second", "proxy-url": "http://second:1"}), user(token="other"), context()
    )
    result = read(tmp_path, first, second)
    assert (result.cluster.tls_server_name, result.cluster.proxy_url, result.user.token) == ("first", None, "u-token")


def test_parts_of_one_context_may_lie_in_several_files_and_missing_ones_are_skipped(tmp_path: Path) -> None:
    for name, part in (("a", config(cluster())), ("b", config(user())), ("c", config(context()))):
        (tmp_path / name).write_text(json.dumps(part))
    listed = os.pathsep.join(str(tmp_path / name) for name in ("gone", "a", "a", "b", "c"))
    assert read_context(Cluster(context="x"), tmp_path, {"KUBECONFIG": f"{listed}{os.pathsep}"}).user.token == "u-token"


@settings(max_examples=25)
@given(st.lists(st.dictionaries(st.sampled_from("xyz"), st.sampled_from("cde")), min_size=1, max_size=4))
def test_merging_is_looking_through_the_files_in_turn(files: list[dict[str, str]]) -> None:
    whole = [cluster(n) for n in "cde"]
    first = {name: to for file in reversed(files) for name, to in file.items()}
    with tempfile.TemporaryDirectory() as folder:
        for name, to in first.items():
            listed = [config(*(context(n, c) for n, c in file.items()), user()) for file in files]
            result = read(Path(folder), *listed, config(*whole), context=name)
            assert result.cluster.server == f"https://{to}.example:6443"


def test_without_kubeconfig_the_one_in_the_home_counts(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(json.dumps(WHOLE))
    assert read_context(Cluster(context="x"), tmp_path, {"HOME": str(tmp_path)}).name == "x"
    assert read_context(Cluster(context="x"), tmp_path, {"HOME": str(tmp_path), "KUBECONFIG": ""}).name == "x"


def test_relative_paths_start_in_the_folder_of_their_own_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    named = {"certificate-authority": "ca.crt"}
    (tmp_path / "one" / "config").write_text(json.dumps(config(cluster(**named), context())))
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "bin/plugin", "interactiveMode": "Never"}
    files = {"client-certificate": "a.crt", "client-key": "/abs/a.key", "tokenFile": "t", "exec": plugin, "token": None}
    (tmp_path / "two" / "config").write_text(json.dumps(config(user(**files))))
    listed = os.pathsep.join(str(tmp_path / name / "config") for name in ("one", "two"))
    result = read_context(Cluster(context="x"), Path("/elsewhere"), {"KUBECONFIG": listed})
    assert result.cluster.certificate_authority == str(tmp_path / "one" / "ca.crt")
    assert (result.user.client_certificate, result.user.client_key) == (str(tmp_path / "two" / "a.crt"), "/abs/a.key")
    assert result.user.token_file == str(tmp_path / "two" / "t")
    assert result.user.exec is not None
    assert result.user.exec.command == str(tmp_path / "two" / "bin" / "plugin")


def test_relative_paths_of_the_setting_start_where_the_provider_runs_or_else_beside_the_file(tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "folder"
    project.mkdir()
    folder.mkdir()
    (folder / "config").write_text(
        json.dumps(config(cluster(**{"certificate-authority": "ca.crt"}), user(), context()))
    )
    named = Cluster(context="x", kubeconfig="../folder/config")
    assert read_context(named, project, {}).cluster.certificate_authority == str(project / ".." / "folder" / "ca.crt")
    (project / "ca.crt").touch()
    assert read_context(named, project, {}).cluster.certificate_authority == str(project / "ca.crt")


def test_a_tilde_in_the_setting_is_the_home_that_the_system_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(json.dumps(WHOLE | {"current-context": "x"}))
    known = pwd.struct_passwd(("me", "x", os.getuid(), os.getgid(), "", str(tmp_path), ""))
    monkeypatch.setattr("pwd.getpwuid", lambda _: known)
    assert read_context(Cluster(kubeconfig="~/config"), Path("/"), {"HOME": "/elsewhere"}).name == "x"


@pytest.mark.parametrize("text", [json.dumps(WHOLE), json.dumps(WHOLE, indent=1), yaml.safe_dump(WHOLE)])
def test_the_setting_may_be_the_text_itself(text: str, tmp_path: Path) -> None:
    assert read_context(Cluster(kubeconfig=text, context="x"), tmp_path, {}).user.token == "u-token"


def test_the_text_itself_is_never_shown(tmp_path: Path) -> None:
    text = json.dumps(config(cluster(), user(token="s3cr3t"), context("y", "gone")))
    for named in (Cluster(kubeconfig=text), Cluster(kubeconfig=text, context="y"), Cluster(kubeconfig=text + "\n")):
        assert "s3cr3t" not in name_of(named)
        with pytest.raises(InputError) as raised:
            read_context(named, tmp_path, {})
        assert "s3cr3t" not in str(raised.value)
        assert "cluster.kubeconfig" in str(raised.value)


def test_with_the_setting_alone_its_current_context_counts(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(json.dumps(WHOLE | {"current-context": "x"}))
    assert read_context(Cluster(kubeconfig=str(file)), tmp_path, {"KUBECONFIG": "/nowhere"}).name == "x"
    file.write_text(json.dumps(WHOLE))
    with pytest.raises(InputError) as raised:
        read_context(Cluster(kubeconfig=str(file)), tmp_path, {})
    expected = "has no current-context, and cluster.context is not set; valid contexts: x"
    assert str(raised.value) == f"cluster {file}: can't be opened: {file}: {expected}"


@pytest.mark.parametrize(
    ("entries", "output"),
    [
        ([cluster(), user(), context("a"), context("xy")], "config-0: no context 'x'; did you mean 'xy'? valid: a, xy"),
        ([cluster(), user(), context("a", "gone")], "config-0: no context 'x'; valid contexts: none"),
        (
            [user(), cluster("d"), context(), context("b", "d")],
            "config-0: context 'x': names cluster 'c', which does not exist; valid contexts: b",
        ),
        (
            [cluster(), context(), context("b", user=None)],
            "config-0: context 'x': names user 'u', which does not exist; valid contexts: b",
        ),
        ([cluster(), user(), context(cluster=None)], "config-0: context 'x': names no cluster; valid contexts: none"),
    ],
)
def test_a_context_that_leads_nowhere_is_told_with_the_valid_ones(
    entries: list[dict[str, Any]], output: str, tmp_path: Path
) -> None:
    assert refusal(tmp_path, config(*entries)) == f"cluster x: can't be opened: {output}"


EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "p", "interactiveMode": "Never"}


@pytest.mark.parametrize(
    ("entry", "output"),
    [
        (cluster(server=None), "has no server"),
        (cluster(server="c.example:6443"), "server: 'c.example:6443' given, must be a URL such as https://HOST:PORT"),
        (cluster(server="https://[::1"), "server: 'https://[::1' given"),
        (
            cluster(**{"certificate-authority": "a", "certificate-authority-data": CA}),
            "certificate-authority and certificate-authority-data",
        ),
        (
            cluster(**{"insecure-skip-tls-verify": True, "certificate-authority": "a"}),
            "insecure-skip-tls-verify and a certificate authority",
        ),
        (cluster(**{"proxy-url": "socks5://p:1"}), "http and https are supported, socks5 is not"),
        (cluster(**{"proxy-url": "p:1"}), "proxy-url: must be a URL such as http://HOST:PORT"),
        (user(username="a"), "token and username are both given"),
        (user(**{"client-certificate": "a"}), "client-key or client-key-data: required"),
        (
            user(**{"client-certificate": "a", "client-certificate-data": CA, "client-key": "k"}),
            "client-certificate-data are both given",
        ),
        (
            user(**{"client-certificate": "a", "client-key": "k", "client-key-data": CA}),
            "client-key and client-key-data are both given",
        ),
        (user(**{"as-groups": ["g"]}), "as: required with as-uid"),
        (user(exec=EXEC | {"command": ""}), "exec.command: required"),
        (
            user(exec=EXEC | {"apiVersion": "client.authentication.k8s.io/v1alpha1"}),
            "valid: client.authentication.k8s.io/v1, client",
        ),
        (
            user(exec=EXEC | {"interactiveMode": None}),
            "exec.interactiveMode: required by client.authentication.k8s.io/v1",
        ),
        (user(exec=EXEC | {"interactiveMode": "never"}), "did you mean 'Never'?"),
        (user(exec=EXEC | {"env": [{"value": "x"}]}), "exec.env: a variable has no name"),
        (user(exec=EXEC, **{"auth-provider": {"name": "oidc"}}), "exec and auth-provider are both given"),
        (
            user(**{"auth-provider": {"name": "gcp"}}),
            "auth-provider: gcp is not supported; use an exec plugin or a token",
        ),
    ],
    ids=str,
)
def test_what_client_go_refuses_is_told_with_its_entry(entry: dict[str, Any], output: str, tmp_path: Path) -> None:
    whole = [e for e in (cluster(), user(), context()) if e.keys() != entry.keys()]
    message = refusal(tmp_path, config(entry, *whole))
    assert message.startswith(
        f"cluster x: can't be opened: config-0: context 'x', {'cluster' if 'cluster' in entry else 'user'} "
    )
    assert output in message
    assert "u-token" not in message


@pytest.mark.parametrize(
    ("file", "output"),
    [
        ("nonsense", "config-1: is not a kubeconfig: must be a map"),
        ("[]", "config-1: is not a kubeconfig: must be a map"),
        ("a: [", "config-1: not YAML"),
        ({"kind": "Secret"}, "config-1: is Secret of None; must be Config of v1"),
        ({"apiVersion": "v2", "kind": "Config"}, "config-1: is Config of v2; must be Config of v1"),
        ({"users": [user(token=4711)]}, "config-1: users[0].user.token: input should be a valid string"),
        (
            {"clusters": [cluster(**{"certificate-authority-data": "%"})]},
            "clusters[0].cluster.certificate-authority-data: must be base64",
        ),
        ({"clusters": {"c": {}}}, "config-1: clusters: input should be a valid list"),
        ({"clusters": [None]}, "config-1: clusters[0]: input should be"),
        ({"users": [user(), user()]}, "config-1: users: u defined twice"),
    ],
    ids=str,
)
def test_a_broken_file_is_an_error_even_where_another_has_the_context(file: Any, output: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, WHOLE, file)
    assert output in message
    assert "4711" not in message


@pytest.mark.parametrize(
    "file",
    ["", "# nothing\n", {"users": None, "contexts": None}, {"users": [{"name": "other", "user": None}]}, {"x": 1}],
    ids=str,
)
def test_a_file_that_adds_nothing_does_no_harm(file: Any, tmp_path: Path) -> None:
    assert read(tmp_path, file, WHOLE).name == "x"


@pytest.mark.parametrize("listed", ["/nowhere/config", "/nowhere/a:/nowhere/b", ":"])
def test_no_file_at_all_is_told(listed: str, tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"cluster x: can't be opened: none of the files in KUBECONFIG exists \(.*\); set KUBECONFIG or",
    ):
        read_context(Cluster(context="x"), tmp_path, {"KUBECONFIG": listed})
    with pytest.raises(InputError, match=r"there is no kubeconfig \(.*/\.kube/config\)"):
        read_context(Cluster(context="x"), tmp_path, {"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("/nowhere/config", "neither an existing file nor"),
        ("a\0b", "cluster.kubeconfig: not YAML"),
        ("/", "/: is a folder"),
    ],
)
def test_a_setting_that_leads_nowhere_is_told(text: str, output: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=output):
        read_context(Cluster(kubeconfig=text, context="x"), tmp_path, {})


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not UTF-8: "):
        read_context(Cluster(context="x"), tmp_path, {"KUBECONFIG": str(tmp_path / "config")})
