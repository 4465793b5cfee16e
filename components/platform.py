"""What the deployments of one cluster share."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi

from airunway.planning.build_services import system_namespace
from airunway.planning.deployment import TOKEN_SECRET, PlannedDeployment
from airunway.planning.image_build import NAMESPACE
from airunway.planning.model_deployment import MODELDEPLOYMENT
from airunway.planning.plan import Plan
from airunway.planning.settings import PASSWORD_SETTING, TOKEN_SETTING
from airunway.planning.volume_claims import claim_problems
from airunway.provider.labels import MANAGED
from airunway.provider.pods import TOKEN_KEY
from airunway.text.names import name_of
from airunway.text.problems import InputError
from components.children import child_options, kept_options
from components.controller import Controller
from components.failure import failure_hook
from components.image_builder import ImageBuilder, ModelImage
from components.image_registry import ImageRegistry
from components.inference_provider import InferenceProvider
from components.kubernetes_object import KubernetesObject
from components.last_update import LastUpdate
from components.secret_object import secret_object


class PlatformArgs(TypedDict):
    """Arguments of ``Platform``."""

    plan: Plan
    """What the stack needs, as decided."""

    last: LastUpdate
    """What the last update left in the stack's state."""

    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """The stack's secrets by setting: ``huggingFaceToken`` and ``registryPassword``, where the plan counts on them."""


class Platform(pulumi.ComponentResource):
    """Operators, namespaces, token Secrets and image builds, each created only where some deployment needs it, and once."""

    def __init__(self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        plan, secrets = args["plan"], args.get("secrets", {})
        _refuse_impossible_claims(plan, args["last"])
        super().__init__("airunway:index:Platform", name, {}, opts)
        self.on_failure = failure_hook(plan.settings.cluster)
        self._operators = {
            planned.config.name: InferenceProvider(
                planned.config.name,
                {"config": planned.config, "managed": planned.managed, "on_failure": self.on_failure},
                child_options(self),
            )
            for planned in plan.providers
        }
        self._namespaces = {
            namespace: KubernetesObject(namespace, _namespace(namespace), kept_options(self)) for namespace in plan.namespaces
        }
        self._secrets = {
            namespace: secret_object(
                self, name_of(TOKEN_SECRET, namespace), _token_secret(namespace, secrets[TOKEN_SETTING]), self._namespace(namespace)
            )
            for namespace in plan.token_namespaces
        }
        self._controller = [Controller("controller", {"controller": plan.controller}, child_options(self))] if plan.controller else []
        self._logins: dict[str, KubernetesObject] = {}
        self._images = self._build(plan, secrets.get(PASSWORD_SETTING)) if plan.images else {}
        self.register_outputs({"providers": sorted(self._operators), "namespaces": list(plan.namespaces), "images": sorted(self._images)})

    def needs(self, planned: PlannedDeployment) -> list[pulumi.Resource]:
        """What a deployment has to wait for."""
        deployment = planned.request
        secret = [self._secrets[deployment.namespace]] if deployment.token_secret == TOKEN_SECRET else []
        image = [self._images[planned.image.name]] if planned.image else []
        login = [self._logins[deployment.namespace]] if deployment.pull_secret else []
        controller = self._controller if planned.delivery == MODELDEPLOYMENT else []
        operator = self._operators[deployment.selection.provider]
        return [operator, *controller, *self._namespace(deployment.namespace), *secret, *login, *image]

    def _build(self, plan: Plan, password: pulumi.Input[str] | None) -> dict[str, ModelImage]:
        namespace = KubernetesObject(NAMESPACE, system_namespace(plan.settings), kept_options(self))
        needs: list[pulumi.Resource] = [namespace, *(self._namespaces[n] for n in plan.pull_namespaces if n in self._namespaces)]
        registry = ImageRegistry(
            "registry",
            {
                "settings": plan.settings,
                "needs": needs,
                "pull_namespaces": list(plan.pull_namespaces),
                "password": password,
                "on_failure": self.on_failure,
            },
            child_options(self),
        )
        self._logins = registry.logins
        builder = ImageBuilder(
            "builder", {"settings": plan.settings, "needs": [namespace], "on_failure": self.on_failure}, child_options(self)
        )
        needs = [registry, builder]
        return {
            image.name: ModelImage(image.name, {"image": image, "needs": needs, "on_failure": self.on_failure}, child_options(self))
            for image in plan.images
        }

    def _namespace(self, namespace: str) -> list[pulumi.Resource]:
        return [self._namespaces[namespace]] if namespace in self._namespaces else []


def _refuse_impossible_claims(plan: Plan, last: LastUpdate) -> None:
    """Raise ``pulumi.RunError`` where a volume claim of the last update would have to change as none can."""

    def live(name: str) -> Mapping[str, Any] | None:
        return next(last.outputs("kubernetes:core/v1:PersistentVolumeClaim", f"{name}-persistentvolumeclaim"), None)

    problems = claim_problems(plan.settings, live) if plan.images else []
    if problems:
        raise pulumi.RunError(str(InputError(problems)))


def _namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": MANAGED}}


def _token_secret(namespace: str, token: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": TOKEN_SECRET, "namespace": namespace, "labels": MANAGED},
        "type": "Opaque",
        "stringData": {TOKEN_KEY: pulumi.Output.secret(token)},
    }
