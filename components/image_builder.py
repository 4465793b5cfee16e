"""Builds model images inside the cluster."""

from typing import TypedDict

import pulumi

from airunway.planning.build_services import builder_objects
from airunway.planning.image_build import PlannedImage
from airunway.planning.settings import StackSettings
from components.children import child_options, ignored_claim_fields
from components.kubernetes_object import KubernetesObject


class ImageBuilderArgs(TypedDict):
    """Arguments of ``ImageBuilder``."""

    settings: StackSettings
    """The stack's settings, including ``builder``."""

    depends_on: list[pulumi.Resource]
    """Dependencies of its children: the namespace."""

    on_failure: pulumi.ErrorHook
    """Hook that runs when a child fails."""


class ImageBuilder(pulumi.ComponentResource):
    """Rootless BuildKit with a cache volume. It has no port: builds use its socket."""

    def __init__(self, name: str, args: ImageBuilderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airunway:index:ImageBuilder", name, {}, opts)
        dependencies = list(args["depends_on"])
        for manifest in builder_objects(args["settings"]):
            resource_name = f"{manifest['metadata']['name']}-{manifest['kind'].lower()}"
            options = child_options(
                self,
                depends_on=dependencies,
                ignore_changes=ignored_claim_fields(manifest),
                on_error=args["on_failure"],
            )
            dependencies.append(KubernetesObject(resource_name, manifest, options))
        self.register_outputs({})


class ModelImageArgs(TypedDict):
    """Arguments of ``ModelImage``."""

    image: PlannedImage
    """The planned image."""

    depends_on: list[pulumi.Resource]
    """Dependencies of the build: registry and builder."""

    on_failure: pulumi.ErrorHook
    """Hook that runs when the build fails."""


class ModelImage(pulumi.ComponentResource):
    """One image: the Job that builds and pushes it. The component is ready once the image exists."""

    reference: pulumi.Output[str]
    """The image as nodes pull it."""

    def __init__(self, name: str, args: ModelImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        image = args["image"]
        super().__init__("airunway:index:ModelImage", name, {"reference": image.pull}, opts)
        # A Job can't be changed, only replaced under the same name.
        options = child_options(
            self,
            depends_on=args["depends_on"],
            timeout=image.timeout,
            delete_before_replace=True,
            on_error=args["on_failure"],
        )
        KubernetesObject(image.name, image.job(), options)
        self.reference = pulumi.Output.from_input(image.pull)
        self.register_outputs({"reference": self.reference})
