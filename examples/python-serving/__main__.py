"""Everything that one cluster serves as one component, with the settings of a stack file as its arguments."""

import pulumi

from components import ModelServing

config = pulumi.Config()
serving = ModelServing(
    "models",
    {
        "cluster": {"context": config.require("context")},
        "namespace": "ml",
        "hugging_face_token": config.require_secret("huggingFaceToken"),
        "providers": {"kaito": {"installation": "existing"}},
        "deployments": [
            {
                "name": "chat",
                "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
                "resources": {"gpu": {"count": 2}},
                "scaling": {"replicas": 2},
            },
            {"name": "small", "model": {"id": "bartowski/Qwen2.5-0.5B-Instruct-GGUF"}},
        ],
    },
)
pulumi.export("deployments", serving.deployments)
