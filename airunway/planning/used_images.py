"""The images that a plan lets pods pull, and that a lock can name the digests of."""

from collections.abc import Iterator

from airunway.planning.locked_images import builder_images
from airunway.planning.plan import Plan
from airunway.provider.image_references import images_in


def used_images(plan: Plan) -> Iterator[str]:
    """The images without a digest, but for those that the stack builds."""
    for planned in plan.deployments:
        found = images_in([planned.rendered.resource, *planned.rendered.supporting])
        yield from (image for image in found if "@" not in image and image != planned.request.built_image)
    if plan.images:
        yield from (image for _, image in builder_images(plan.settings) if "@" not in image)
