"""Assess a stack of a project together with the other stacks of its cluster."""

from dataclasses import replace
from pathlib import Path

from airunway.assessment.assessment import Assessment
from airunway.assessment.finding import Concern, Finding, Severity
from airunway.planning.assess import assess
from airunway.planning.plan import Plan
from airunway.planning.settings import Cluster
from airunway.program.stack_file import stack_names
from airunway.program.stack_plan import stack_plan, stack_settings
from airunway.text.problems import InputError


def assess_stack(root: Path, stack: str, plan: Plan) -> Assessment:
    """Assess the plan of ``stack`` of the project at ``root``; other stacks of its cluster use its node pools too."""
    others: dict[str, Plan] = {}
    notes: list[Finding] = []
    for name in _other_stacks(root, stack) if plan.node_pools else []:
        try:
            if same_cluster(stack_settings(root, name)[0].cluster, plan.settings.cluster):
                others[name] = stack_plan(root, name)
        except InputError:
            message = f"stack {name} can't be planned, so its GPUs are not counted: airunway preview --stack {name}"
            notes.append(Finding(Concern.CAPACITY, Severity.ADVISORY, message))
    assessment = assess(plan, others, stack)
    return replace(assessment, findings=(*assessment.findings, *notes))


def same_cluster(one: Cluster, other: Cluster) -> bool:
    """Whether two stacks name the same cluster: by its uid, else by the same context and kubeconfig."""
    if one.uid and other.uid:
        return one.uid == other.uid
    return one.is_named and (one.context, one.kubeconfig) == (other.context, other.kubeconfig)


def _other_stacks(root: Path, stack: str) -> list[str]:
    try:
        return [name for name in stack_names(root) if name != stack]
    except InputError:  # a program without a project of its own
        return []
