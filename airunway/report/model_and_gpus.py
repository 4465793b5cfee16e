"""Which model a deployment serves, and on how many GPUs: as plain data, and in words."""

from collections.abc import Mapping
from typing import Any

from airunway.planning.deployment import PlannedDeployment
from airunway.planning.pod_demand import gpu_range, gpu_words
from airunway.text.merge import non_empty


def model_document(planned: PlannedDeployment) -> dict[str, Any]:
    """Return what is served, with the commit and bytes of a locked model, the GPUs, and digests of locked images."""
    locked = planned.locked
    commit = {} if locked is None else {"revision": locked.revision, "bytes": locked.bytes}
    images = non_empty(images=dict(planned.locked_images))
    return {"model": {"id": planned.model, **commit}, **gpus_document(gpu_range(planned)), **images}


def gpus_document(gpus: tuple[int, int] | None) -> dict[str, Any]:
    """Return fewest and most GPUs; null where they are unknown."""
    return {"gpus": None if gpus is None else {"least": gpus[0], "most": gpus[1]}}


def gpus_cell(deployment: Mapping[str, Any]) -> str:
    """The GPUs of a deployment for a table: ``–`` if it has none, ``?`` if they are unknown."""
    gpus = deployment.get("gpus")
    if gpus is None:
        return "?"
    return "–" if not gpus["most"] else count_range(gpus)


def planned_gpus(planned: PlannedDeployment) -> str:
    """The GPUs of a planned deployment for a table, as ``gpus_cell`` has them."""
    return gpus_cell(gpus_document(gpu_range(planned)))


def gpus_words(deployment: Mapping[str, Any]) -> str:
    """The GPUs of a deployment in a sentence, such as ``4 GPUs``."""
    gpus = deployment.get("gpus")
    return gpu_words(None if gpus is None else (gpus["least"], gpus["most"]))


def count_range(count: Mapping[str, Any]) -> str:
    """Fewest to most of something; one number where they are the same."""
    return str(count["most"]) if count["least"] == count["most"] else f"{count['least']}–{count['most']}"
