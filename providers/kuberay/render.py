"""KubeRay: a RayService that runs Ray Serve LLM with vLLM.

Upstream facts: ray.io/v1 as of operator 1.7.0; ``ray.serve.llm`` as of Ray 2.58.0 (LLMServingArgs, PDServingArgs).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from airunway.provider.contract import NameLimit, SupportedFields
from airunway.provider.engine_args import ARGUMENT_FIELDS, Flag, engine_flags, keyword_arguments
from airunway.provider.pods import (
    AGGREGATED_FIELDS,
    DISAGGREGATED_FIELDS,
    DISAGGREGATED_REASONS,
    ENVIRONMENT_FIELDS,
    GGUF_REASONS,
    IMAGE_FIELDS,
    NO_API_TOKEN,
    POD_METADATA_FIELDS,
    SCHEDULING_FIELDS,
    environment,
    pod_template,
    quantities,
    scheduling,
)
from airunway.provider.renaming import renamed
from airunway.provider.request import Endpoint, Objects, Request
from airunway.provider.storage import (
    STORAGE_FIELDS,
    MountedVolume,
    cache_environment,
    mounted_volumes,
    pod_volumes,
    refuse_names,
    volume_mounts,
)
from airunway.provider.supported_fields import Refusals
from airunway.provider.workers import ANY_ROLE, Workers, refuse_unknown_models, workers_by_role
from airunway.spec.model import GPU_RESOURCE, Engine, Mode
from airunway.text.merge import changes_by_name, non_empty
from airunway.text.problems import Problem
from airunway.text.yaml_writing import to_yaml
from providers.kuberay.arguments import argument_problems, known_arguments
from providers.kuberay.security import authentication, network_policy, pod_security

NAME = "kuberay"
API_VERSION, KIND = "ray.io/v1", "RayService"
OLDER_API_VERSIONS: tuple[str, ...] = ()
SELECTOR: Mapping[str, str] = {}
_COMMON_FIELDS = frozenset(
    {
        "model.source",
        *ARGUMENT_FIELDS,
        *IMAGE_FIELDS,
        *ENVIRONMENT_FIELDS,
        *POD_METADATA_FIELDS,
        *SCHEDULING_FIELDS,
        *STORAGE_FIELDS,
    }
)
SUPPORTED: Mapping[Engine, Mapping[Mode, SupportedFields]] = {
    Engine.VLLM: {
        Mode.AGGREGATED: SupportedFields(_COMMON_FIELDS | AGGREGATED_FIELDS, GGUF_REASONS),
        Mode.DISAGGREGATED: SupportedFields(
            _COMMON_FIELDS | DISAGGREGATED_FIELDS, GGUF_REASONS | DISAGGREGATED_REASONS
        ),
    }
}
# The operator writes it back, and then owns the whole list (observed with 1.7.0).
OPERATOR_DEFAULTS: Mapping[str, Any] = {"spec.rayClusterConfig.workerGroupSpecs[].scaleStrategy": {}}
_GROUPS = "spec.rayClusterConfig.workerGroupSpecs[*]"
# The operator compares Ray clusters without these fields, so that neither a new cluster starts nor the running one
# changes (utils/util.go, GenerateHashWithoutReplicasAndWorkersToDelete; observed with 1.7.0).
REPLACE_ON_CHANGES: tuple[str, ...] = (
    *(f"{_GROUPS}.{field}" for field in ("replicas", "minReplicas", "maxReplicas", "template.spec.tolerations")),
    "spec.rayClusterConfig.headGroupSpec.template.spec.tolerations",
)
HEAD, WORKER = "ray-head", "ray-worker"
"""Names of Ray's containers."""
_NIXL = {"kv_connector": "NixlConnector", "kv_role": "kv_both"}
# Those that the operator adds to pods (ray-operator 1.7.0, common/pod.go and utils/constant.go).
_RESERVED_VOLUMES = ("shared-mem", "ray-logs", "ray-tls", "ray-token")
# The group of the user ray in Ray's images (docker/base-deps/Dockerfile): a new volume is writable for root only.
_GROUP = {"fsGroup": 100, "fsGroupChangePolicy": "OnRootMismatch"}
_PORTS = [("gcs-server", 6379), ("dashboard", 8265), ("client", 10001), ("serve", 8000)]


def name_limit(request: Request) -> NameLimit:
    """The limit for a RayService's name, the same for all."""
    return NameLimit(47, "KubeRay appends 6 for its RayCluster, which has at most 53 (ray-operator, utils/constant.go)")


def endpoint(name: str) -> Endpoint:
    """The Service that the operator creates for an object of that name."""
    return Endpoint(f"{name}-serve-svc", 8000)


def render(request: Request) -> Objects:
    """The RayService that serves ``request``. Raises ``InputError`` for values that KubeRay can't honour."""
    spec = request.spec
    refusals = Refusals(NAME)
    refuse_unknown_models(refusals, spec, "Ray Serve LLM")
    refuse_names(refusals, mounted_volumes(request), _RESERVED_VOLUMES)
    workers, names = workers_by_role(spec), _groups(request)
    configs: dict[str, Any] = {}
    problems = list(argument_problems(spec, request.image(str(Engine.VLLM))))
    warnings: list[str] = []
    for role, part in workers.items():
        configs[role], clashes, notes = _llm_config(request, part, role)
        problems += [p for p in clashes if p not in problems]
        warnings += [w for w in notes if w not in warnings]
    refusals.raise_if_any(problems)
    service = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": request.metadata,
        "spec": {
            "serveConfigV2": to_yaml({"applications": [_application(configs)]}),
            "rayClusterConfig": {
                **authentication(request.image(str(Engine.VLLM))),
                "headGroupSpec": _head(request),
                "workerGroupSpecs": [_workers(request, part, role, names) for role, part in workers.items()],
            },
        },
    }
    return Objects(service, (network_policy(request),), tuple(warnings), renamed=tuple(names))


def _application(configs: dict[str, Any]) -> dict[str, Any]:
    """The Serve application, with one configuration or with one for each role."""
    config = configs.get(ANY_ROLE)
    builder = "build_openai_app" if config else "build_pd_openai_app"
    arguments = {"llm_configs": [config]} if config else {f"{role}_config": config for role, config in configs.items()}
    return {"name": "llm", "route_prefix": "/", "import_path": f"ray.serve.llm:{builder}", "args": arguments}


def _llm_config(request: Request, workers: Workers, role: str) -> tuple[dict[str, Any], list[Problem], list[str]]:
    spec = request.spec
    parsed = engine_flags(Engine.VLLM, spec, workers.devices(), *transfer_flags(role))
    flags = [flag for flag in parsed.flags if flag.name not in ("model", "served-model-name")]
    arguments, problems = keyword_arguments(flags, spec, NAME, known_arguments().texts)
    model_id = spec.model.served_name or spec.model.id
    config = {
        "model_loading_config": {"model_id": model_id, "model_source": spec.model.id},
        "deployment_config": {"num_replicas": workers.replicas},
        "engine_kwargs": arguments,
    }
    if role != ANY_ROLE:
        # A small amount of a resource that only the role's workers have keeps the role's replicas on them.
        config["placement_group_config"] = {"bundle_per_worker": {"GPU": 1, role: 0.001}}
    return config, [*parsed.problems, *problems], parsed.warnings


def transfer_flags(role: str) -> list[Flag]:
    """The flags for the KV cache transfer between roles; none in an aggregated deployment."""
    return [] if role == ANY_ROLE else [Flag("kv-transfer-config", _NIXL)]


def _head(request: Request) -> dict[str, Any]:
    defaults = request.config.spec.defaults
    limits = {"cpu": defaults["headCpu"], "memory": defaults["headMemory"]}
    ports = [{"name": name, "containerPort": port} for name, port in _PORTS]
    change = _below(request.spec.provider.overrides, "spec", "rayClusterConfig", "headGroupSpec")
    container = _container(request, _container_name(change, HEAD), limits) | {"ports": ports}
    start = {"dashboard-host": "0.0.0.0"}  # noqa: S104 in a pod
    # The autoscaler, which runs beside the head, changes the Ray cluster by the Kubernetes API.
    scales = _below(request.spec.provider.overrides, "spec", "rayClusterConfig", "enableInTreeAutoscaling") is True
    return {"rayStartParams": start, "template": _template(request, container, has_token=scales)}


def own_group(role: str) -> str:
    """The name that we give to the group of a role's workers."""
    return "gpu-workers" if role == ANY_ROLE else f"{role}-workers"


def _groups(request: Request) -> dict[str, str]:
    """The names that overrides give to worker groups, by the names that we give them."""
    own = dict.fromkeys(map(own_group, workers_by_role(request.spec)), "")
    return renamed(_group_changes(request), own, lambda change: "")


def _group_changes(request: Request) -> dict[str, Any]:
    changes = _below(request.spec.provider.overrides, "spec", "rayClusterConfig", "workerGroupSpecs")
    return changes_by_name(changes, "groupName")


def _below(changes: Any, *keys: str) -> Any:
    """What overrides say below some keys; None if nothing."""
    for key in keys:
        changes = changes.get(key) if isinstance(changes, Mapping) else None
    return changes


def _container_name(group: Any, own: str) -> str:
    """The name of Ray's container in a group, of which ``group`` is the override."""
    changes = changes_by_name(_below(group, "template", "spec", "containers"))
    return renamed(changes, {own: ""}, lambda change: "").get(own, own)


def _workers(request: Request, workers: Workers, role: str, names: Mapping[str, str]) -> dict[str, Any]:
    gpu, defaults = workers.gpu, request.config.spec.defaults
    limits = quantities(
        gpu.count,
        gpu.type,
        request.spec.resources.cpu or defaults["workerCpu"],
        workers.memory or defaults["workerMemory"],
    )
    volumes = mounted_volumes(request)
    # KubeRay detects GPUs only if the resource's name ends in "gpu" (common/pod.go).
    start = {"num-gpus": str(gpu.count)} if gpu.type != GPU_RESOURCE else {}
    group = names.get(own_group(role), own_group(role))
    name = _container_name(_group_changes(request).get(group), WORKER)
    return {
        "groupName": group,
        "replicas": workers.replicas,
        "minReplicas": workers.replicas,
        "maxReplicas": workers.replicas,
        "rayStartParams": start,
        "scaleStrategy": {},
        **non_empty(resources={} if role == ANY_ROLE else {role: "1"}),
        "template": _template(request, _container(request, name, limits, volumes), volumes),
    }


def _container(
    request: Request, name: str, limits: dict[str, str], volumes: Sequence[MountedVolume] = ()
) -> dict[str, Any]:
    image = request.image(str(Engine.VLLM))
    return {
        "name": name,
        "image": image,
        "resources": {"limits": limits, "requests": limits},
        **non_empty(env=environment(request, cache_environment(Engine.VLLM, volumes, request.spec))),
        **non_empty(volumeMounts=volume_mounts(volumes)),
    }


def _template(
    request: Request, container: dict[str, Any], volumes: Sequence[MountedVolume] = (), *, has_token: bool = False
) -> dict[str, Any]:
    writable = any(not volume.read_only for volume in volumes)
    security = pod_security(container["image"]) | (_GROUP if writable else {})
    pod = {
        **({} if has_token else NO_API_TOKEN),
        "containers": [container],
        **scheduling(request.spec),
        **non_empty(volumes=pod_volumes(volumes), securityContext=security),
    }
    return pod_template(request, pod)
