"""A KAITO Workspace read back into the fields of a deployment, as far as those say what it says.

The inverse of ``kaito.render``; what it leaves out shows when the result is rendered again.
"""

import re
from typing import Any
from urllib.parse import unquote

from airunway.provider import aikit
from airunway.provider.reading import Object, UnreadableError, environment_of, pod_of, resources_of
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.text.merge import given


def read(obj: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    """The fields of a deployment that say what the Workspace says. Raises ``UnreadableError``."""
    inference, resource = obj.get("inference"), obj.get("resource") or {}
    if not inference:
        raise UnreadableError("inference: is not there; a Workspace that tunes a model is not a deployment")
    labels = dict((resource.get("labelSelector") or {}).get("matchLabels") or {})
    labels.pop("nvidia.com/gpu.present", None)
    if labels.get("kubernetes.io/os") == "linux":
        labels.pop("kubernetes.io/os")
    count = labels.pop("nvidia.com/gpu.count", "1")
    scaling = {"replicas": resource.get("count", 1)} if resource.get("count", 1) != 1 else {}
    common = given(nodeSelector=labels, scaling=scaling)
    preset = inference.get("preset")
    if preset:
        secret = (preset.get("presetOptions") or {}).get("modelAccessSecret")
        gpus = {"gpu": {"count": int(count) if str(count).isdigit() else 1}}
        secrets = given(huggingFaceToken=secret)
        return {"model": {"id": preset.get("name")}, "engine": {"type": "vllm"}, "resources": gpus, **given(secrets=secrets), **common}
    template = inference.get("template") or {}
    containers = (template.get("spec") or {}).get("containers") or []
    if len(containers) != 1:
        raise UnreadableError(f"inference.template.spec.containers: {len(containers)} are there, a deployment has one")
    return _llamacpp(containers[0], config) | common | pod_of(template.get("metadata") or {}, template["spec"])


def _llamacpp(container: Object, config: InferenceProviderConfig) -> dict[str, Any]:
    image, arguments = str(container.get("image", "")), list(container.get("args") or [])
    limits = (container.get("resources") or {}).get("limits") or {}
    resources = resources_of(limits)
    model: dict[str, Any] = {"source": "custom"}
    first = str(arguments[0]) if arguments else ""
    single = re.fullmatch(r"https://huggingface\.co/(.+)/resolve/main/(.+\.gguf)", first)
    if first.startswith("huggingface://"):
        model = {"id": first.removeprefix("huggingface://")}
    elif single:
        model = {"id": unquote(single[1]), "gguf": {"file": unquote(single[2])}}
    own = config.spec.images["llamacppGpu" if "gpu" in resources else "llamacppCpu"]
    engine: dict[str, Any] = {"type": "llamacpp"}
    if model.get("source"):
        premade = next((i for i in aikit.data()["premade"] if config.spec.images["premade"].replace("{id}", i) == image), None)
        model, engine = ({"source": "aikit", "id": premade}, engine) if premade else (model, engine | {"image": image})
    else:
        arguments = arguments[1:]
        engine |= {} if image == own else {"image": image}
    rest = [a for a in arguments if a != f"--address=:{aikit.data()['port']}"]
    if rest and (length := re.fullmatch(r"--context-size=(\d+)", rest[0])):
        engine["contextLength"] = int(length[1])
        rest = rest[1:]
    return {
        "model": model,
        "engine": engine | given(extraArgs=rest),
        **given(resources=resources),
        **environment_of(container.get("env") or []),
    }
