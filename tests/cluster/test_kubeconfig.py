"""Cluster (real kube-apiserver and kubectl): a kubeconfig leads where kubectl goes with it, and fails where kubectl
fails.
"""

import asyncio
import base64
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from airunway.live.api_server.connection import Connection, ForbiddenError, connect
from airunway.planning.settings import Cluster as Settings
from airunway.text.problems import InputError
from tests.cluster.apiserver import ADMIN, Cluster
from tests.cluster.connect_proxy import connect_proxy
from tests.cluster.stacks import until

VERSION = "client.authentication.k8s.io/v1"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def authority(cluster: Cluster) -> bytes:
    return Path(str(cluster.session.verify)).read_bytes()


def write(path: Path, cluster: Cluster, of_cluster: dict[str, Any], of_user: dict[str, Any], **more: Any) -> Path:
    """A kubeconfig without current context, whose context ``x`` leads to the API server; a value of None is left
    out.
    """
    entries = [
        {"server": cluster.url, "certificate-authority-data": base64.b64encode(authority(cluster)).decode()}
        | of_cluster,
        {"token": ADMIN} | of_user,
    ]
    remaining = [{key: value for key, value in entry.items() if value is not None} for entry in entries]
    config = {
        "clusters": [{"name": "c", "cluster": remaining[0]}],
        "users": [{"name": "u", "user": remaining[1]}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(config | more))
    return path


def kubectl(listed: str, context: str = "x") -> bool:
    """Whether kubectl can list namespaces."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not on PATH")
    environment = os.environ | {"KUBECONFIG": listed}
    command = [program, "--context", context, "--request-timeout", "10s", "get", "namespaces"]
    return (
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60).returncode
        == 0
    )


async def _names(settings: Settings) -> list[str]:
    async with connect(settings, Path("/")) as connection:
        return [item["metadata"]["name"] for item in await connection.items("v1", "Namespace") or []]


def ours(settings: Settings) -> str:
    """What is wrong, or nothing where namespaces can be listed."""
    try:
        assert "default" in asyncio.run(_names(settings))
    except (InputError, ForbiddenError) as error:
        return str(error) or "?"
    return ""


def both(listed: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is wrong for us, of which kubectl says the same."""
    monkeypatch.setenv("KUBECONFIG", listed)
    output = ours(Settings(context="x"))
    assert kubectl(listed) == (not output), output
    return output


@pytest.mark.parametrize(
    ("of_cluster", "of_user", "output"),
    [
        ({}, {}, ""),
        ({"certificate-authority-data": None}, {}, "can't be reached"),
        ({"certificate-authority-data": None, "insecure-skip-tls-verify": True}, {}, ""),
        ({"insecure-skip-tls-verify": True}, {}, "insecure-skip-tls-verify and a certificate authority are both given"),
        ({"insecure-skip-tls-verify": False}, {}, ""),
        (
            {"certificate-authority": "ca.crt"},
            {},
            "certificate-authority and certificate-authority-data are both given",
        ),
        ({"certificate-authority": "ca.crt", "certificate-authority-data": None}, {}, ""),
        ({"certificate-authority": "gone.crt", "certificate-authority-data": None}, {}, "gone.crt: can't be read"),
        ({"certificate-authority-data": "eA=="}, {}, "is not a PEM certificate"),
        ({"tls-server-name": "kubernetes"}, {}, ""),
        ({"tls-server-name": "other.example"}, {}, "can't be reached"),
        ({"server": "https://localhost:PORT"}, {}, "can't be reached"),
        ({"server": "https://localhost:PORT", "tls-server-name": "kubernetes.default"}, {}, ""),
        ({"server": "https://127.0.0.1:PORT/"}, {}, ""),
        ({"server": "http://127.0.0.1:PORT"}, {}, "400 Bad Request"),
        ({"server": "127.0.0.1:PORT"}, {}, "must be a URL such as https://HOST:PORT"),
        ({"server": ""}, {}, "has no server"),
        ({"proxy-url": "http://127.0.0.1:1"}, {}, "can't be reached"),
        ({"proxy-url": "ftp://127.0.0.1:1"}, {}, "proxy-url: must be a URL such as"),
        ({}, {"token": "wrong"}, "refused the credentials: 401 Unauthorized"),
        ({}, {"token": 7}, "users[0].user.token: input should be a valid string"),
        ({}, {"token": None}, "403 Forbidden"),
        ({}, {"token": None, "tokenFile": "token"}, ""),
        ({}, {"token": None, "tokenFile": "gone"}, "gone: can't be read"),
        ({}, {"tokenFile": "gone"}, ""),
        ({}, {"token": "wrong", "tokenFile": "token"}, ""),
        ({}, {"token": None, "username": "u", "password": "p"}, "403 Forbidden"),
        ({}, {"username": "u"}, "token and username are both given"),
        ({}, {"as": "somebody"}, "403 Forbidden"),
        ({}, {"as": "somebody", "as-groups": ["system:masters"], "as-user-extra": {"a/b": ["c"]}}, ""),
        ({}, {"as-groups": ["system:masters"]}, "as: required"),
        ({}, {"token": None, "client-certificate": "user.crt", "client-key": "user.key"}, ""),
        (
            {},
            {"token": None, "client-certificate": "user.crt", "client-key": "other.key"},
            "the key does not match the certificate",
        ),
        ({}, {"token": None, "client-certificate": "user.crt", "client-key": "locked.key"}, "a key without a password"),
        ({}, {"token": None, "client-certificate": "user.crt"}, "client-key or client-key-data: required"),
        ({}, {"token": None, "client-certificate": "past.crt", "client-key": "past.key"}, "401 Unauthorized"),
        ({}, {"token": None, "client-certificate": "plain.crt", "client-key": "plain.key"}, "403 Forbidden"),
        (
            {},
            {
                "token": None,
                "exec": {"apiVersion": VERSION, "command": "./plugin", "args": ["good"], "interactiveMode": "Never"},
            },
            "",
        ),
        (
            {},
            {
                "token": None,
                "exec": {"apiVersion": VERSION, "command": "./plugin", "args": ["bad"], "interactiveMode": "Never"},
            },
            "401",
        ),
        (
            {},
            {
                "token": None,
                "exec": {"apiVersion": VERSION, "command": "./plugin", "args": ["fail"], "interactiveMode": "Never"},
            },
            "failed",
        ),
        (
            {},
            {"token": None, "exec": {"apiVersion": VERSION, "command": "./plugin", "args": ["good"]}},
            "exec.interactiveMode: required",
        ),
        (
            {},
            {"token": None, "exec": {"apiVersion": VERSION, "command": "no-such-plugin", "interactiveMode": "Never"}},
            "not on PATH",
        ),
        ({}, {"token": None, "auth-provider": {"name": "gcp"}}, "auth-provider: gcp is not supported"),
    ],
    ids=lambda value: str(value)[:70],
)
def test_one_entry_counts_as_it_does_for_kubectl(
    of_cluster: dict[str, Any],
    of_user: dict[str, Any],
    output: str,
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "ca.crt").write_bytes(authority(cluster))
    (tmp_path / "token").write_text(f"{ADMIN}\n")
    for name, group, days, password in (
        ("user", "system:masters", 1, None),
        ("other", "none", 1, None),
        ("plain", "none", 1, None),
        ("locked", "none", 1, b"secret"),
        ("past", "system:masters", -1, None),
    ):
        certificate, key = cluster.authority.signed(name, group, days=days, password=password)
        (tmp_path / f"{name}.crt").write_bytes(certificate)
        (tmp_path / f"{name}.key").write_bytes(key)
    plugin(tmp_path, f"token = {{'good': {ADMIN!r}, 'bad': 'wrong'}}[sys.argv[1]]")
    if "server" in of_cluster:
        of_cluster = of_cluster | {"server": of_cluster["server"].replace("PORT", str(cluster.port))}
    result = both(str(write(tmp_path / "config", cluster, of_cluster, of_user)), monkeypatch)
    assert output in result
    assert bool(output) == bool(result)
    assert ADMIN not in result


def plugin(folder: Path, body: str) -> Path:
    """A credential plugin that gives ``token``, or ``status`` where ``body`` sets that, and counts how often it is
    run.
    """
    program = folder / "plugin"
    lines = [
        "#!" + sys.executable,
        "import json, sys",
        f"open({str(folder / 'runs')!r}, 'a').write('x')",
        "status = None",
        body,
    ]
    lines += [
        f"print(json.dumps({{'apiVersion': {VERSION!r}, 'kind': 'ExecCredential', 'status': status or {{'token':"
        " token}}))"
    ]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(stat.S_IRWXU)
    return program


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text())


def test_files_are_merged_as_kubectl_merges_them(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = write(tmp_path / "good", cluster, {}, {})
    bad = write(tmp_path / "bad", cluster, {}, {"token": "wrong"})
    whole = json.loads(good.read_text())
    for name in ("clusters", "users", "contexts"):
        (tmp_path / name).write_text(json.dumps({name: whole[name], "current-context": "none"}))
    parts = [str(tmp_path / name) for name in ("contexts", "users", "clusters")]
    (tmp_path / "broken").write_text("nonsense")
    (tmp_path / "null").write_text("users: null\ncontexts:\n")
    (tmp_path / "empty").touch()
    assert both(f"{good}:{bad}", monkeypatch) == ""
    assert "401" in both(f"{bad}:{good}", monkeypatch)
    assert both(f"{tmp_path}/gone:{':'.join(parts)}::{tmp_path}/null:{tmp_path}/empty", monkeypatch) == ""
    assert "names cluster 'c', which does not exist" in both(":".join(parts[:2]), monkeypatch)
    assert "no context 'x'" in both(":".join(parts[1:]), monkeypatch)
    assert "is not a kubeconfig" in both(f"{good}:{tmp_path}/broken", monkeypatch)
    assert "none of the files in KUBECONFIG exists" in both(f"{tmp_path}/gone", monkeypatch)


def test_a_proxy_is_taken_and_the_server_is_still_checked(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy() as proxy:
        through = {"proxy-url": proxy.url, "server": f"https://localhost:{cluster.port}"}
        assert "can't be reached" in both(str(write(tmp_path / "a", cluster, through, {})), monkeypatch)
        assert (
            both(str(write(tmp_path / "b", cluster, through | {"tls-server-name": "kubernetes"}, {})), monkeypatch)
            == ""
        )
        assert set(proxy.asked) == {f"localhost:{cluster.port}"}
        count = len(proxy.asked)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert both(str(write(tmp_path / "c", cluster, {}, {})), monkeypatch) == ""
        assert len(proxy.asked) == count, "loopback is reached directly"


@pytest.mark.parametrize("by", ["path", "text"])
def test_the_setting_may_be_a_path_or_the_text(by: str, cluster: Cluster, tmp_path: Path) -> None:
    path = write(tmp_path / "config", cluster, {}, {})
    setting = str(path) if by == "path" else path.read_text()
    assert ours(Settings(kubeconfig=setting, context="x")) == ""
    assert "has no current-context" in ours(Settings(kubeconfig=setting))
    path = write(tmp_path / "config", cluster, {}, {}, **{"current-context": "x"})
    assert ours(Settings(kubeconfig=str(path) if by == "path" else path.read_text())) == ""


def exec_user(folder: Path) -> dict[str, Any]:
    return {
        "token": None,
        "exec": {"apiVersion": VERSION, "command": str(folder / "plugin"), "interactiveMode": "Never"},
    }


def reading(settings: Settings, *between: Any) -> None:
    """List namespaces on one connection, once more after each of ``between``."""

    async def read() -> None:
        async with connect(settings, Path("/")) as connection:
            await connection.items("v1", "Namespace")
            for act in between:
                await asyncio.to_thread(act)
                await _several(connection)

    asyncio.run(read())


async def _several(connection: Connection) -> None:
    lists = await asyncio.gather(*(connection.items("v1", "Namespace") for _ in range(5)))
    assert all(lists)


def code(cluster: Cluster, token: str) -> int:
    """How the API server answers a list of namespaces for the token."""
    return cluster.session.get(
        f"{cluster.url}/api/v1/namespaces", headers={"Authorization": f"Bearer {token}"}
    ).status_code


def test_a_token_that_the_server_refuses_meanwhile_is_renewed_once(cluster: Cluster, tmp_path: Path) -> None:
    cluster.namespace("renew")
    token = tmp_path / "token"
    plugin(tmp_path, f"token = open({str(token)!r}).read()")
    rbac, group = "/apis/rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}]
    cluster.send("POST", f"{rbac}/clusterroles", {"metadata": {"name": "renew"}, "rules": rules})
    binding = {"metadata": {"name": "renew"}, "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "renew"}}
    subjects = [{"kind": "Group", "apiGroup": group, "name": "system:serviceaccounts:renew"}]
    cluster.send("POST", f"{rbac}/clusterrolebindings", binding | {"subjects": subjects})
    first, second = f"first-{time.time_ns()}", f"second-{time.time_ns()}"
    token.write_text(cluster.token_for("renew", first))

    def refused() -> None:
        old = token.read_text()
        token.write_text(cluster.token_for("renew", second))
        cluster.send("DELETE", f"/api/v1/namespaces/renew/serviceaccounts/{first}")
        # The API server remembers a good token for ten seconds.
        until(lambda: code(cluster, old) == 401)

    try:
        until(lambda: code(cluster, token.read_text()) == 200)
        settings = Settings(kubeconfig=str(write(tmp_path / "config", cluster, {}, exec_user(tmp_path))), context="x")
        reading(settings, lambda: None, refused)
        assert runs(tmp_path) == 2
    finally:
        cluster.send("DELETE", f"{rbac}/clusterrolebindings/renew")
        cluster.send("DELETE", f"{rbac}/clusterroles/renew")


def test_credentials_that_say_when_they_end_are_renewed_then_and_not_before(cluster: Cluster, tmp_path: Path) -> None:
    first, second = (cluster.authority.signed(name, "system:masters") for name in ("one", "two"))
    pairs = [(c.decode(), k.decode()) for c, k in (first, second)]
    body = f"""
import datetime, os
index = min(os.path.getsize({str(tmp_path / "runs")!r}), 2) - 1
end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=[1, 3600][index])
certificate, key = {pairs!r}[index]
status = {{"clientCertificateData": certificate, "clientKeyData": key, "expirationTimestamp": end.isoformat()}}"""
    plugin(tmp_path, body)
    settings = Settings(kubeconfig=str(write(tmp_path / "config", cluster, {}, exec_user(tmp_path))), context="x")
    reading(settings, lambda: None, lambda: time.sleep(1.2), lambda: None)
    assert runs(tmp_path) == 2


def test_no_file_with_a_key_is_left_behind(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    certificate, key = (base64.b64encode(part).decode() for part in cluster.authority.signed("user", "system:masters"))
    user = {"token": None, "client-certificate-data": certificate, "client-key-data": key}
    assert both(str(write(tmp_path / "config", cluster, {}, user)), monkeypatch) == ""
    assert list((tmp_path / "tmp").iterdir()) == []
