"""KAITO: a Workspace with a vLLM preset on GPU, or with a llama.cpp container on CPU or GPU.

Upstream facts: kaito.sh/v1beta1 as of chart 0.10.0; ``resource`` and ``inference`` are at the object's root.
"""

from typing import Any

from providers import aikit
from providers.engine_args import flags
from providers.observation import Condition, Observation, Phase, Replicas, complaint, conditions_of, is_true, whole
from providers.rendering import (
    GPU_RESOURCE,
    GROUP,
    Deployment,
    Endpoint,
    Refusals,
    Rendered,
    digest,
    environment,
    given,
    name_of,
    overridden,
    quantities,
    scheduling,
)
from providers.spec import Engine, Mode, ModelDeploymentSpec, Source
from providers.yaml_text import to_yaml

NAME = "kaito"
RENDERS = {Engine.VLLM: (Mode.AGGREGATED,), Engine.LLAMACPP: (Mode.AGGREGATED,)}
"""What ``render`` knows, whatever a document claims that the provider can do."""
API_VERSION, KIND = "kaito.sh/v1beta1", "Workspace"
_READY = "jsonpath={.status.state}=Ready"
_PRESET = "a KAITO preset brings its own"


def endpoint(name: str) -> Endpoint:
    """The Service that the operator makes for an object of that name."""
    return Endpoint(name, 80)


def render(deployment: Deployment) -> Rendered:
    """The Workspace that serves ``deployment``. Raises ``InputError`` naming every field that KAITO can't honour."""
    refusals = Refusals(NAME)
    spec = deployment.spec
    refusals.refuse(spec.scaling.replicas == 0, "scaling.replicas", "a Workspace has at least 1 replica; remove the deployment instead")
    preset = deployment.selection.engine is Engine.VLLM
    inference, supporting, warnings = (_preset if preset else _template)(deployment, refusals)
    workspace = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": deployment.metadata,
        "resource": {"count": spec.scaling.replicas, "labelSelector": {"matchLabels": _nodes(spec, exact=preset)}},
        "inference": inference,
    }
    return Rendered(overridden(workspace, deployment), endpoint(deployment.name), _READY, supporting, warnings)


_PHASES = {
    "Ready": Phase.RUNNING,
    "Succeeded": Phase.RUNNING,
    "NotReady": Phase.DEPLOYING,
    "Running": Phase.DEPLOYING,
    "Failed": Phase.FAILED,
    "Pending": Phase.PENDING,
}


def observe(obj: dict[str, Any]) -> Observation:
    """What a Workspace's status says. KAITO counts no replicas: all of them are ready when the Workspace is."""
    status, conditions = obj.get("status") or {}, conditions_of(obj)
    state = status.get("state")
    phase = _PHASES.get(state, Phase.PENDING) if state else _phase_without_state(conditions)
    desired = whole(status.get("targetNodeCount") or (obj.get("resource") or {}).get("count", 1))
    ready = desired if phase is Phase.RUNNING else 0
    message = complaint(conditions) if phase is not Phase.RUNNING else ""
    if state and state not in _PHASES:
        message = f"unknown state {state}"
    return Observation(phase, message, Replicas(desired, ready, ready), conditions)


def _phase_without_state(conditions: tuple[Condition, ...]) -> Phase:
    """As releases before 0.9 say it."""
    succeeded = is_true(conditions, "WorkspaceSucceeded")
    if succeeded is not None:
        return Phase.RUNNING if succeeded else Phase.FAILED
    return Phase.DEPLOYING if is_true(conditions, "ResourceReady") else Phase.PENDING


def _nodes(spec: ModelDeploymentSpec, *, exact: bool) -> dict[str, str]:
    """Labels of the nodes to use. A preset takes every GPU of its node, so there the count picks nodes that have just so many."""
    labels = {"kubernetes.io/os": "linux", **spec.node_selector}
    if spec.gpu_count and spec.resources.gpu and spec.resources.gpu.type == GPU_RESOURCE:
        labels["nvidia.com/gpu.present"] = "true"
        if exact:
            labels["nvidia.com/gpu.count"] = str(spec.gpu_count)
    return labels


_Inference = tuple[dict[str, Any], tuple[dict[str, Any], ...], tuple[str, ...]]


def _preset(deployment: Deployment, refusals: Refusals) -> _Inference:
    spec, engine = deployment.spec, deployment.spec.engine
    refusals.refuse(
        spec.model.source is not Source.HUGGINGFACE, "model.source", "a preset is a Hugging Face id or one of KAITO's own names"
    )
    refusals.refuse(spec.model.gguf, "model.gguf", "GGUF files are for engine llamacpp")
    refusals.refuse(
        spec.container_image, "engine.image" if engine.image else "image", f"{_PRESET} image; use engine llamacpp for a container of yours"
    )
    refusals.refuse(spec.env, "env", f"{_PRESET} environment")
    refusals.refuse(spec.tolerations, "tolerations", f"{_PRESET} tolerations (nvidia.com/gpu and sku=gpu)")
    refusals.refuse(spec.pod_template.metadata.labels, "podTemplate.metadata.labels", f"{_PRESET} pods")
    refusals.refuse(spec.pod_template.metadata.annotations, "podTemplate.metadata.annotations", f"{_PRESET} pods")
    refusals.refuse(spec.resources.cpu, "resources.cpu", f"{_PRESET} resources")
    refusals.refuse(spec.resources.memory, "resources.memory", f"{_PRESET} resources")
    other = spec.resources.gpu is not None and spec.resources.gpu.type != GPU_RESOURCE
    refusals.refuse(other, "resources.gpu.type", f"a preset asks for {GPU_RESOURCE}")
    # KAITO turns each entry of the config into `--key value`, so a flag without a value can't pass (inference_api.py).
    refusals.refuse(engine.extra_args, "engine.extraArgs", "a preset takes key-value arguments only; use engine.args")
    refusals.refuse(engine.trust_remote_code, "engine.trustRemoteCode", "a preset takes no bare flags")
    refusals.refuse(engine.enforce_eager, "engine.enforceEager", "a preset takes no bare flags")
    refusals.refuse(not engine.enable_prefix_caching, "engine.enablePrefixCaching", "a preset takes no bare flags")
    for key, value in engine.args.items():
        refusals.refuse(value == "", f"engine.args.{key}", "a preset takes no bare flags")
    found, clashes = flags(Engine.VLLM, spec, gpus=1)
    refusals.done(clashes)
    arguments = {f.name: f.value for f in found if f.name != "model"}
    secret = deployment.token_secret if "/" in str(spec.model.id) else None
    preset = given(name=spec.model.id, presetOptions=given(modelAccessSecret=secret))
    inference: dict[str, Any] = {"preset": preset}
    supporting: tuple[dict[str, Any], ...] = ()
    if arguments:
        config = _config_map(deployment, arguments)
        inference["config"] = config["metadata"]["name"]
        supporting = (config,)
    warnings = (
        "scaling.replicas: KAITO takes resource.count of a preset as the most nodes it may use, and runs on fewer where the model fits",
    )
    return inference, supporting, warnings if spec.scaling.replicas > 1 else ()


def _config_map(deployment: Deployment, arguments: dict[str, Any]) -> dict[str, Any]:
    """Inference arguments of a preset; a change of them is a change of the name, so that KAITO rolls out."""
    text = to_yaml({"vllm": dict(sorted(arguments.items()))})
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": deployment.metadata | {"name": name_of(deployment.name, "inference", digest(text))},
        "data": {"inference_config.yaml": text},
    }


def _template(deployment: Deployment, refusals: Refusals) -> _Inference:
    spec, engine = deployment.spec, deployment.spec.engine
    port = aikit.data()["port"]
    image = deployment.built_image or aikit.image(spec, deployment.config.spec.images)
    fixed = aikit.served_name(spec)
    refusals.refuse(engine.trust_remote_code, "engine.trustRemoteCode", "llama.cpp runs no code of the model")
    refusals.refuse(engine.enforce_eager, "engine.enforceEager", "llama.cpp has no such switch")
    refusals.refuse(not engine.enable_prefix_caching, "engine.enablePrefixCaching", "llama.cpp has no such switch")
    name = spec.model.served_name
    why = f"the image serves the model as {fixed}" if fixed else "the image decides the name"
    refusals.refuse(name is not None and name != fixed, "model.servedName", why)
    refusals.refuse(image is None, "image", "source custom needs the image that holds the model")
    refusals.refuse("address" in engine.args, "engine.args.address", f"the Service expects port {port}")
    refusals.refuse(
        engine.context_length and "context-size" in engine.args, "engine.args.context-size", "engine.contextLength sets it already"
    )
    refusals.done(aikit.problems_of(spec))
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
        # The operator writes it back where it is empty too, and with it owns the whole list (seen with 0.10.0).
        "resources": given(requests=limits, limits=limits),
        **given(env=environment(deployment)),
    }
    # nodeSelector is not repeated here: KAITO makes the node affinity from resource.labelSelector.
    login = [{"name": deployment.pull_secret}] if deployment.pull_secret else None
    pod = {"containers": [container], **given(tolerations=scheduling(spec).get("tolerations"), imagePullSecrets=login)}
    metadata = spec.pod_template.metadata
    labels = {f"{GROUP}/deployment": deployment.name, **metadata.labels}
    template = {"metadata": {"labels": labels, **given(annotations=dict(metadata.annotations))}, "spec": pod}
    single = spec.model.gguf and spec.model.gguf.file and deployment.token_secret
    warnings = ("model.gguf.file: a single file is fetched without the Hugging Face token, so it must be public",)
    return {"template": template}, (), warnings if single else ()
