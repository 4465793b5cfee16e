"""Deployments of stacks that tests of several tiers write: on CPU, on GPU, on Ray, and of an image that is built."""

CPU = {"name": "cpu", "model": {"id": "org/gguf"}}
GPU = {"name": "gpu", "model": {"id": "org/model"}, "resources": {"gpu": {"count": 1}}}
RAY = GPU | {"name": "ray", "provider": {"name": "kuberay"}}
BUILT = {"name": "built", "model": {"id": "org/gguf", "gguf": {"file": "m-Q4_0.gguf", "build": True}}}
