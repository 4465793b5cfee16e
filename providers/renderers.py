"""Which module renders for which provider."""

from types import ModuleType

from providers import dynamo, kaito, kuberay
from providers.problems import InputError, Problem
from providers.rendering import Deployment, Rendered

RENDERERS: tuple[ModuleType, ...] = (kaito, dynamo, kuberay)


def render(deployment: Deployment) -> Rendered:
    """Render ``deployment`` for the provider it was given to. Raises ``InputError``."""
    provider = deployment.selection.provider
    module = next((m for m in RENDERERS if provider == m.NAME), None)
    if module is None:
        known = ", ".join(m.NAME for m in RENDERERS)
        raise InputError([Problem("provider.name", f"{provider} was chosen, but there is no renderer for it; there is one for {known}")])
    rendered: Rendered = module.render(deployment)
    return rendered
