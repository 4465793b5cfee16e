"""Tier 1 (pure): the message for an object that did not get ready."""

from providers.failures import failure_message
from tests.unit.samples import plan


def test_a_deployment_s_failure_names_deployment_kind_last_status_and_where_to_look() -> None:
    text = failure_message("demo", plan({}).rendered.resource, "timed out waiting\n for .status.state")
    assert text.splitlines() == [
        "deployment demo: Workspace ml/demo did not get ready",
        "  last seen: timed out waiting for .status.state",
        "  look further: kubectl describe -n ml workspace/demo",
        "  look further: kubectl get pods -n ml -l airunway.ai/deployment=demo",
        "  look further: kubectl logs -n ml -l airunway.ai/deployment=demo --tail=50",
    ]


def test_a_build_s_failure_says_where_its_log_is() -> None:
    job = {"kind": "Job", "metadata": {"name": "b", "namespace": "airunway-system", "annotations": {"airunway.ai/image": "x/y:z"}}}
    text = failure_message("b", job, "")
    assert "image x/y:z was not built by Job airunway-system/b" in text
    assert "kubectl logs -n airunway-system job/b --tail=50" in text
