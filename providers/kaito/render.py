"""KAITO: a Workspace with a vLLM preset on GPU, or with a llama.cpp container on CPU or GPU.

Upstream facts: kaito.sh/v1beta1 as of 0.12.0; ``resource`` and ``inference`` are at the object's root.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airunway.provider import aikit
from airunway.provider.contract import NameLimit, SupportedFields
from airunway.provider.engine_args import engine_flags
from airunway.provider.pods import (
    ENVIRONMENT_FIELDS,
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
from airunway.provider.storage import STORAGE_FIELDS, MountedVolume, pod_volumes, volume_mounts
from airunway.provider.supported_fields import Refusals
from airunway.provider.user_flags import duplicate_problems, user_flags
from airunway.spec.model import GPU_RESOURCE, Engine, Mode, ModelDeploymentSpec, Source
from airunway.text.merge import non_empty
from airunway.text.names import digest, dns_label
from airunway.text.yaml_reading import load_data
from airunway.text.yaml_writing import to_yaml
from providers.kaito.presets import preset_problems, token_secret
from providers.kaito.volumes import sharing_warnings, template_volumes

NAME = "kaito"
API_VERSION, KIND = "kaito.sh/v1beta1", "Workspace"
OLDER_API_VERSIONS: tuple[str, ...] = ()
SELECTOR: Mapping[str, str] = {}
_PRESET = "a KAITO preset brings its own"
_NO_FLAGS = "a preset takes no bare flags"
_NO_SWITCH = "llama.cpp has no such switch"
_ONE_POD = "KAITO's Service sends every request to the first pod; for more make two deployments"
SUPPORTED: Mapping[Engine, Mapping[Mode, SupportedFields]] = {
    Engine.VLLM: {
        Mode.AGGREGATED: SupportedFields(
            frozenset(
                {
                    *("model.id", "model.servedName", "engine.contextLength", "engine.args"),
                    *("resources.gpu.count", "secrets.huggingFaceToken", "nodeSelector"),
                }
            ),
            {
                "scaling.replicas": f"{_ONE_POD}, or use another provider",
                "model.source": "a preset is a Hugging Face id or one of KAITO's own names",
                "model.gguf": "GGUF files are for engine llamacpp",
                "model.revision": f"{_PRESET} revision of the model",
                "model.storage": f"{_PRESET} volume for the model's weights",
                "engine.image": f"{_PRESET} image; use engine llamacpp for a container of yours",
                "image": f"{_PRESET} image; use engine llamacpp for a container of yours",
                "env": f"{_PRESET} environment",
                "tolerations": f"{_PRESET} tolerations (nvidia.com/gpu and sku=gpu)",
                "podTemplate.metadata.labels": f"{_PRESET} pods",
                "podTemplate.metadata.annotations": f"{_PRESET} pods",
                "resources.cpu": f"{_PRESET} resources",
                "resources.memory": f"{_PRESET} resources",
                "resources.gpu.type": f"a preset asks for {GPU_RESOURCE}",
                # KAITO turns each entry of the config into `--key value`, so a flag without a value can't pass
                # (inference_api.py).
                "engine.extraArgs": "a preset takes key-value arguments only; use engine.args",
                "engine.trustRemoteCode": _NO_FLAGS,
                "engine.enforceEager": _NO_FLAGS,
                "engine.enablePrefixCaching": _NO_FLAGS,
            },
            fits_context=True,  # KAITO 0.12.0 passes --max-model-len=auto (pkg/model/interface.go)
        ),
    },
    Engine.LLAMACPP: {
        Mode.AGGREGATED: SupportedFields(
            frozenset(
                {
                    *("model.id", "model.servedName", "model.source", "model.gguf.file", "model.gguf.build"),
                    "model.revision",
                    *("engine.contextLength", "engine.args", "engine.extraArgs"),
                    *("resources.gpu.count", "resources.gpu.type", "resources.cpu", "resources.memory"),
                    *IMAGE_FIELDS,
                    *ENVIRONMENT_FIELDS,
                    *POD_METADATA_FIELDS,
                    *SCHEDULING_FIELDS,
                    *STORAGE_FIELDS,
                }
            ),
            {
                "scaling.replicas": _ONE_POD,
                "engine.trustRemoteCode": "llama.cpp runs no code of the model",
                "engine.enforceEager": _NO_SWITCH,
                "engine.enablePrefixCaching": _NO_SWITCH,
            },
        ),
    },
}
# The operator writes it back even if it is empty, and then owns the whole list (observed with 0.10.0 and 0.12.0).
OPERATOR_DEFAULTS: Mapping[str, Any] = {"inference.template.spec.containers[].resources": {}}

_CONTAINERS = "inference.template.spec.containers"


def template_fields() -> Iterator[str]:
    """The fields of a template whose change replaces the Workspace; ``[*]`` is any element of a list."""
    fields = load_data(Path(__file__).with_name("template.yaml"))
    yield from (f"inference.template.metadata.{field}" for field in fields["metadata"])
    yield from (f"inference.template.spec.{field}" for field in fields["spec"])
    yield from (f"{_CONTAINERS}[*].{field}" for field in fields["container"])
    yield from (f"{_CONTAINERS}[{index}]" for index in range(1, 10))  # those that an override adds


# The webhook refuses a change of these with "field is immutable". It lets a changed template through, but the operator
# creates the StatefulSet once and never updates it, so only a new Workspace gives new pods (observed with 0.10.0 and
# 0.12.0).
REPLACE_ON_CHANGES: tuple[str, ...] = (
    *("resource.count", "resource.labelSelector", "resource.partition", "resource.instanceType"),
    "inference.preset",
    *template_fields(),
)


def name_limit(request: Request) -> NameLimit:
    """The limit for a Workspace's name, the same for all."""
    return NameLimit(
        52, "the StatefulSet of that name appends 11 characters for its pods' revision label (observed with 0.10.0)"
    )


def endpoint(name: str) -> Endpoint:
    """The Service that the operator creates for an object of that name."""
    return Endpoint(name, 80)


def render(request: Request) -> Objects:
    """The Workspace that serves ``request``. Raises ``InputError`` for values that KAITO can't honour."""
    refusals = Refusals(NAME)
    spec = request.spec
    preset = request.selection.engine is Engine.VLLM
    inference, supporting, warnings = (_preset if preset else _template)(request, refusals)
    # Not the number of replicas: for a preset KAITO works out itself how many nodes the model needs.
    resource = {"count": 1, "labelSelector": {"matchLabels": _nodes(spec, exact=preset)}}
    workspace = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": request.metadata,
        "resource": resource,
        "inference": inference,
    }
    return Objects(workspace, supporting, warnings, _resources_field(inference))


def _nodes(spec: ModelDeploymentSpec, *, exact: bool) -> dict[str, str]:
    """Labels of the nodes to use; ``exact`` also matches the node's GPU count, as a preset takes all GPUs of a node."""
    labels = {"kubernetes.io/os": "linux", **spec.node_selector}
    if spec.gpu_count and spec.resources.gpu and spec.resources.gpu.type == GPU_RESOURCE:
        labels["nvidia.com/gpu.present"] = "true"
        if exact:
            labels["nvidia.com/gpu.count"] = str(spec.gpu_count)
    return labels


def _resources_field(inference: dict[str, Any]) -> tuple[str, ...]:
    """The resources of a container that has some, as a whole: a state may have none there; see ``template.yaml``."""
    containers = inference.get("template", {"spec": {"containers": []}})["spec"]["containers"]
    return (f"{_CONTAINERS}[*].resources",) if any(container["resources"] for container in containers) else ()


_Inference = tuple[dict[str, Any], tuple[dict[str, Any], ...], tuple[str, ...]]


def _preset(request: Request, refusals: Refusals) -> _Inference:
    spec, engine = request.spec, request.spec.engine
    for key, value in engine.args.items():
        # No flag of vLLM has a truth value as its text, so such a value is a switch.
        refusals.refuse(value.lower() in ("", "true", "false"), f"engine.args.{key}", _NO_FLAGS)
        refusals.refuse("." in key, f"engine.args.{key}", "a preset takes no dotted names; set the whole value as JSON")
    parsed = engine_flags(Engine.VLLM, spec, None)
    arguments = {flag.name: flag.value for flag in parsed.flags if flag.name != "model"}
    refusals.raise_if_any([*parsed.problems, *preset_problems(request, arguments)])
    preset = non_empty(name=spec.model.id, presetOptions=non_empty(modelAccessSecret=token_secret(request)))
    inference: dict[str, Any] = {"preset": preset}
    supporting: tuple[dict[str, Any], ...] = ()
    if arguments:
        config = _config_map(request, arguments)
        inference["config"] = config["metadata"]["name"]
        supporting = (config,)
    return inference, supporting, ()


def _config_map(request: Request, arguments: dict[str, Any]) -> dict[str, Any]:
    """The ConfigMap with a preset's inference arguments; its name changes with them, so that KAITO rolls out."""
    text = to_yaml({"vllm": dict(sorted(arguments.items()))})
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": request.metadata | {"name": dns_label(request.name, "inference", digest(text))},
        "data": {"inference_config.yaml": text},
    }


def _template(request: Request, refusals: Refusals) -> _Inference:
    spec, engine = request.spec, request.spec.engine
    port = aikit.aikit_data()["port"]
    image = request.built_image or aikit.select_image(spec, request.config.spec.images)
    image_name = aikit.served_name(spec)
    name = spec.model.served_name
    reason = f"the image serves the model as {image_name}" if image_name else "the image decides the name"
    refusals.refuse(name is not None and name != image_name, "model.servedName", reason)
    custom = spec.model.source is Source.CUSTOM
    refusals.refuse(image is None, "image", "source custom needs the image that holds the model")
    refusals.refuse(
        custom and spec.model.id, "model.id", "with model.source custom the image holds the model, and no id is used"
    )
    refusals.refuse("address" in engine.args, "engine.args.address", f"the Service expects port {port}")
    refusals.refuse(
        engine.context_length and "context-size" in engine.args,
        "engine.args.context-size",
        "engine.contextLength sets it already",
    )
    for key in engine.args:
        refusals.refuse("." in key, f"engine.args.{key}", "llama.cpp has no dotted flags")
    refusals.raise_if_any(duplicate_problems(Engine.LLAMACPP, user_flags(Engine.LLAMACPP, spec)))
    volumes = template_volumes(request, refusals)
    refusals.raise_if_any([*aikit.model_id_problems(spec), *aikit.context_problems(spec)])
    context = [f"--context-size={engine.context_length}"] if engine.context_length else []
    arguments = [f"--{k}={v}" if v else f"--{k}" for k, v in sorted(engine.args.items())]
    gpu = spec.resources.gpu
    limits = quantities(spec.gpu_count, gpu.type if gpu else GPU_RESOURCE, spec.resources.cpu, spec.resources.memory)
    container = {
        "name": "model",
        "image": image,
        "args": [*aikit.model_arguments(spec), f"--address=:{port}", *context, *arguments, *engine.extra_args],
        "ports": [{"containerPort": port}],
        "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 10},
        "resources": non_empty(requests=limits, limits=limits),
        **(NO_ESCALATION if request.is_enforced else {}),
        **non_empty(env=environment(request), volumeMounts=volume_mounts(volumes)),
    }
    single = spec.model.gguf and spec.model.gguf.file and request.token_secret
    public = ("model.gguf.file: a single file is fetched without the Hugging Face token, so it must be public",)
    warnings = (*(public if single else ()), *sharing_warnings(request))
    return {"template": pod_template(request, _pod(request, container, volumes))}, (), warnings


def _pod(request: Request, container: dict[str, Any], volumes: Sequence[MountedVolume]) -> dict[str, Any]:
    """The pod of a template; it has no nodeSelector, as KAITO derives its affinity from resource.labelSelector."""
    login = [{"name": request.pull_secret}] if request.pull_secret else None
    tolerations = scheduling(request.spec).get("tolerations")
    return {
        # A changed template makes the Workspace anew, so only stacks that ask for it have this.
        **(NO_API_TOKEN if request.is_enforced else {}),
        "containers": [container],
        **non_empty(tolerations=tolerations, imagePullSecrets=login, volumes=pod_volumes(volumes)),
    }
