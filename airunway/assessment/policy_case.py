"""A case that tests a policy: what a stack is like, and whether that violates it."""

from typing import Any

from pydantic import Field, model_validator

from airunway.assessment.model_lock import ImageDigest, LockedModel, TaggedImage
from airunway.spec.model import StrictModel, Text


class PolicyCase(StrictModel):
    """One case."""

    policy: Text = Field(description="Name of the policy.")
    violated: bool = Field(description="Whether what follows violates it.")
    about: Text | None = Field(None, description="What the case is about, for people.")
    deployment: dict[str, Any] | None = Field(None, description="The one deployment, as in airunway:deployments.")
    deployments: list[dict[str, Any]] | None = Field(None, description="Several deployments.")
    settings: dict[str, Any] = Field(
        {}, description="Other settings of the stack, without airunway:, such as nodePools."
    )
    lock: dict[str, LockedModel] = Field({}, description="Locked models by id, as in stacks/models.lock.yaml.")
    images: dict[TaggedImage, ImageDigest] | None = Field(None, description="Locked digests by image, as there.")

    @model_validator(mode="after")
    def _has_deployments(self) -> "PolicyCase":
        if (self.deployment is None) == (self.deployments is None):
            raise ValueError("give either deployment or deployments")
        return self

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The deployments."""
        return [self.deployment] if self.deployment is not None else self.deployments or []

    @property
    def title(self) -> str:
        """The policy and what the case is about."""
        return f"{self.policy}: {self.about}" if self.about else self.policy
