"""Credentials of a kubeconfig's user: a token, a certificate, a password, or a credential plugin's output.

Plugins are run as client-go 0.36 does (plugin/pkg/client/auth/exec/exec.go, API client.authentication.k8s.io).
"""

import asyncio
import base64
import datetime
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from pydantic import Field, ValidationError

from airunway.live.api_server.kubeconfig import Context
from airunway.live.api_server.kubeconfig_entries import ClusterEntry, Entry, ExecEntry, Secret
from airunway.text.bounded_files import MAX_TEXT, UnreadableFileError, read_file
from airunway.text.problems import InputError, Problem, dotted_field

_PLUGIN_SECONDS = 120
"""Timeout of a plugin that is not interactive."""
_LOOK_SECONDS = 0.1
"""How often it is looked at how much a plugin has written."""
_TOO_MUCH = f"wrote more than {MAX_TEXT:,} bytes, the most that is read"


@dataclass(frozen=True)
class Credentials:
    """Credentials for requests; certificate and key are PEM, ``expires`` is None if unknown."""

    token: str = field(default="", repr=False)
    basic: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires: datetime.datetime | None = None

    @property
    def expired(self) -> bool:
        """Whether they are known to have expired."""
        return self.expires is not None and datetime.datetime.now(datetime.UTC) >= self.expires


class _Status(Entry):
    token: Secret = None
    certificate: Secret = Field(None, alias="clientCertificateData")
    key: Secret = Field(None, alias="clientKeyData")
    expires: str | None = Field(None, alias="expirationTimestamp")


class _ExecCredential(Entry):
    api_version: str = Field(alias="apiVersion")
    kind: str
    status: _Status


async def credentials_of(context: Context, environment: Mapping[str, str]) -> Credentials:
    """Read the credentials of the context's user from files or a plugin. Raises ``InputError``.

    Like client-go, it returns none for a server without https.
    """
    user = context.user
    if not (context.cluster.server or "").startswith("https:"):
        return Credentials()
    certificate = user.client_certificate_data or _read_bytes(user.client_certificate)
    key = user.client_key_data or _read_bytes(user.client_key)
    basic = f"{user.username or ''}:{user.password or ''}" if user.username or user.password else ""
    token = _token(user.token, user.token_file)
    if user.auth_provider:
        # Not refreshed: kubectl does that.
        token = token or (user.auth_provider.config or {}).get("id-token", "")
    if user.exec and not (token or basic or certificate):
        return await _from_plugin(user.exec, context.cluster, environment)
    return Credentials(token, basic, certificate, key)


def _token(token: str | None, file: str | None) -> str:
    """Return the token; a token file takes precedence, as it may be newer."""
    try:
        return _read_bytes(file).decode("ascii").strip() or token or ""
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(file), "is not a token: it is not ASCII text")]) from error
    except InputError:
        if token:
            return token
        raise


def _read_bytes(path: str | None) -> bytes:
    try:
        return read_file(path) if path else b""
    except UnreadableFileError as error:
        raise InputError([Problem(str(path), str(error))]) from error


async def _from_plugin(plugin: ExecEntry, cluster: ClusterEntry, environment: Mapping[str, str]) -> Credentials:
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if plugin.mode == "Always" and not terminal:
        raise _failed(plugin, "needs a terminal, but standard input is not one")
    interactive = terminal and plugin.mode != "Never"
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster_info(cluster)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    plugin_environment = {variable.name: variable.value or "" for variable in plugin.env or []}
    output = await _run_plugin(
        plugin, {**environment, **plugin_environment, "KUBERNETES_EXEC_INFO": json.dumps(info)}, interactive=interactive
    )
    return _parse_output(plugin, output)


async def _run_plugin(plugin: ExecEntry, environment: Mapping[str, str], *, interactive: bool) -> bytes:
    """Run the plugin and return its output; standard error is passed through, as in kubectl."""
    with tempfile.TemporaryFile() as output:  # a pipe would stay open in processes that the plugin leaves running
        try:
            stdin = None if interactive else asyncio.subprocess.DEVNULL
            process = await asyncio.create_subprocess_exec(
                plugin.command, *(plugin.args or []), env=environment, stdin=stdin, stdout=output
            )
        except (OSError, ValueError) as error:
            hint = f"; {' '.join(plugin.install_hint.split())}" if plugin.install_hint else ""
            reason = (
                "does not exist, or is not on PATH"
                if isinstance(error, FileNotFoundError)
                else f"can't be run: {error}"
            )
            raise _failed(plugin, reason + hint) from error
        try:
            async with asyncio.timeout(None if interactive else _PLUGIN_SECONDS):
                status = await _end_of(process, plugin, output)
        except TimeoutError as error:
            raise _failed(plugin, f"did not end within {_PLUGIN_SECONDS} seconds") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if status:
            raise _failed(plugin, f"failed with status {status}")
        output.seek(0)
        answer = output.read(MAX_TEXT + 1)
        if len(answer) > MAX_TEXT:
            raise _failed(plugin, _TOO_MUCH)
        return answer


async def _end_of(process: asyncio.subprocess.Process, plugin: ExecEntry, output: IO[bytes]) -> int:
    """The status with which the plugin ends. Raises ``InputError`` once it has written more than is read."""
    waiting = asyncio.ensure_future(process.wait())
    try:
        while not waiting.done():
            await asyncio.wait([waiting], timeout=_LOOK_SECONDS)
            if os.fstat(output.fileno()).st_size > MAX_TEXT:
                raise _failed(plugin, _TOO_MUCH)
        return waiting.result()
    finally:
        waiting.cancel()


def _cluster_info(cluster: ClusterEntry) -> dict[str, Any]:
    authority = cluster.certificate_authority_data or _read_bytes(cluster.certificate_authority)
    extensions = {str(e.get("name")): e.get("extension") for e in cluster.extensions or []}
    values = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(authority).decode(),
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression,
        "config": extensions.get("client.authentication.k8s.io/exec"),
    }
    return {key: value for key, value in values.items() if value}


def _parse_output(plugin: ExecEntry, output: bytes) -> Credentials:
    """Parse the ExecCredential that the plugin printed; errors never quote it, as it is secret."""
    try:
        document = json.loads(output)
        credential = _ExecCredential.model_validate(document)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        problem = Problem(dotted_field(detail["loc"]), f"{detail['msg'][0].lower()}{detail['msg'][1:]}")
        raise _failed(plugin, f"printed no valid ExecCredential: {problem}") from None
    except (ValueError, RecursionError):
        raise _failed(plugin, "printed no valid ExecCredential: it is not JSON") from None
    status = credential.status
    if (credential.kind, credential.api_version) != ("ExecCredential", plugin.api_version):
        raise _failed(
            plugin,
            f"printed {credential.kind} of {credential.api_version}; must be ExecCredential of {plugin.api_version}",
        )
    if not status.token and not (status.certificate and status.key):
        raise _failed(plugin, "printed neither a token nor a certificate with its key")
    if bool(status.certificate) != bool(status.key):
        raise _failed(plugin, "printed a certificate or a key without the other")
    try:
        expires = datetime.datetime.fromisoformat(status.expires) if status.expires else None
    except ValueError:
        raise _failed(plugin, "printed an invalid expirationTimestamp") from None
    if expires is not None and expires.tzinfo is None:
        raise _failed(plugin, "printed an expirationTimestamp without a time zone")
    return Credentials(
        status.token or "", "", (status.certificate or "").encode(), (status.key or "").encode(), expires
    )


def _failed(plugin: ExecEntry, reason: str) -> InputError:
    return InputError([Problem(f"credential plugin {os.path.basename(plugin.command)}", reason)])
