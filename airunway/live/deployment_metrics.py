"""What a deployment's servers tell Prometheus: the one behind its endpoint, and its engine where that tells more."""

from dataclasses import dataclass

from airunway.live.api_server.connection import Connection, label_selector
from airunway.live.engine_metrics import Metrics, NoMetricsError, completed, metrics_note, metrics_of
from airunway.live.failures import pod_label
from airunway.live.forward import named_port, pod_forward, port_forward, selected_pods
from airunway.live.survey import status_of
from airunway.planning.deployment import PlannedDeployment
from airunway.provider.contract import MetricsPort
from airunway.text.problems import InputError, Problem


@dataclass(frozen=True)
class DeploymentMetrics:
    """The metrics of a deployment, None if its servers tell nothing that is known.

    ``answers`` says whether a server has metrics at all, ``note`` how it comes to tell more, and ``unread`` why an
    engine's port was not read where the endpoint tells something.
    """

    metrics: Metrics | None
    answers: bool
    note: str = ""
    unread: str = ""


async def deployment_metrics(connection: Connection, planned: PlannedDeployment) -> DeploymentMetrics:
    """Read the metrics of one ready pod of each kind. Raises ``InputError`` if nothing can be read."""
    namespace = planned.request.namespace
    status = await status_of(connection, planned)
    metrics, answers, unread = None, True, ""
    async with port_forward(connection, namespace, status.endpoint) as url:
        try:
            metrics = await metrics_of(url)
        except NoMetricsError:
            answers = False
    port = planned.provider.METRICS_PORT
    if port:
        try:
            metrics, answers = completed(metrics, await _engine_metrics(connection, planned, port)), True
        except NoMetricsError:
            pass
        except InputError as error:
            if metrics is None:
                raise
            unread = str(error)
    return DeploymentMetrics(metrics, answers, metrics_note(planned.request.selection.engine, metrics), unread)


async def _engine_metrics(connection: Connection, planned: PlannedDeployment, port: MetricsPort) -> Metrics | None:
    resource, namespace = planned.rendered.resource, planned.request.namespace
    labels = {pod_label(str(resource["kind"])): str(resource["metadata"]["name"]), **port.labels}
    pods = await selected_pods(connection, namespace, label_selector(labels))
    numbers = {pod.metadata.name: named_port(pod, port.name) for pod in pods if pod.is_ready}
    targets = sorted((name, number) for name, number in numbers.items() if number is not None)
    if not targets:
        subject = f"{resource['kind']} {namespace}/{resource['metadata']['name']}"
        raise InputError([Problem(subject, f"no ready pod of it has a port {port.name}, where its engine has metrics")])
    async with pod_forward(connection, namespace, targets[0]) as url:
        return await metrics_of(url)
