"""The pods of a Workspace: one, on a node with its labels.

A preset takes every GPU of its node. Where the model does not fit one node, KAITO takes several: how many is its own
estimate, which is not known here.
"""

import dataclasses
from pathlib import Path

from airunway.provider.contract import MetricsPort
from airunway.provider.live_object import WholeNumber, read_as, read_value
from airunway.provider.pod_groups import PodGroup, pod_group, read_tolerations
from airunway.provider.pod_reading import Object
from airunway.text.yaml_reading import load_data
from providers.kaito.reader import Workspace

_COUNT = "nvidia.com/gpu.count"
METRICS_PORT: MetricsPort | None = None


def pods(obj: Object) -> tuple[PodGroup, ...]:
    """The pod of the Workspace. Raises ``UnreadableError``."""
    workspace = read_as(Workspace, obj)
    labels = workspace.resource.label_selector.match_labels
    tolerations = read_tolerations(load_data(Path(__file__).with_name("tolerations.yaml"))["tolerations"])
    inference = workspace.inference
    if inference is None:
        return ()
    if inference.preset is not None:
        gpus = read_value(WholeNumber, labels.get(_COUNT, "1"), f"resource.labelSelector.matchLabels.{_COUNT}")
        return (PodGroup("", 1, gpus, node_selector=labels, tolerations=tolerations, whole_node=True),)
    group = pod_group("", 1, inference.template.spec, "inference.template.spec")
    selector = {**labels, **group.node_selector}
    return (dataclasses.replace(group, node_selector=selector, tolerations=(*tolerations, *group.tolerations)),)
