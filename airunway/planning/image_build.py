"""Images built in the cluster: their names, the registry's hosts, and the build Job."""

import re
from dataclasses import dataclass
from typing import Any

from airunway.planning.settings import BUILD_DATA, StackSettings
from airunway.provider import aikit
from airunway.provider.labels import GROUP, MANAGED
from airunway.spec.durations import seconds
from airunway.spec.model import ModelDeploymentSpec
from airunway.text.merge import non_empty
from airunway.text.names import digest, dns_label

NAMESPACE = "airunway-system"
REGISTRY, PUSH_SERVICE, BUILDER = "airunway-registry", "airunway-registry-push", "airunway-builder"
LOGIN_SECRET = "airunway-registry-login"
"""Secret with the generated login of a registry in the cluster."""
PUSH_SECRET, PULL_SECRET = "airunway-registry-push", "airunway-registry-pull"
"""Secrets with the login to an existing registry."""
SOCKET_DIR = "/run/user/1000/buildkit"
"""Folder of the socket in the rootless BuildKit image; 1000 is its user."""

_RESULT = "/run/airunway"
"""Folder in the build's container for what it reports."""
_SCRIPT = f"""\
set -e
buildctl --addr unix://{SOCKET_DIR}/buildkitd.sock build --progress plain --metadata-file {_RESULT}/build.json "$@"
sed -n 's/.*"containerimage.digest": *"\\(sha256:[0-9a-f]*\\)".*/\\1/p' {_RESULT}/build.json > /dev/termination-log
"""
"""Builds, and reports the image's digest as the container's termination message.

buildctl replaces its metadata file by renaming another (0.34.2), which fails for the mounted /dev/termination-log.
"""

_QUANTISATION = re.compile(r"(?:^|[._-])((?:I?Q[0-9]+(?:_[A-Z0-9]+)*)|(?:B?F(?:16|32)))(?=$|[.-])", re.IGNORECASE)


@dataclass(frozen=True)
class Hosts:
    """A registry's host for the builder's pushes and for the nodes' pulls."""

    push: str
    pull: str
    insecure: bool


def hosts(settings: StackSettings) -> Hosts:
    """The hosts of the stack's registry; nodes reach a managed registry through its NodePort on localhost."""
    existing = settings.registry.existing
    if existing:
        return Hosts(existing.host, existing.pull_host or existing.host, existing.insecure)
    managed = settings.registry.managed
    port = (managed.node_port if managed else None) or BUILD_DATA["registry"]["nodePort"]
    return Hosts(f"{PUSH_SERVICE}.{NAMESPACE}.svc:5000", f"localhost:{port}", True)


@dataclass(frozen=True)
class ImageInputs:
    """Everything that determines an image's content."""

    model: str
    file: str
    frontend: str
    context: str
    platform: str
    runtime: str | None
    revision: str | None = None

    @property
    def hash(self) -> str:
        """A hash of the inputs."""
        inputs = [self.model, self.file, self.frontend, self.context, self.platform, self.runtime]
        return digest([*inputs, self.revision] if self.revision else inputs, 12)

    @property
    def repository(self) -> str:
        """``aikit-`` and the model's id, as an OCI repository name (distribution-spec, "pull")."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.model.lower()).strip("-")
        return f"aikit-{slug[:63].rstrip('-') or 'model'}"

    @property
    def tag(self) -> str:
        """The file's quantisation, or ``custom``, and the hash of the inputs."""
        match = _QUANTISATION.search(re.sub(r"\.gguf$", "", self.file, flags=re.IGNORECASE))
        return f"{match[1].upper()[:64] if match else 'custom'}-{self.hash}"

    @property
    def source(self) -> str:
        """The model's source for AIKit's frontend.

        In ``huggingface://OWNER/MODEL/A/B`` it takes A for a branch (read in March 2026).
        """
        if self.revision or "/" in self.file:
            return aikit.file_url(self.model, self.file, self.revision)
        return f"huggingface://{self.model}/{self.file}"


@dataclass(frozen=True)
class PlannedImage:
    """One image to build; ``push`` and ``pull`` are its references."""

    inputs: ImageInputs
    push: str
    pull: str
    insecure: bool
    settings: StackSettings

    @property
    def name(self) -> str:
        """Name of the build; equal inputs give equal names."""
        return dns_label(self.inputs.repository[:40].rstrip("-"), self.inputs.hash)

    @property
    def timeout(self) -> str:
        """Maximum duration of the build, in Go's notation."""
        return str(self.settings.builder.timeout or BUILD_DATA["builder"]["timeout"])

    def job(self) -> dict[str, Any]:
        """The Job that builds and pushes the image.

        It has no ttlSecondsAfterFinished: the finished Job records that the image exists, and if the cluster removed
        it, the image would be built again after the next refresh. Pulumi deletes it once nothing needs the image.
        """
        labels = system_labels("image-build", "restricted")
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": self.name,
                "namespace": NAMESPACE,
                "labels": labels,
                "annotations": {f"{GROUP}/image": self.pull},
            },
            "spec": {
                "backoffLimit": 2,
                "activeDeadlineSeconds": seconds(self.timeout),
                "template": {"metadata": {"labels": labels}, "spec": self._pod()},
            },
        }

    def _pod(self) -> dict[str, Any]:
        login = _push_secret(self.settings)
        secret = {"secretName": login, "items": [{"key": ".dockerconfigjson", "path": "config.json"}]}
        builders = {"labelSelector": {"matchLabels": {"app": BUILDER}}, "topologyKey": "kubernetes.io/hostname"}
        return {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": restricted_pod(),
            # The socket is shared through the builder's volume, so the build runs on the builder's node.
            "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [builders]}},
            "containers": [self._container()],
            "volumes": [
                {"name": "state", "persistentVolumeClaim": {"claimName": BUILDER}},
                *([{"name": "login", "secret": secret}] if login else []),
                {"name": "result", "emptyDir": {}},
            ],
        }

    def _container(self) -> dict[str, Any]:
        mounts: list[dict[str, Any]] = [
            {"name": "state", "mountPath": SOCKET_DIR, "subPath": "socket"},
            {"name": "result", "mountPath": _RESULT},
        ]
        if _push_secret(self.settings):
            mounts.append({"name": "login", "mountPath": "/home/user/.docker", "readOnly": True})
        return {
            "name": "build",
            "image": self.settings.builder.image or BUILD_DATA["builder"]["image"],
            "command": ["sh", "-c", _SCRIPT, "build", *self._build_arguments()],
            "env": [{"name": "DOCKER_CONFIG", "value": "/home/user/.docker"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
            "securityContext": restricted_container(),
            # The digest is the message of a pod that succeeded. The last lines of the log are that of one that failed,
            # which Pulumi shows.
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": mounts,
        }

    def _build_arguments(self) -> list[str]:
        inputs = self.inputs
        options = {
            "source": inputs.frontend,
            "context": inputs.context,
            "platform": inputs.platform,
            "build-arg:model": inputs.source,
            **non_empty(**{"build-arg:runtime": inputs.runtime}),
        }
        insecure = ",registry.insecure=true" if self.insecure else ""
        output = f"type=image,name={self.push},push=true{insecure}"
        return [
            "--frontend",
            "gateway.v0",
            *(word for k, v in options.items() for word in ("--opt", f"{k}={v}")),
            "--output",
            output,
        ]


def plan_image(spec: ModelDeploymentSpec, settings: StackSettings) -> PlannedImage | None:
    """The image to build for ``spec``, if any; equal inputs give equal images."""
    gguf = spec.model.gguf
    if gguf is None or not gguf.build or gguf.file is None:
        return None
    builder, defaults = settings.builder, BUILD_DATA["builder"]
    inputs = ImageInputs(
        model=str(spec.model.id),
        file=gguf.file,
        frontend=builder.frontend or defaults["frontend"],
        context=builder.context or defaults["context"],
        platform=builder.platform or defaults["platform"],
        runtime="cuda" if spec.gpu_count else None,
        revision=spec.model.revision,
    )
    registry = hosts(settings)
    name = f"{inputs.repository}:{inputs.tag}"
    return PlannedImage(inputs, f"{registry.push}/{name}", f"{registry.pull}/{name}", registry.insecure, settings)


def pull_secret(settings: StackSettings) -> str | None:
    """Name of the Secret with which nodes pull built images, if the registry needs a login."""
    return PULL_SECRET if _has_login(settings) else None


def _push_secret(settings: StackSettings) -> str | None:
    """Name of the Secret with the login for pushes, if the registry needs one."""
    if settings.registry.existing is None:
        return LOGIN_SECRET
    return PUSH_SECRET if _has_login(settings) else None


def _has_login(settings: StackSettings) -> bool:
    return settings.registry.existing is not None and settings.registry.existing.username is not None


def system_labels(app: str, pod_security: str) -> dict[str, str]:
    """Labels of shared objects, including the strictest Pod Security level that the object satisfies."""
    return {"app": app, "app.kubernetes.io/name": app, **MANAGED, f"{GROUP}/pod-security": pod_security}


def restricted_pod() -> dict[str, Any]:
    """A pod's securityContext at level restricted, for user 1000."""
    return {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def restricted_container() -> dict[str, Any]:
    """A container's securityContext at level restricted."""
    return {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}
