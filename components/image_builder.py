"""Builds model images inside the cluster."""

from typing import NotRequired, TypedDict, cast

import pulumi
from pulumi.output import UNKNOWN

from airunway.live.api_server.connection import connect
from airunway.live.built_digest import built_digest
from airunway.planning.builder_objects import builder_objects
from airunway.planning.image_build import PlannedImage
from airunway.planning.last_build import LastBuild
from airunway.planning.settings import Cluster, StackSettings
from airunway.program.plan_collector import is_collected
from airunway.text.problems import InputError
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

    last_build: LastBuild
    """What the last update left of the build."""

    cluster: NotRequired[Cluster | None]
    """The cluster, where the digest is read. Without it, an image that is new is deployed by its tag."""

    on_failure: pulumi.ErrorHook
    """Hook that runs when the build fails."""


class ModelImage(pulumi.ComponentResource):
    """One image: the Job that builds and pushes it. The component is ready once the image exists.

    The Job of an image that was built stays as it is, whatever a later release would have it do.
    """

    reference: pulumi.Output[str]
    """The image as nodes pull it, by digest."""

    def __init__(self, name: str, args: ModelImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        image, last_build = args["image"], args["last_build"]
        super().__init__("airunway:index:ModelImage", name, {"reference": image.pull}, opts)
        is_built = last_build.has(image)
        # A Job can't be changed, only replaced under the same name.
        options = child_options(
            self,
            depends_on=args["depends_on"],
            timeout=image.timeout,
            delete_before_replace=True,
            ignore_changes=["spec"] if is_built else (),
            on_error=args["on_failure"],
        )
        job = KubernetesObject(image.name, image.job(), options)
        digest = last_build.digest if is_built else _digest(args.get("cluster"), job)
        self._digest = pulumi.Output.from_input(digest)
        self.reference = self._digest.apply(lambda known: f"{image.pull}@{known}" if known else image.pull)
        self.register_outputs({"reference": self.reference, "digest": self._digest, "push": image.push})


def _digest(cluster: Cluster | None, job: KubernetesObject) -> pulumi.Input[str]:
    """Return the digest that a Job reports when it has built its image; unknown in a preview.

    Empty without a cluster, and where the program only runs to be shown.
    """

    async def read(job_id: str) -> str:
        try:
            async with connect(named) as connection:
                return await built_digest(connection, job_id.rsplit("/", 1)[-1])
        except InputError as error:
            raise pulumi.RunError(str(error)) from error

    if cluster is None or is_collected():
        return ""
    named, unknown = cluster, cast(str, UNKNOWN)
    return job.id.apply(lambda _: unknown) if pulumi.runtime.is_dry_run() else job.id.apply(read)
