"""Unit (real processes and files, no server): how a kubeconfig's user logs in, and what credential plugins may do
wrong.
"""

import asyncio
import datetime
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from airunway.live.api_server.credentials import Credentials, credentials_of
from airunway.live.api_server.kubeconfig import Context
from airunway.live.api_server.kubeconfig_entries import ClusterEntry, UserEntry
from airunway.live.api_server.session import headers_of
from airunway.text.problems import InputError

VERSION = "client.authentication.k8s.io/v1"


def login(user: dict[str, Any], **cluster: Any) -> Credentials:
    context = Context(
        "x", ClusterEntry.model_validate({"server": "https://c.example"} | cluster), UserEntry.model_validate(user)
    )
    return asyncio.run(credentials_of(context, os.environ))


def refusal(user: dict[str, Any], **cluster: Any) -> str:
    with pytest.raises(InputError) as raised:
        login(user, **cluster)
    return str(raised.value)


def plugin(folder: Path, body: str, **more: Any) -> dict[str, Any]:
    """A user whose credentials are what the Python program ``body`` prints."""
    program = folder / "plugin"
    program.write_text(f"#!{sys.executable} -S\nimport json, os, sys, time\n{body}\n")
    program.chmod(stat.S_IRWXU)
    return {"exec": {"apiVersion": VERSION, "command": str(program), "interactiveMode": "Never"} | more}


def printing(folder: Path, document: Any, **more: Any) -> dict[str, Any]:
    return plugin(folder, f"print({json.dumps(document)!r})", **more)


def credential(version: str = VERSION, **status: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": "ExecCredential", "status": status}


def telling(folder: Path, expression: str, **more: Any) -> dict[str, Any]:
    """A user whose token is what ``expression`` says in the plugin."""
    document = f"{{'apiVersion': {VERSION!r}, 'kind': 'ExecCredential', 'status': {{'token': {expression}}}}}"
    return plugin(folder, f"print(json.dumps({document}))", **more)


def test_a_plugin_gets_its_arguments_its_environment_and_what_it_is_asked(tmp_path: Path) -> None:
    expression = (
        "json.dumps([sys.argv[1:], os.environ['MINE'], os.environ['HOME'],"
        " json.loads(os.environ['KUBERNETES_EXEC_INFO'])])"
    )
    entry = telling(tmp_path, expression, args=["get-token", "--cluster=a b"], env=[{"name": "MINE", "value": "set"}])
    asked = {"apiVersion": VERSION, "kind": "ExecCredential", "spec": {"interactive": False}}
    assert json.loads(login(entry).token) == [["get-token", "--cluster=a b"], "set", os.environ["HOME"], asked]


def test_a_plugin_that_wants_to_know_the_cluster_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("CA")
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "me"}}
    more = {"certificate-authority": str(tmp_path / "ca.crt"), "tls-server-name": "n", "extensions": [extension]}
    entry = telling(
        tmp_path,
        "json.dumps(json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']['cluster'])",
        provideClusterInfo=True,
    )
    expected = {
        "server": "https://c.example",
        "tls-server-name": "n",
        "certificate-authority-data": "Q0E=",
        "config": {"audience": "me"},
    }
    assert json.loads(login(entry, **more).token) == expected


def test_a_plugin_gives_a_certificate_and_when_it_ends(tmp_path: Path) -> None:
    document = credential(clientCertificateData="CERT", clientKeyData="KEY", expirationTimestamp="2020-01-02T03:04:05Z")
    result = login(printing(tmp_path, document))
    assert (result.certificate, result.key, result.token, result.expired) == (b"CERT", b"KEY", "", True)
    assert result.expires == datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


@pytest.mark.parametrize("expires", [None, "2999-01-01T00:00:00Z"])
def test_credentials_count_until_they_end(expires: str | None, tmp_path: Path) -> None:
    assert not login(printing(tmp_path, credential(token="t", expirationTimestamp=expires))).expired


def test_the_older_version_needs_no_interactive_mode(tmp_path: Path) -> None:
    version = "client.authentication.k8s.io/v1beta1"
    entry = printing(tmp_path, credential(version, token="t"), apiVersion=version, interactiveMode=None)
    assert login(entry).token == "t"


@pytest.mark.parametrize(
    ("document", "output"),
    [
        ([], "printed no valid ExecCredential: input should be"),
        (None, "printed no valid ExecCredential: input should be"),
        ({}, "printed no valid ExecCredential: apiVersion: field required"),
        (credential() | {"status": None}, "printed no valid ExecCredential: status: input should be"),
        (credential(), "printed neither a token nor a certificate with its key"),
        (credential(token=""), "printed neither a token nor a certificate with its key"),
        (credential(token=4711), "printed no valid ExecCredential: status.token: input should be a valid string"),
        (credential(clientCertificateData="C"), "printed neither a token nor a certificate with its key"),
        (credential(token="s3cr3t", clientKeyData="K"), "printed a certificate or a key without the other"),
        (credential(token="s3cr3t", expirationTimestamp="soon"), "printed an invalid expirationTimestamp"),
        (
            credential(token="s3cr3t", expirationTimestamp="2020-01-01T00:00:00"),
            "printed an expirationTimestamp without a time zone",
        ),
        (
            credential("client.authentication.k8s.io/v1beta1", token="s3cr3t"),
            f"v1beta1; must be ExecCredential of {VERSION}",
        ),
        (credential(token="s3cr3t") | {"kind": "Secret"}, f"printed Secret of {VERSION}"),
    ],
    ids=str,
)
def test_what_is_no_credential_is_told_without_what_it_says(document: Any, output: str, tmp_path: Path) -> None:
    message = refusal(printing(tmp_path, document))
    assert message.startswith("credential plugin plugin: ")
    assert output in message
    assert "s3cr3t" not in message
    assert "4711" not in message


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ("sys.exit(3)", "failed with status 3"),
        ("os.kill(os.getpid(), 9)", "failed with status -9"),
        ("print('s3cr3t')", "printed no valid ExecCredential: it is not JSON"),
        ("sys.stdout.buffer.write(b'\\xff')", "printed no valid ExecCredential: it is not JSON"),
        ("print('[' * 100000)", "printed no valid ExecCredential: it is not JSON"),
        ("pass", "printed no valid ExecCredential: it is not JSON"),
    ],
)
def test_a_plugin_that_fails_is_told(body: str, output: str, tmp_path: Path) -> None:
    assert refusal(plugin(tmp_path, body)) == f"credential plugin plugin: {output}"


def test_a_plugin_that_is_missing_is_told_with_its_own_hint() -> None:
    entry = {
        "apiVersion": VERSION,
        "command": "airunway-no-such-plugin",
        "interactiveMode": "Never",
        "installHint": "brew install\n it",
    }
    assert (
        refusal({"exec": entry})
        == "credential plugin airunway-no-such-plugin: does not exist, or is not on PATH; brew install it"
    )
    assert (
        refusal({"exec": entry | {"command": "/"}})
        == "credential plugin : can't be run: [Errno 13] Permission denied: '/'; brew install it"
    )


@pytest.mark.parametrize(
    "body", ["time.sleep(60)", "import subprocess; subprocess.Popen(['sleep', '5']); time.sleep(60)"]
)
def test_a_plugin_that_does_not_end_is_ended(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airunway.live.api_server.credentials._PLUGIN_SECONDS", 0.3)
    started = time.monotonic()
    assert "did not end within 0.3 seconds" in refusal(plugin(tmp_path, body))
    assert time.monotonic() - started < 4


def test_a_plugin_that_writes_without_measure_is_told(tmp_path: Path) -> None:
    body = "for _ in range(40): sys.stdout.write('x' * (1 << 20))"
    assert "wrote more than 16,777,216 bytes, the most that is read" in refusal(plugin(tmp_path, body))


def test_a_plugin_that_does_not_stop_writing_is_ended_before_the_disk_is_full(tmp_path: Path) -> None:
    body = "while True: sys.stdout.write('x' * (1 << 20)); sys.stdout.flush(); time.sleep(0.001)"
    started = time.monotonic()
    assert "wrote more than 16,777,216 bytes, the most that is read" in refusal(plugin(tmp_path, body))
    assert time.monotonic() - started < 10


def test_a_plugin_that_must_ask_wants_a_terminal(tmp_path: Path) -> None:
    assert "needs a terminal" in refusal(printing(tmp_path, credential(token="t"), interactiveMode="Always"))


def test_a_plugin_is_not_run_where_there_is_another_way_to_log_in(tmp_path: Path) -> None:
    assert login(plugin(tmp_path, "sys.exit(1)") | {"token": "t"}).token == "t"


def test_a_token_in_a_file_goes_before_the_one_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("new\n")
    assert login({"token": "old", "tokenFile": str(file)}).token == "new"
    file.unlink()
    assert login({"token": "old", "tokenFile": str(file)}).token == "old"
    assert refusal({"tokenFile": str(file)}) == f"{file}: can't be read: No such file or directory"
    file.write_bytes(b"\xff")
    assert "is not a token" in refusal({"tokenFile": str(file)})


@pytest.mark.parametrize("field", ["tokenFile", "client-certificate"])
def test_a_file_that_never_ends_is_refused_at_once(field: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/zero"):
        assert refusal({field: path}) == f"{path}: is not a regular file"


def test_nothing_is_sent_over_plain_http(tmp_path: Path) -> None:
    user = {"token": "t", "client-certificate": "/nowhere", "client-key": "/nowhere"} | plugin(tmp_path, "sys.exit(1)")
    assert login(user, server="http://c.example") == Credentials()


def test_an_oidc_token_is_taken_as_it_is() -> None:
    assert login({"auth-provider": {"name": "oidc", "config": {"id-token": "t"}}}).token == "t"


def headers(user: dict[str, Any], credentials: Credentials) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for name, value in headers_of(credentials, UserEntry.model_validate(user)):
        result.setdefault(name.decode(), []).append(value.decode())
    return result


def test_requests_say_who_asks_and_as_whom() -> None:
    extra = {"a/b c": ["1", "2"]}
    user = {"as": "jörg", "as-uid": "7", "as-groups": ["g", "h"], "as-user-extra": extra}
    assert headers(user, Credentials(token="t")) == {
        "Authorization": ["Bearer t"],
        "Impersonate-User": ["jörg"],
        "Impersonate-Uid": ["7"],
        "Impersonate-Group": ["g", "h"],
        "Impersonate-Extra-a%2Fb%20c": ["1", "2"],
    }
    assert headers({}, login({"username": "u", "password": "p"})) == {"Authorization": ["Basic dTpw"]}


def test_a_token_that_no_header_can_hold_is_told_but_not_shown() -> None:
    with pytest.raises(InputError) as raised:
        headers({}, Credentials(token="s3cr3t\nX-Other: 1"))
    assert str(raised.value) == "the user's token: has characters that are invalid in a header"
    assert "s3cr3t" not in repr(Credentials(token="s3cr3t", key=b"s3cr3t"))
