"""Builds of model images inside the cluster."""

from typing import TypedDict

import pulumi

from airunway.planning.build_services import builder_objects
from airunway.planning.image_build import PlannedImage
from airunway.planning.settings import StackSettings
from components.children import child_options, claim_changes
from components.kubernetes_object import KubernetesObject


class ImageBuilderArgs(TypedDict):
    """Arguments of ``ImageBuilder``."""

    settings: StackSettings
    """The stack's settings; ``builder`` says how it builds."""

    needs: list[pulumi.Resource]
    """What its children wait for: the namespace."""

    on_failure: pulumi.ErrorHook
    """What runs when a child fails."""


class ImageBuilder(pulumi.ComponentResource):
    """BuildKit, rootless, with a cache on a volume. It has no port: builds use its socket."""

    def __init__(self, name: str, args: ImageBuilderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airunway:index:ImageBuilder", name, {}, opts)
        earlier = list(args["needs"])
        for manifest in builder_objects(args["settings"]):
            label = f"{manifest['metadata']['name']}-{manifest['kind'].lower()}"
            options = child_options(
                self, depends_on=earlier, ignore_changes=claim_changes(manifest), on_error=args["on_failure"]
            )
            earlier.append(KubernetesObject(label, manifest, options))
        self.register_outputs({})


class ModelImageArgs(TypedDict):
    """Arguments of ``ModelImage``."""

    image: PlannedImage
    """The image."""

    needs: list[pulumi.Resource]
    """Registry and builder."""

    on_failure: pulumi.ErrorHook
    """What runs when the build fails."""


class ModelImage(pulumi.ComponentResource):
    """One image: the Job that builds and pushes it. What depends on the component starts once the image exists."""

    reference: pulumi.Output[str]
    """The image as nodes pull it."""

    def __init__(self, name: str, args: ModelImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        image = args["image"]
        super().__init__("airunway:index:ModelImage", name, {"reference": image.pull}, opts)
        # A Job can't be changed, only made again under its name.
        options = child_options(
            self,
            depends_on=args["needs"],
            timeout=image.timeout,
            delete_before_replace=True,
            on_error=args["on_failure"],
        )
        KubernetesObject(image.name, image.job(), options)
        self.reference = pulumi.Output.from_input(image.pull)
        self.register_outputs({"reference": self.reference})
