"""What the last update left of an image's build: whether the image is there, and its digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airunway.planning.image_build import PlannedImage


@dataclass(frozen=True)
class LastBuild:
    """The outputs of an image's component and of its Job in the state; empty where it has none."""

    component: Mapping[str, Any]
    job: Mapping[str, Any]

    def has(self, image: PlannedImage) -> bool:
        """Whether ``image`` was built and pushed to where it would be pushed now.

        Releases before 0.2 recorded where the image is pulled from, but not where it was pushed to.
        """
        if not (self.job.get("status") or {}).get("succeeded"):
            return False
        if "push" in self.component:
            return bool(self.component["push"] == image.push)
        return self.component.get("reference") == image.pull

    @property
    def digest(self) -> str:
        """The image's digest; empty if a release before 0.2 built it, whose Jobs reported none."""
        return str(self.component.get("digest") or "")
