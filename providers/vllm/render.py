"""vLLM by itself: a Deployment of its image, which runs ``vllm serve``, and the Service before it.

Facts of vLLM as of 0.33.0: the flags of its own parser, ``/health``, which answers once the model is loaded.
"""

from collections.abc import Mapping
from typing import Any

from airunway.provider.contract import Honours, NameLimit
from airunway.provider.engine_args import ARGUMENTS
from airunway.provider.honoured import Refusals
from airunway.provider.labels import GROUP
from airunway.provider.pods import (
    ENVIRONMENT,
    IMAGE,
    NOT_GGUF,
    POD_METADATA,
    SCHEDULING,
    WHOLE,
    environment,
    pod_template,
    quantities,
    scheduling,
)
from airunway.provider.request import Endpoint, Objects, Request
from airunway.provider.workers import refuse_unknown_models
from airunway.spec.model import GPU_RESOURCE, Engine, Mode
from airunway.text.merge import given
from providers.vllm import cache
from providers.vllm.arguments import PORT, CommandLine, command_line
from providers.vllm.read import COMMAND

NAME = "vllm"
API_VERSION, KIND = "apps/v1", "Deployment"
SELECTOR: Mapping[str, str] = {f"{GROUP}/provider": NAME}
_LEAVES = frozenset({"model.source", *ARGUMENTS, *IMAGE, *ENVIRONMENT, *POD_METADATA, *SCHEDULING, *WHOLE})
HONOURS: Mapping[Engine, Mapping[Mode, Honours]] = {Engine.VLLM: {Mode.AGGREGATED: Honours(_LEAVES, NOT_GGUF)}}
OWNED: Mapping[str, Any] = {}
IMMUTABLE: tuple[str, ...] = ("spec.selector",)
_PERIOD = 10


def name_limit(request: Request) -> NameLimit:
    """The longest name of a Deployment, the same for all."""
    return NameLimit(63, "its Service has that name, and its pods a label with it")


def endpoint(name: str) -> Endpoint:
    """The Service that stands before the Deployment of that name."""
    return Endpoint(name, PORT)


def render(request: Request) -> Objects:
    """The Deployment and the Service that serve ``request``. Raises ``InputError`` naming every value that can't be
    honoured.
    """
    spec = request.spec
    refusals = Refusals(NAME)
    refuse_unknown_models(refusals, spec, "vLLM")
    pods = _selected(request)
    for label in sorted(pods.keys() & spec.pod_template.metadata.labels.keys()):
        refusals.refuse(True, "podTemplate.metadata.labels", f"the Service tells its pods by {label}")
    line = command_line(spec, request.image(str(Engine.VLLM)))
    load, pull = (_seconds(request, name, refusals) for name in ("loadSeconds", "pullSeconds"))
    cache.refuse(request, refusals)
    refusals.done(line.problems)
    deployment = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": request.metadata,
        "spec": {
            "replicas": spec.scaling.replicas,
            "selector": {"matchLabels": pods},
            # Until then a rollout is not called failed; the default, ten minutes, is shorter than many a model loads.
            "progressDeadlineSeconds": load + pull,
            # The default, which an override can take back only where it is ours: the type Recreate excludes it.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": cache.rolling_update(request)},
            "template": _template(request, line, load),
        },
    }
    return Objects(deployment, (_service(request), *cache.claim(request)), tuple(line.warnings))


def _selected(request: Request) -> dict[str, str]:
    """Labels of the pods: never those of another provider that serves under the same name before or after."""
    return {f"{GROUP}/deployment": request.name, **SELECTOR}


def _seconds(request: Request, name: str, refusals: Refusals) -> int:
    text = request.config.spec.defaults.get(name, "")
    number = int(text) if text.isdecimal() and len(text) < 7 else 0
    why = f"{text!r} given, a number of seconds is wanted, such as 3600"
    refusals.refuse(number < _PERIOD, f"providers.{NAME}.spec.defaults.{name}", why)
    return number


def _service(request: Request) -> dict[str, Any]:
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": request.metadata,
        "spec": {"selector": _selected(request), "ports": ports},
    }


def _template(request: Request, line: CommandLine, load: int) -> dict[str, Any]:
    pod = {
        "containers": [_container(request, line, load)],
        # A Service that is called vllm would set VLLM_PORT in its pods, which vLLM takes for a port.
        "enableServiceLinks": False,
        # The processes of one replica share memory; a container has 64Mi of it.
        "volumes": [
            {
                "name": "shm",
                "emptyDir": {"medium": "Memory", "sizeLimit": request.config.spec.defaults["sharedMemory"]},
            },
            *cache.volume(request),
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
    return {
        "name": "vllm",
        "image": request.image(str(Engine.VLLM)),
        "command": list(COMMAND),
        "args": line.words,
        "ports": [{"name": "http", "containerPort": PORT}],
        "startupProbe": health | {"failureThreshold": -(-load // _PERIOD)},
        "readinessProbe": health,
        "resources": {"limits": limits, "requests": limits},
        "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}, *cache.mount(request)],  # noqa: S108 in a pod
        **given(env=environment(request)),
    }
