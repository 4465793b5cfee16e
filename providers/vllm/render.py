"""vLLM without an operator: a Deployment that runs ``vllm serve``, and its Service.

Upstream facts: vLLM 0.33.0, the flags of its parser, and ``/health``, which answers once the model is loaded.
"""

from collections.abc import Mapping
from typing import Any

from airunway.provider.contract import NameLimit, SupportedFields
from airunway.provider.engine_args import ARGUMENT_FIELDS
from airunway.provider.labels import GROUP
from airunway.provider.pods import (
    AGGREGATED_FIELDS,
    ENVIRONMENT_FIELDS,
    GGUF_REASONS,
    IMAGE_FIELDS,
    NO_API_TOKEN,
    NO_ESCALATION,
    POD_METADATA_FIELDS,
    SCHEDULING_FIELDS,
    environment,
    pod_template,
    quantities,
    scheduling,
)
from airunway.provider.request import Endpoint, Objects, Request
from airunway.provider.storage import STORAGE_FIELDS, cache_environment, mounted_volumes, pod_volumes, volume_mounts
from airunway.provider.supported_fields import Refusals
from airunway.provider.workers import refuse_unknown_models
from airunway.spec.model import GPU_RESOURCE, Engine, Mode
from airunway.text.merge import non_empty
from providers.vllm import cache
from providers.vllm.arguments import PORT, CommandLine, command_line
from providers.vllm.reader import COMMAND

NAME = "vllm"
API_VERSION, KIND = "apps/v1", "Deployment"
OLDER_API_VERSIONS: tuple[str, ...] = ()
SELECTOR: Mapping[str, str] = {f"{GROUP}/provider": NAME}
_FIELDS = frozenset(
    {
        "model.source",
        *ARGUMENT_FIELDS,
        *IMAGE_FIELDS,
        *ENVIRONMENT_FIELDS,
        *POD_METADATA_FIELDS,
        *SCHEDULING_FIELDS,
        *AGGREGATED_FIELDS,
        *STORAGE_FIELDS,
    }
)
SUPPORTED: Mapping[Engine, Mapping[Mode, SupportedFields]] = {
    Engine.VLLM: {Mode.AGGREGATED: SupportedFields(_FIELDS, GGUF_REASONS)}
}
OPERATOR_DEFAULTS: Mapping[str, Any] = {}
REPLACE_ON_CHANGES: tuple[str, ...] = ("spec.selector",)
_PERIOD = 10


def name_limit(request: Request) -> NameLimit:
    """The limit for a Deployment's name, the same for all."""
    return NameLimit(63, "its Service has that name, and its pods a label with it")


def endpoint(name: str) -> Endpoint:
    """The Service of the Deployment of that name."""
    return Endpoint(name, PORT)


def render(request: Request) -> Objects:
    """The Deployment and the Service for ``request``. Raises ``InputError`` for values that vLLM can't honour."""
    spec = request.spec
    refusals = Refusals(NAME)
    refuse_unknown_models(refusals, spec, "vLLM")
    pods = _pod_selector(request)
    for label in sorted(pods.keys() & spec.pod_template.metadata.labels.keys()):
        refusals.refuse(True, "podTemplate.metadata.labels", f"the Service selects its pods by {label}")
    line = command_line(spec, request.image(str(Engine.VLLM)))
    load, pull = (_seconds(request, name, refusals) for name in ("loadSeconds", "pullSeconds"))
    cache.check(request, refusals)
    cache.check_volumes(request, refusals)
    refusals.raise_if_any(line.problems)
    deployment = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": request.metadata,
        "spec": {
            "replicas": spec.scaling.replicas,
            "selector": {"matchLabels": pods},
            # The default of ten minutes is too short: many models take longer to load.
            "progressDeadlineSeconds": load + pull,
            # Rendered even if it is the default: an override to type Recreate can remove it only if we own it.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": cache.rolling_update(request)},
            "template": _template(request, line, load),
        },
    }
    return Objects(deployment, (_service(request), *cache.claim(request)), tuple(line.warnings))


def _pod_selector(request: Request) -> dict[str, str]:
    """Labels that select the pods, but not those of another provider under the same name."""
    return {f"{GROUP}/deployment": request.name, **SELECTOR}


def _seconds(request: Request, name: str, refusals: Refusals) -> int:
    text = request.config.spec.defaults.get(name, "")
    number = int(text) if text.isdecimal() and len(text) < 7 else 0
    reason = f"{text!r} given, must be a number of seconds, such as 3600"
    refusals.refuse(number < _PERIOD, f"providers.{NAME}.spec.defaults.{name}", reason)
    return number


def _service(request: Request) -> dict[str, Any]:
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": request.metadata,
        "spec": {"selector": _pod_selector(request), "ports": ports},
    }


def _template(request: Request, line: CommandLine, load: int) -> dict[str, Any]:
    pod = {
        **NO_API_TOKEN,
        "containers": [_container(request, line, load)],
        # A Service called vllm would set VLLM_PORT in its pods to a URL, which vLLM would read as its port.
        "enableServiceLinks": False,
        # The processes of one replica use shared memory, of which a container has only 64Mi by default.
        "volumes": [
            {
                "name": "shm",
                "emptyDir": {"medium": "Memory", "sizeLimit": request.config.spec.defaults["sharedMemory"]},
            },
            *cache.volume(request),
            *pod_volumes(mounted_volumes(request)),
        ],
        **scheduling(request.spec),
    }
    template = pod_template(request, pod)
    template["metadata"]["labels"] |= SELECTOR
    return template


def _container(request: Request, line: CommandLine, load: int) -> dict[str, Any]:
    spec = request.spec
    kind = spec.resources.gpu.type if spec.resources.gpu else GPU_RESOURCE
    limits = quantities(spec.gpu_count, kind, spec.resources.cpu, spec.resources.memory)
    health = {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": _PERIOD, "timeoutSeconds": 5}
    volumes = mounted_volumes(request)
    shm = {"name": "shm", "mountPath": "/dev/shm"}  # noqa: S108 in a pod
    return {
        "name": "vllm",
        "image": request.image(str(Engine.VLLM)),
        "command": list(COMMAND),
        "args": line.arguments,
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": health | {"failureThreshold": -(-load // _PERIOD)},
        "readinessProbe": health,
        "resources": {"limits": limits, "requests": limits},
        **NO_ESCALATION,
        "volumeMounts": [shm, *cache.mount(request), *volume_mounts(volumes)],
        **non_empty(env=environment(request, cache_environment(Engine.VLLM, volumes, spec))),
    }
