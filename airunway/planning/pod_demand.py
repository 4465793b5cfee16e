"""The pods that a planned deployment asks for."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from airunway.planning.deployment import PlannedDeployment
from airunway.planning.known_values import with_known_values
from airunway.planning.plan import Plan
from airunway.provider.live_object import UnreadableError
from airunway.provider.pod_groups import PodGroup
from airunway.provider.render import render
from airunway.provider.workers import workers_by_role
from airunway.spec.entry import Delivery
from airunway.text.problems import InputError

Demand = Mapping[str, Sequence[PodGroup] | None]


def pod_groups(planned: PlannedDeployment) -> tuple[PodGroup, ...] | None:
    """The pods that a deployment makes; None where that can't be known.

    A ModelDeployment is taken for the object that its controller makes of it, if we would render it the same way.
    Overrides may leave an object that can't be read, or one that asks for no GPUs though the spec does.
    """
    try:
        rendered = planned.rendered
        if planned.delivery is Delivery.MODELDEPLOYMENT:
            rendered = render(planned.provider, planned.request)
        groups = planned.provider.pods(with_known_values(rendered.resource))
    except (InputError, UnreadableError):
        return None
    asked = any(workers.gpu.count and workers.replicas for workers in workers_by_role(planned.request.spec).values())
    return None if asked and not any(group.gpus for group in groups) else groups


def demand_of(plan: Plan) -> Demand:
    """The pods of each deployment by its name; None where they can't be known."""
    return {planned.name: pod_groups(planned) for planned in plan.deployments}


def gpu_range(planned: PlannedDeployment) -> tuple[int, int] | None:
    """The GPUs of a deployment, fewest and most; None where they can't be known."""
    groups = pod_groups(planned)
    if groups is None:
        return None
    totals = [group.total_gpus for group in groups]
    return sum(least for least, _ in totals), sum(most for _, most in totals)


def gpus_of_all(deployments: Iterable[PlannedDeployment]) -> tuple[int, int] | None:
    """The GPUs of several deployments, fewest and most; None where those of one can't be known."""
    ranges = [gpu_range(planned) for planned in deployments]
    known = [gpus for gpus in ranges if gpus is not None]
    return (sum(g[0] for g in known), sum(g[1] for g in known)) if len(known) == len(ranges) else None


def gpu_words(gpus: tuple[int, int] | None) -> str:
    """Fewest and most GPUs in a sentence, such as ``4 GPUs``; None where they are unknown."""
    if gpus is None:
        return "GPUs unknown"
    least, most = gpus
    count = str(most) if least == most else f"{least}–{most}"
    return "no GPU" if not most else f"{count} GPU{'' if most == 1 else 's'}"


def deployments_words(deployments: Collection[PlannedDeployment]) -> str:
    """How many deployments there are and what they take, such as ``9 deployments, 15 GPUs``."""
    count = len(deployments)
    return f"{count} deployment{'' if count == 1 else 's'}, {gpu_words(gpus_of_all(deployments))}"


def gpu_total(groups: Sequence[PodGroup] | None) -> int | None:
    """The GPUs of all groups, at most; None where they can't be known."""
    return None if groups is None else sum(group.total_gpus[1] for group in groups)
