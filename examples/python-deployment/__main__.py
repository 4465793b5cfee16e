"""Two models of one cluster in a program of its own: the operators come with the platform, the providers by the
selection rules.
"""

import pulumi
import pulumi_kubernetes as kubernetes

from components import ModelDeployment, Platform

config = pulumi.Config()
cluster = kubernetes.Provider(
    "cluster", context=config.require("context"), upsert_existing_objects=True, enable_secret_mutable=True
)
options = pulumi.ResourceOptions(providers={"kubernetes": cluster})

platform = Platform(
    "models", {"namespace": "ml", "hugging_face_token": config.require_secret("huggingFaceToken")}, options
)

# An Output may stand where its text decides nothing, as in the environment or in labels.
settings = kubernetes.core.v1.ConfigMap(
    "settings", metadata={"name": "settings", "namespace": "ml"}, opts=pulumi.ResourceOptions(provider=cluster)
)

chat = ModelDeployment(
    "chat",
    {
        "model": {"id": "meta-llama/Llama-3.1-8B-Instruct", "served_name": "chat"},
        "resources": {"gpu": {"count": 1}},
        "engine": {"context_length": 8192},
        "env": [{"name": "SETTINGS", "value": settings.metadata["name"]}],
    },
    options,
    platform=platform,
)
small = ModelDeployment("small", {"model": {"id": "bartowski/Qwen2.5-0.5B-Instruct-GGUF"}}, options, platform=platform)

pulumi.export("endpoints", {"chat": chat.endpoint, "small": small.endpoint})
pulumi.export("why", {"chat": chat.selected_reason, "small": small.selected_reason})
