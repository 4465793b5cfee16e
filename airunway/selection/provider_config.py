"""``InferenceProviderConfig``: a provider's capabilities, selection rules and operator installation.

Documents follow KubeAIRunway's CRD, either with capabilities per engine or in the older flat form.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, field_validator, model_validator

from airunway.selection.rule_evaluation import RuleError, compile_rule
from airunway.selection.upstream_keys import hoist_annotations, set_aside
from airunway.spec.model import Engine, Image, Mode, StrictModel, Text, enum_validator
from airunway.text.helm_values import expand_paths
from airunway.text.problems import InputError, Problem, format_value, suggest_name, validation_problems

API_GROUPS = ("airunway.ai", "kubeairunway.ai")
"""Groups under which KubeAIRunway has published its kinds; ours first."""


class EngineCapability(StrictModel):
    """A provider's capabilities for one engine."""

    name: Annotated[Engine, enum_validator(Engine)] = Field(description="Engine.")
    serving_modes: list[Annotated[Mode, enum_validator(Mode)]] = Field([Mode.AGGREGATED], description="Serving modes.")
    gpu_support: bool = Field(False, description="Whether it runs on GPUs.")
    cpu_support: bool = Field(False, description="Whether it runs without GPUs.")


class Capabilities(StrictModel):
    """A provider's capabilities."""

    engines: list[EngineCapability] = Field(description="One entry per engine.")

    @model_validator(mode="before")
    @classmethod
    def _hoist(cls, data: Any) -> Any:
        """Convert the older form, which lists engine names and has one set of capabilities for all of them."""
        if not isinstance(data, dict) or not isinstance(data.get("engines"), list):
            return data
        shared = {k: data[k] for k in ("servingModes", "gpuSupport", "cpuSupport") if k in data}
        rest = {k: v for k, v in data.items() if k not in shared}
        return rest | {"engines": [shared | {"name": e} if isinstance(e, str) else e for e in data["engines"]]}


class SelectionRule(StrictModel):
    """A CEL condition over ``spec``, and the provider's priority if it is true."""

    condition: str = Field(description="CEL expression over `spec` that is true or false.")
    priority: Annotated[int, Field(ge=0)] = Field(0, description="Rank when the condition is true; the highest wins.")
    description: Text | None = Field(None, description="What the condition means, in words for people.")

    @property
    def words(self) -> str:
        """What it means: its description, or else the condition."""
        return self.description or self.condition

    @field_validator("condition")
    @classmethod
    def _compiles(cls, condition: str) -> str:
        try:
            compile_rule(condition)
        except RuleError as error:
            raise ValueError(str(error)) from error
        return condition


class HelmRepository(StrictModel):
    """A Helm chart repository."""

    name: Text = Field(description="Name that charts refer to, as in `helm repo add`.")
    url: Text = Field(description="Address.")


def _expanded(values: Any) -> Any:
    return expand_paths(values) if isinstance(values, dict) and all(isinstance(key, str) for key in values) else values


class HelmChart(StrictModel):
    """One Helm release of the operator."""

    name: Text = Field(description="Release name.")
    chart: Text = Field(description="REPOSITORY/CHART, oci:// reference, address of an archive, or local path.")
    version: Text | None = Field(None, description="Chart version; a local path or an archive needs none.")
    namespace: Text = Field(description="Namespace of the release.")
    create_namespace: bool = Field(True, description="Whether the namespace is ours to create.")
    values: Annotated[dict[str, Any], BeforeValidator(_expanded)] = Field(
        {}, description="Chart values; a top-level key may be a path as for helm --set."
    )
    skip_crds: bool = Field(False, description="Leave out the CRDs of the chart's folder crds/.")
    retain_on_delete: bool = Field(
        True,
        description=(
            "Leave the release in the cluster when no deployment needs it; false only for a chart whose uninstall"
            " deletes no CRDs."
        ),
    )

    @property
    def repository(self) -> str | None:
        """Name of the repository in ``chart``; None for an oci:// reference, a URL, an archive or a local path."""
        if "://" in self.chart or "/" not in self.chart or chart_name(self.chart) is None:
            return None
        return self.chart.split("/", 1)[0]


def chart_name(reference: str) -> str | None:
    """Name of the chart in a reference; None for an archive or a local path, whose chart only Helm knows."""
    return None if reference.startswith((".", "/")) or reference.endswith(".tgz") else reference.rsplit("/", 1)[-1]


class InstallationStep(StrictModel):
    """One step of a manual installation."""

    title: Text = Field(description="What it does.")
    command: str | None = Field(None, description="Command.")
    description: Text = Field(description="Explanation.")


class Installation(StrictModel):
    """How the operator is installed."""

    description: str = Field("", description="One sentence.")
    default_namespace: Text | None = Field(None, description="Namespace of the operator.")
    helm_repos: list[HelmRepository] = Field([], description="Chart repositories.")
    helm_charts: list[HelmChart] = Field([], description="Releases, in order.")
    steps: list[InstallationStep] = Field([], description="The same by hand.")

    @model_validator(mode="after")
    def _repositories_known(self) -> "Installation":
        names = {r.name for r in self.helm_repos}
        for chart in self.helm_charts:
            repository = chart.repository
            if repository is not None and repository not in names:
                raise ValueError(
                    f"chart {chart.chart} has the unknown repository '{repository}'; {suggest_name(repository, names)}"
                )
        return self

    def address(self, chart: HelmChart) -> str | None:
        """URL of the repository of ``chart``; None if the chart needs no repository."""
        return next((r.url for r in self.helm_repos if r.name == chart.repository), None)


WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$")]
"""An address that a page may link to, which no script is."""


class ProviderSpec(StrictModel):
    """The ``spec`` of an InferenceProviderConfig, plus the images and defaults that our renderers use."""

    capabilities: Capabilities = Field(description="What it can run.")
    selection_rules: list[SelectionRule] = Field([], description="When it is chosen; none: only by name.")
    installation: Installation = Field(Installation(), description="Its operator.")
    documentation: WebAddress | None = Field(None, description="Address of the documentation, http or https.")
    images: dict[str, Image] = Field(
        {},
        description=(
            "Container images by role: the name of an engine, or llamacppCpu, llamacppGpu and premade for llama.cpp."
        ),
    )
    api_version: Text | None = Field(
        None, description="API version of the objects, if the operator does not serve the newest that is rendered."
    )
    defaults: dict[str, str] = Field({}, description="Resource quantities used where a spec names none, by role.")


class Metadata(StrictModel):
    """Name and annotations of a document."""

    model_config = StrictModel.model_config | {"extra": "ignore"}
    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")] = Field(description="Provider name.")
    annotations: dict[str, str] = Field({}, description="Annotations.")


class InferenceProviderConfig(StrictModel):
    """One provider, and the ``source`` of its document, for messages."""

    name: str = Field(description="Provider name.")
    spec: ProviderSpec = Field(description="Its spec.")
    source: str = Field("", description="File that it was read from.")
    warnings: tuple[str, ...] = Field((), description="Keys of its document that are not used here.")

    def capability(self, engine: Engine) -> EngineCapability | None:
        """The provider's capabilities for ``engine``; None if it can't run it."""
        return next((c for c in self.spec.capabilities.engines if c.name == engine), None)


class Document(StrictModel):
    """An InferenceProviderConfig as a YAML document."""

    api_version: str = Field(description="GROUP/v1alpha1.")
    kind: str = Field(description="InferenceProviderConfig.")
    metadata: Metadata = Field(description="Name and annotations.")
    spec: ProviderSpec = Field(description="Spec.")
    status: Annotated[dict[str, Any] | None, BeforeValidator(lambda v: v)] = Field(None, description="Ignored.")


def load_config(document: Any, source: str) -> InferenceProviderConfig:
    """Validate one document. Raises ``InputError`` whose problems begin with ``source``."""
    problems: list[Problem] = []
    if isinstance(document, dict):
        versions = [f"{group}/v1alpha1" for group in API_GROUPS]
        if document.get("apiVersion") not in versions:
            problems.append(
                Problem("apiVersion", f"{format_value(document.get('apiVersion'))} given; valid: {', '.join(versions)}")
            )
        if document.get("kind") != "InferenceProviderConfig":
            kind = format_value(document.get("kind"))
            problems.append(Problem("kind", f"{kind} given; valid: InferenceProviderConfig"))
    messages: list[str] = []
    try:
        document, messages = set_aside(hoist_annotations(document))
    except ValueError as error:
        problems.append(Problem("", str(error)))
    try:
        parsed = Document.model_validate(document)
    except ValidationError as error:
        problems += validation_problems(error, Document)
    if problems:
        raise InputError([Problem(f"{source}: {p.field}" if p.field else source, p.message) for p in problems])
    return InferenceProviderConfig(name=parsed.metadata.name, spec=parsed.spec, source=source, warnings=tuple(messages))
