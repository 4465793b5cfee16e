"""The operator of one inference provider."""

from typing import TypedDict

import pulumi
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs

from airunway.planning.settings import InstallationMode
from airunway.provider.labels import MANAGED
from airunway.selection.provider_config import HelmChart, InferenceProviderConfig
from components.children import child_options, retained_options
from components.kubernetes_object import KubernetesObject


class InferenceProviderArgs(TypedDict):
    """Arguments of ``InferenceProvider``."""

    config: InferenceProviderConfig
    """The provider's configuration."""

    managed: bool
    """Whether the stack installs the operator; otherwise nothing is created."""

    on_failure: pulumi.ErrorHook
    """Hook that runs when a release fails."""


class InferenceProvider(pulumi.ComponentResource):
    """Namespaces and Helm releases of one provider's operator; nothing for an existing installation.

    Namespaces are retained when the stack is destroyed, as they may contain other objects. So are releases whose
    uninstall would delete CRDs and all their objects. Helm installs the CRDs in a chart's ``crds`` folder once, and
    neither upgrades nor deletes them.
    """

    installation: pulumi.Output[str]
    """``managed`` or ``existing``."""

    def __init__(self, name: str, args: InferenceProviderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        installation = str(InstallationMode.MANAGED if args["managed"] else InstallationMode.EXISTING)
        super().__init__(
            "airunway:index:InferenceProvider",
            name,
            {"provider": args["config"].name, "installation": installation},
            opts,
        )
        if args["managed"]:
            self._install(args["config"], args["on_failure"])
        self.installation = pulumi.Output.from_input(installation)
        self.register_outputs({"installation": self.installation})

    def _install(self, config: InferenceProviderConfig, on_failure: pulumi.ErrorHook) -> None:
        charts = config.spec.installation.helm_charts
        namespaces = {
            namespace: KubernetesObject(
                namespace,
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {"name": namespace, "labels": MANAGED},
                },
                retained_options(self),
            )
            for namespace in dict.fromkeys(c.namespace for c in charts if c.create_namespace)
        }
        releases: list[pulumi.Resource] = []
        for chart in charts:
            dependencies = [namespaces[chart.namespace]] if chart.namespace in namespaces else []
            options = child_options(
                self,
                depends_on=[*dependencies, *releases],
                retain_on_delete=chart.retain_on_delete,
                on_error=on_failure,
            )
            releases.append(self._release(chart, config.spec.installation.address(chart), options))

    def _release(self, chart: HelmChart, repository: str | None, options: pulumi.ResourceOptions) -> Release:
        return Release(
            chart.name,
            name=chart.name,
            chart=chart.chart.split("/", 1)[1] if repository else chart.chart,
            version=chart.version,
            namespace=chart.namespace,
            repository_opts=RepositoryOptsArgs(repo=repository) if repository else None,
            skip_crds=chart.skip_crds or None,
            values=chart.values,
            opts=options,
        )
