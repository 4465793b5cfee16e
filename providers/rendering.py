"""What every renderer shares: the deployment handed to it, what it hands back, labels, environment, refusals, overrides."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from providers.problems import InputError, Problem
from providers.provider_config import API_GROUPS, InferenceProviderConfig
from providers.selection import Selection
from providers.spec import GPU_RESOURCE, ModelDeploymentSpec

GROUP = API_GROUPS[0]
"""Prefix of our own labels."""

MANAGED = {f"{GROUP}/managed-by": "airunway"}
"""Label of everything that a stack creates."""

TOKEN_KEY = "HF_TOKEN"
"""Key of a token Secret and name of the variable that engines read (huggingface_hub)."""


IMAGE = frozenset({"engine.image", "image"})
"""The leaves of which ``Deployment.image`` is one."""

POD_METADATA = frozenset({"podTemplate.metadata.labels", "podTemplate.metadata.annotations"})
"""The leaves for the metadata of pods."""


WHOLE = frozenset({"scaling.replicas", "resources.gpu.count", "resources.gpu.type", "resources.cpu", "resources.memory"})
"""The leaves that size an aggregated deployment's workers."""

PARTS = frozenset(
    {
        *(f"scaling.{role}.{leaf}" for role in ("prefill", "decode") for leaf in ("replicas", "gpu.count", "gpu.type", "memory")),
        *("resources.cpu", "resources.memory"),
    }
)
"""The leaves that size a disaggregated deployment's workers; ``resources`` is for those that name none of their own."""

NOT_WHOLE = {"scaling.replicas": "prefill and decode have replicas of their own"}
NOT_GGUF = {"model.gguf": "GGUF files are for engine llamacpp"}


@dataclass(frozen=True)
class Deployment:
    """A checked deployment with its decision; ``token_secret`` is the Secret that holds its Hugging Face token, if any.

    ``built_image`` is the image that the stack builds for it, as nodes pull it, with ``pull_secret`` if that takes a login.
    """

    name: str
    namespace: str
    spec: ModelDeploymentSpec
    selection: Selection
    config: InferenceProviderConfig
    token_secret: str | None = None
    built_image: str | None = None
    pull_secret: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every object that serves this deployment."""
        return {
            **MANAGED,
            f"{GROUP}/deployment": self.name,
            f"{GROUP}/engine-type": str(self.selection.engine),
            f"{GROUP}/model-source": str(self.spec.model.source),
        }

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata of the upstream object."""
        return {"name": self.name, "namespace": self.namespace, "labels": self.labels}

    def image(self, role: str) -> str:
        """The image asked for, else the provider's for ``role``."""
        return self.spec.container_image or self.config.spec.images[role]


@dataclass(frozen=True)
class Endpoint:
    """A Service that speaks the OpenAI API under ``/v1``."""

    service: str
    port: int

    def url(self, namespace: str) -> str:
        """Base URL inside the cluster."""
        host = f"{self.service}.{namespace}.svc"
        return f"http://{host}/v1" if self.port == 80 else f"http://{host}:{self.port}/v1"


@dataclass(frozen=True)
class Objects:
    """The upstream object, and what must exist before it."""

    resource: dict[str, Any]
    supporting: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """The object as it is created, what must exist before it, how to tell that it serves, and what can't be changed in place.

    ``wait_for`` is in the grammar of the ``pulumi.com/waitFor`` annotation; ``immutable`` are paths in ``resource``.
    """

    resource: dict[str, Any]
    endpoint: Endpoint
    wait_for: str
    immutable: tuple[str, ...]
    supporting: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass
class Refusals:
    """Collects the values that a provider can't honour, so that all of them are reported at once."""

    provider: str
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, given: object, path: str, why: str) -> None:
        """Note ``path`` as a problem if something was ``given`` there."""
        if given:
            self.problems.append(Problem(path, f"provider {self.provider} can't honour this: {why}"))

    def done(self, more: Iterable[Problem] = ()) -> None:
        """Raise ``InputError`` if anything was refused."""
        problems = [*self.problems, *more]
        if problems:
            raise InputError(problems)


ENVIRONMENT = frozenset({"env[].name", "env[].value", "env[].valueFrom", "secrets.huggingFaceToken"})
"""The leaves that ``environment`` renders."""


def environment(deployment: Deployment, *, token: bool = True) -> list[dict[str, Any]]:
    """The containers' ``env``: the user's entries, then the token from its Secret unless the user set it."""
    env = [v.model_dump(by_alias=True, exclude_none=True) for v in deployment.spec.env]
    if token and deployment.token_secret and all(v["name"] != TOKEN_KEY for v in env):
        env.append({"name": TOKEN_KEY, "valueFrom": {"secretKeyRef": {"name": deployment.token_secret, "key": TOKEN_KEY}}})
    return env


SCHEDULING = frozenset({"nodeSelector", *(f"tolerations[].{name}" for name in ("key", "operator", "value", "effect", "tolerationSeconds"))})
"""The leaves that ``scheduling`` renders."""


def scheduling(spec: ModelDeploymentSpec) -> dict[str, Any]:
    """``nodeSelector`` and ``tolerations`` of a pod spec, where given."""
    tolerations = [t.model_dump(by_alias=True, exclude_none=True) for t in spec.tolerations]
    return given(nodeSelector=dict(spec.node_selector), tolerations=tolerations)


def given(**fields: Any) -> dict[str, Any]:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, {}, [], "")}


def quantities(count: int, kind: str, cpu: str | None, memory: str | None) -> dict[str, str]:
    """A ``limits`` map of a container."""
    gpu = {kind: str(count)} if count else {}
    return gpu | given(cpu=cpu, memory=memory)


def digest(value: Any, length: int = 8) -> str:
    """A short hash of plain data, the same in every run."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:length]


def name_of(*parts: str, limit: int = 63) -> str:
    """``parts`` joined to a DNS label of at most ``limit`` characters; whatever is cut or replaced is told apart by a hash."""
    wanted = "-".join(parts)
    slug = re.sub(r"[^a-z0-9-]+", "-", wanted.lower()).strip("-")
    if slug == wanted and len(slug) <= limit:
        return slug
    suffix = digest(wanted)
    return f"{slug[: limit - len(suffix) - 1].rstrip('-')}-{suffix}".lstrip("-")


__all__ = ["GPU_RESOURCE", "GROUP", "TOKEN_KEY", "Deployment", "Endpoint", "Objects", "Refusals", "Rendered"]
