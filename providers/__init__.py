"""The inference providers, one folder each. To add a provider, add its folder and list it here."""

from airunway.provider.provider_set import Providers
from providers import dynamo, kaito, kuberay, vllm

PROVIDERS = Providers((kaito, dynamo, kuberay, vllm))
"""All providers; mypy checks each against the contract in ``airunway/provider/contract.py``."""
