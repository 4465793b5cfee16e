"""Which module renders for which provider."""

from types import ModuleType

from providers import delivery, dynamo, kaito, kuberay
from providers.problems import InputError, Problem
from providers.rendering import Deployment, Endpoint, Rendered

RENDERERS: tuple[ModuleType, ...] = (kaito, dynamo, kuberay)


def render(deployment: Deployment) -> Rendered:
    """Render ``deployment`` for the provider it was given to. Raises ``InputError``."""
    module, engine, mode = _renderer(deployment.selection.provider), deployment.selection.engine, deployment.spec.serving.mode
    if engine not in module.RENDERS:
        raise InputError(
            [Problem("engine.type", f"{module.NAME} was chosen, whose renderer knows {', '.join(module.RENDERS)}, not {engine}")]
        )
    if mode not in module.RENDERS[engine]:
        known = ", ".join(module.RENDERS[engine])
        raise InputError([Problem("serving.mode", f"{module.NAME} was chosen, whose renderer knows {engine} {known}, not {mode}")])
    rendered: Rendered = module.render(deployment)
    return rendered


def render_for_controller(deployment: Deployment, group: str) -> Rendered:
    """Render ``deployment`` as a ModelDeployment of API group ``group``. Raises ``InputError``."""
    resource = delivery.model_deployment(deployment, group)
    name = resource["metadata"]["name"]
    if deployment.selection.provider == kuberay.NAME and len(name) > kuberay.MAX_NAME:
        raise InputError([Problem("name", f"makes a RayService {name}; its name has at most {kuberay.MAX_NAME} characters")])
    endpoint: Endpoint = _renderer(deployment.selection.provider).endpoint(name)
    return Rendered(resource, endpoint, delivery.READY)


def renderer_of(provider: str) -> ModuleType | None:
    """The module that renders for ``provider``; None for one that a stack brought along."""
    return next((m for m in RENDERERS if provider == m.NAME), None)


def _renderer(provider: str) -> ModuleType:
    module = renderer_of(provider)
    if module is None:
        known = ", ".join(m.NAME for m in RENDERERS)
        raise InputError([Problem("provider.name", f"{provider} was chosen, but there is no renderer for it; there is one for {known}")])
    return module
