"""The input and output of a provider's renderer: a checked deployment with its decision, and the objects for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airunway.provider.image_references import image_of_role
from airunway.provider.labels import GROUP, MANAGED
from airunway.selection.provider_config import InferenceProviderConfig
from airunway.selection.select import Selection
from airunway.spec.model import ModelDeploymentSpec
from airunway.text.merge import non_empty


@dataclass(frozen=True)
class Request:
    """A checked deployment with its decision; ``token_secret`` is the Secret with its Hugging Face token, if any.

    ``built_image`` is the image that the stack builds for it, as nodes pull it; ``pull_secret`` is set if the registry
    needs a login. ``labels_added`` and ``annotations_added`` are the user's for the upstream object. ``is_enforced`` is
    set if the stack's namespaces enforce a Pod Security level.
    """

    name: str
    namespace: str
    spec: ModelDeploymentSpec
    selection: Selection
    config: InferenceProviderConfig
    token_secret: str | None = None
    built_image: str | None = None
    pull_secret: str | None = None
    labels_added: Mapping[str, str] = field(default_factory=dict)
    annotations_added: Mapping[str, str] = field(default_factory=dict)
    is_enforced: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """Labels of every object that serves this deployment."""
        return {
            **MANAGED,
            f"{GROUP}/deployment": self.name,
            f"{GROUP}/engine-type": str(self.selection.engine),
            f"{GROUP}/model-source": str(self.spec.model.source),
        }

    @property
    def metadata(self) -> dict[str, Any]:
        """Metadata of the upstream object."""
        return {"name": self.name, "namespace": self.namespace, "labels": self.labels}

    def with_user_metadata(self, resource: dict[str, Any]) -> dict[str, Any]:
        """``resource`` with the user's labels and annotations too, where it doesn't set the same."""
        metadata = resource["metadata"]
        labels = {**self.labels_added, **metadata["labels"]}
        annotations = {**self.annotations_added, **metadata.get("annotations", {})}
        return resource | {"metadata": metadata | {"labels": labels} | non_empty(annotations=annotations)}

    def image(self, role: str) -> str:
        """The spec's image, else the provider's image for ``role``. Raises ``InputError`` if there is neither."""
        return self.spec.container_image or image_of_role(self.config.spec.images, role)


@dataclass(frozen=True)
class Endpoint:
    """A Service with the OpenAI API under ``/v1``."""

    service: str
    port: int

    def url(self, namespace: str) -> str:
        """Base URL inside the cluster."""
        host = f"{self.service}.{namespace}.svc"
        return f"http://{host}/v1" if self.port == 80 else f"http://{host}:{self.port}/v1"


@dataclass(frozen=True)
class Objects:
    """The upstream object, and the objects that must exist before it.

    Another ``replacement_trigger`` replaces the object: it says what the object consists of, where the operator refuses
    to change that.
    """

    resource: dict[str, Any]
    supporting: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    """Fields of this object that are to be replaced with, beside those that are of every object of its kind."""
    replacement_trigger: str | None = None
    renamed: tuple[str, ...] = ()
    """Names that overrides replaced by others, so that the object has no such elements to delete."""


@dataclass(frozen=True)
class Rendered:
    """The object to create, the objects that must exist before it, and how Pulumi handles it.

    ``wait_for`` is the value of the ``pulumi.com/waitFor`` annotation. A change of a field in ``replace_on_changes``,
    or another ``replacement_trigger``, replaces the object. ``other_api_versions`` are versions as which it may have
    been created.
    """

    resource: dict[str, Any]
    endpoint: Endpoint
    wait_for: str
    replace_on_changes: tuple[str, ...]
    supporting: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    replacement_trigger: str | None = None
    other_api_versions: tuple[str, ...] = ()
    retained: tuple[str, ...] = ()
    """Names of those supporting claims that outlive the deployment."""
