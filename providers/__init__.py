"""The inference providers, one folder each. This list is all that names them: a new provider is a folder and an entry
here.
"""

from airunway.provider.registry import Providers
from providers import dynamo, kaito, kuberay, vllm

PROVIDERS = Providers((kaito, dynamo, kuberay, vllm))
"""All of them; mypy holds each to the contract in ``airunway/provider/contract.py``."""
