"""What the deployments of one cluster share."""

from typing import Any, NotRequired, TypedDict

import pulumi

from components.children import child_options
from components.inference_provider import InferenceProvider
from components.kubernetes_object import KubernetesObject
from providers.plan import TOKEN_SECRET, Plan
from providers.rendering import GROUP, TOKEN_KEY, name_of

_LABELS = {f"{GROUP}/managed-by": "airunway"}


class PlatformArgs(TypedDict):
    """Arguments of ``Platform``."""

    plan: Plan
    """What the stack needs, as decided."""

    hugging_face_token: NotRequired[pulumi.Input[str] | None]
    """Token for Hugging Face; needed where the plan's deployments count on it."""


class Platform(pulumi.ComponentResource):
    """Operators, namespaces and token Secrets, each created only where some deployment needs it, and once."""

    def __init__(self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airunway:index:Platform", name, {}, opts)
        plan = args["plan"]
        self._operators = {
            planned.config.name: InferenceProvider(
                planned.config.name, {"config": planned.config, "managed": planned.managed}, child_options(self)
            )
            for planned in plan.providers
        }
        self._namespaces = {
            namespace: KubernetesObject(
                namespace,
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": _LABELS}},
                child_options(self),
            )
            for namespace in plan.namespaces
        }
        token = args.get("hugging_face_token")
        self._secrets = {
            namespace: KubernetesObject(
                name_of(TOKEN_SECRET, namespace),
                _token_secret(namespace, token),
                child_options(self, depends_on=self._namespace(namespace), secrets=["stringData"]),
            )
            for namespace in (plan.token_namespaces if token is not None else ())
        }
        self.register_outputs({"providers": sorted(self._operators), "namespaces": list(plan.namespaces)})

    def needs(self, provider: str, namespace: str) -> list[pulumi.Resource]:
        """What a deployment to ``provider`` in ``namespace`` has to wait for."""
        secret = [self._secrets[namespace]] if namespace in self._secrets else []
        return [self._operators[provider], *self._namespace(namespace), *secret]

    def _namespace(self, namespace: str) -> list[pulumi.Resource]:
        return [self._namespaces[namespace]] if namespace in self._namespaces else []


def _token_secret(namespace: str, token: pulumi.Input[str] | None) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": TOKEN_SECRET, "namespace": namespace, "labels": _LABELS},
        "type": "Opaque",
        "stringData": {TOKEN_KEY: pulumi.Output.secret(token)},
    }
