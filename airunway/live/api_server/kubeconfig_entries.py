"""The entries of a kubeconfig, with client-go's fields (0.36, tools/clientcmd/api/v1), and their validation."""

import base64
import binascii
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from airunway.text.problems import suggest_name

EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_MODES = ("Always", "IfAvailable", "Never")


def _decode_base64(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("must be base64") from error


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _empty_for_none(value: Any) -> Any:
    return {} if value is None else value


Data = Annotated[bytes | None, BeforeValidator(_decode_base64), Field(repr=False)]
Secret = Annotated[str | None, Field(repr=False)]


class Entry(BaseModel):
    """Base of all entries: unknown keys are ignored, as in client-go, and values are not coerced."""

    model_config = ConfigDict(
        alias_generator=lambda name: name.replace("_", "-"),
        extra="ignore",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
    )


class ClusterEntry(Entry):
    """An API server's address and TLS settings."""

    server: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str | None = None
    certificate_authority_data: Data = None
    proxy_url: str | None = None
    disable_compression: bool | None = None
    extensions: list[dict[str, Any]] | None = None

    def problems(self) -> Iterator[str]:
        """Yield what client-go would refuse, and what is not supported."""
        if not self.server:
            yield "has no server"
        elif not _is_url(self.server):
            yield f"server: '{self.server}' given, must be a URL such as https://HOST:PORT"
        if self.certificate_authority and self.certificate_authority_data:
            yield "certificate-authority and certificate-authority-data are both given; give one of the two"
        if self.insecure_skip_tls_verify and (self.certificate_authority or self.certificate_authority_data):
            yield "insecure-skip-tls-verify and a certificate authority are both given; give one of the two"
        # client-go supports socks5 too, for which httpx would need another dependency.
        if self.proxy_url and not _is_url(self.proxy_url):
            yield "proxy-url: must be a URL such as http://HOST:PORT; http and https are supported, socks5 is not"


class EnvVar(Entry):
    """One variable of a credential plugin's environment."""

    name: str = ""
    value: Secret = None


class ExecEntry(Entry):
    """A credential plugin."""

    command: str = ""
    args: Annotated[list[str] | None, Field(repr=False)] = None
    env: list[EnvVar] | None = None
    api_version: str = Field("", alias="apiVersion")
    install_hint: str | None = Field(None, alias="installHint")
    provide_cluster_info: bool | None = Field(None, alias="provideClusterInfo")
    interactive_mode: str | None = Field(None, alias="interactiveMode")

    @property
    def mode(self) -> str:
        """Whether the plugin gets standard input: Never, IfAvailable or Always."""
        return self.interactive_mode or "IfAvailable"

    def problems(self) -> Iterator[str]:
        """Yield what client-go would refuse."""
        if not self.command:
            yield "exec.command: required, but not given"
        if self.api_version not in EXEC_VERSIONS:
            yield f"exec.apiVersion: '{self.api_version}' given, {suggest_name(self.api_version, EXEC_VERSIONS)}"
        elif not self.interactive_mode and self.api_version == EXEC_VERSIONS[0]:
            yield f"exec.interactiveMode: required by {self.api_version}, but not given; valid: {', '.join(_MODES)}"
        if self.mode not in _MODES:
            yield f"exec.interactiveMode: '{self.mode}' given, {suggest_name(self.mode, _MODES)}"
        if any(not variable.name for variable in self.env or []):
            yield "exec.env: a variable has no name"


class AuthProviderEntry(Entry):
    """A credential provider built into clients."""

    name: str = ""
    config: Annotated[dict[str, str] | None, Field(repr=False)] = None


class UserEntry(Entry):
    """A user's credentials: one kind, but a client certificate may be combined with a token."""

    token: Secret = None
    token_file: str | None = Field(None, alias="tokenFile")
    client_certificate: str | None = None
    client_certificate_data: Data = None
    client_key: str | None = None
    client_key_data: Data = None
    username: str | None = None
    password: Secret = None
    impersonated: str | None = Field(None, alias="as")
    impersonated_uid: str | None = Field(None, alias="as-uid")
    impersonated_groups: list[str] | None = Field(None, alias="as-groups")
    impersonated_extra: dict[str, list[str]] | None = Field(None, alias="as-user-extra")
    exec: ExecEntry | None = None
    auth_provider: AuthProviderEntry | None = None

    @property
    def has_certificate(self) -> bool:
        """Whether a client certificate is set."""
        return bool(self.client_certificate or self.client_certificate_data)

    def problems(self) -> Iterator[str]:
        """Yield what client-go would refuse, and what is not supported."""
        if self.token and (self.username or self.password):
            yield "token and username are both given; give one of the two"
        if self.client_certificate and self.client_certificate_data:
            yield "client-certificate and client-certificate-data are both given; give one of the two"
        if self.has_certificate and self.client_key and self.client_key_data:
            yield "client-key and client-key-data are both given; give one of the two"
        if self.has_certificate and not (self.client_key or self.client_key_data):
            yield "client-key or client-key-data: required with a client certificate, but not given"
        if (self.impersonated_uid or self.impersonated_groups or self.impersonated_extra) and not self.impersonated:
            yield "as: required with as-uid, as-groups or as-user-extra, but not given"
        if self.exec and self.auth_provider:
            yield "exec and auth-provider are both given; give one of the two"
        if self.exec:
            yield from self.exec.problems()
        if self.auth_provider and not (
            self.auth_provider.name == "oidc" and (self.auth_provider.config or {}).get("id-token")
        ):
            yield (
                f"auth-provider: {self.auth_provider.name or 'without a name'} is not supported; use an exec plugin"
                " or a token"
            )


class ContextEntry(Entry):
    """Names of a cluster and a user."""

    cluster: str | None = None
    user: str | None = None


class NamedCluster(Entry):
    """An element of ``clusters``."""

    name: str = ""
    entry: Annotated[ClusterEntry, BeforeValidator(_empty_for_none), Field(alias="cluster")] = ClusterEntry()


class NamedUser(Entry):
    """An element of ``users``."""

    name: str = ""
    entry: Annotated[UserEntry, BeforeValidator(_empty_for_none), Field(alias="user")] = UserEntry()


class NamedContext(Entry):
    """An element of ``contexts``."""

    name: str = ""
    entry: Annotated[ContextEntry, BeforeValidator(_empty_for_none), Field(alias="context")] = ContextEntry()


class KubeconfigFile(Entry):
    """One file."""

    api_version: str | None = Field(None, alias="apiVersion")
    kind: str | None = None
    current_context: str | None = None
    clusters: list[NamedCluster] | None = None
    users: list[NamedUser] | None = None
    contexts: list[NamedContext] | None = None
