"""A stack file's ``airunway:`` settings: what one cluster serves and how."""

from typing import Annotated, Any, Literal

from pydantic import Field

from providers.spec import Model, ModelDeploymentSpec, Text

DnsLabel = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Duration = Annotated[str, Field(pattern=r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", min_length=2)]


class DeploymentEntry(ModelDeploymentSpec):
    """One model deployment of a stack: a name and the fields of a ModelDeployment's spec."""

    name: DnsLabel = Field(description="Name of the deployment, of its upstream object and of its entry in the outputs.")
    namespace: DnsLabel | None = Field(None, description="Namespace. Default: the stack's.")
    ready_timeout: Duration | None = Field(
        None, description="How long `pulumi up` waits until it serves, such as 45m. Default: the stack's."
    )
    skip_await: bool = Field(False, description="Do not wait until it serves.")


class Cluster(Model):
    """The one cluster that a stack deploys to; never the context that happens to be current."""

    context: Text | None = Field(None, description="Context of the kubeconfig.")
    kubeconfig: Text | None = Field(None, description="Path of a kubeconfig. Default: KUBECONFIG or ~/.kube/config, with context.")


class ProviderSettings(Model):
    """What a stack changes about one inference provider."""

    enabled: bool = Field(True, description="Whether it may be chosen.")
    installation: Literal["managed", "existing"] = Field(
        "managed", description="managed: the stack installs its operator; existing: it is there."
    )
    spec: dict[str, Any] = Field(
        {}, description="Deep-merged over its InferenceProviderConfig's spec; lists of named things merge by name, null deletes."
    )


class StackSettings(Model):
    """Everything under ``airunway:`` in a stack file but secrets."""

    cluster: Cluster = Field(Cluster(), description="Which cluster; context or kubeconfig is required.")
    namespace: DnsLabel = Field("default", description="Namespace of deployments that name none.")
    create_namespaces: bool = Field(True, description="Create the namespaces of the deployments (all but default).")
    deployments: list[Any] = Field([], description="Model deployments.")
    manifests: list[Text] = Field([], description="Files with ModelDeployment documents, relative to the project.")
    providers: dict[str, ProviderSettings] = Field({}, description="Settings by provider name.")
    provider_files: list[Text] = Field([], description="Files with InferenceProviderConfig documents, relative to the project.")
    hugging_face_secret: Text | None = Field(
        None, description="Existing Secret (key HF_TOKEN) in each namespace, instead of airunway:huggingFaceToken."
    )
    ready_timeout: Duration = Field("30m", description="How long `pulumi up` waits for each deployment.")
    protect: bool = Field(False, description="Protect deployments, operators and namespaces from deletion.")


TOKEN_SETTING = "huggingFaceToken"
"""The one setting that is a secret; it is read apart from the others."""
