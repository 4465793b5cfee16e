"""Unit (pure): the message for an object that was refused or did not get ready, from texts of the real provider."""

import pytest

from airunway.live.failures import Failure, cause_of, failure_message, failure_of
from tests.unit.samples import plan

# What pulumi-kubernetes (January 2026) reported against kube-apiserver 1.36.1.
_URN = "urn:pulumi:t::exp::kubernetes:kaito.sh/v1beta1:Workspace::demo"
_NOT_CREATED = f'resource "{_URN}" was not successfully created by the Kubernetes API server: '
_NOT_LIVE = (
    '1 error occurred:\n\t* the Kubernetes API server reported that "ml/demo" failed to fully initialize or become'
    " live: "
)
_CONFLICT = (
    "Server-Side Apply field conflict detected. See https://www.pulumi.com/registry/x/#handle-field-conflicts for"
    ' troubleshooting help.\nThe resource managed by field manager "airunway-dev" had an apply conflict: Apply failed'
    ' with 1 conflict: conflict with "kuberay-operator" using ray.io/v1: .spec.rayClusterConfig.workerGroupSpecs'
)
TIMEOUT = (
    f'1 error occurred:\n\t* resource "{_URN}" was successfully created, but the Kubernetes API server reported that it'
    " failed to fully initialize or become live: timed out waiting for the condition\n\n"
)
DENIED = (
    "ValidatingAdmissionPolicy 'deny' with binding 'deny' denied request: This preset does not require a"
    " modelAccessSecret"
)
UNTYPED = (
    "failed to create typed patch object (ml/demo; kaito.sh/v1beta1, Kind=Workspace): .nope: field not declared in"
    " schema"
)
REPORTS = [
    (TIMEOUT, Failure.NOT_READY, "timed out waiting for the condition"),
    (
        f'{_NOT_CREATED}workspaces.kaito.sh "demo" is forbidden: {DENIED}',
        Failure.REFUSED,
        f'workspaces.kaito.sh "demo" is forbidden: {DENIED}',
    ),
    (
        (
            f'{_NOT_LIVE}admission webhook "validation.workspace.kaito.sh" denied the request: field is immutable:'
            " resource.count\n\n"
        ),
        Failure.REFUSED,
        'admission webhook "validation.workspace.kaito.sh" denied the request: field is immutable: resource.count',
    ),
    (
        f"{_NOT_CREATED}{UNTYPED}",
        Failure.REFUSED,
        UNTYPED,
    ),
    (f'{_NOT_CREATED}namespaces "nowhere" not found', Failure.REFUSED, 'namespaces "nowhere" not found'),
    (
        f"{_NOT_CREATED}{_CONFLICT}",
        Failure.CONFLICT,
        (
            'Apply failed with 1 conflict: conflict with "kuberay-operator" using ray.io/v1:'
            " .spec.rayClusterConfig.workerGroupSpecs"
        ),
    ),
    (
        f"{_NOT_LIVE}{_CONFLICT}\n\n",
        Failure.CONFLICT,
        (
            'Apply failed with 1 conflict: conflict with "kuberay-operator" using ray.io/v1:'
            " .spec.rayClusterConfig.workerGroupSpecs"
        ),
    ),
    (
        (
            f'{_NOT_CREATED}Internal error occurred: failed calling webhook "v": Post "https://x.svc:9443": dial tcp:'
            " connection refused"
        ),
        Failure.REFUSED,
        'Internal error occurred: failed calling webhook "v": Post "https://x.svc:9443": dial tcp: connection refused',
    ),
    (
        "configured Kubernetes cluster is unreachable: unable to load schema information from the API server",
        Failure.UNREACHABLE,
        "configured Kubernetes cluster is unreachable: unable to load schema information from the API server",
    ),
]


@pytest.mark.parametrize(
    ("report", "failure", "cause"), REPORTS, ids=[f"{f}-{i}" for i, (_, f, _) in enumerate(REPORTS)]
)
def test_a_report_of_the_provider_is_told_by_its_kind_and_stripped_to_its_cause(
    report: str, failure: Failure, cause: str
) -> None:
    assert (failure_of(report), cause_of(report)) == (failure, cause)


def test_a_deployment_that_did_not_get_ready_is_named_with_its_last_status_and_where_to_look() -> None:
    text = failure_message("demo", plan({}).rendered.resource, TIMEOUT, "Deploying: 0 of 1 workers ready")
    assert text.splitlines() == [
        "deployment demo: Workspace ml/demo did not get ready",
        "  last status: Deploying: 0 of 1 workers ready",
        "  run: kubectl describe -n ml workspace/demo",
        "  run: kubectl get pods -n ml -l airunway.ai/deployment=demo",
        "  run: kubectl logs -n ml -l airunway.ai/deployment=demo --tail=50",
    ]


def test_where_nothing_can_be_read_the_provider_s_cause_is_what_was_last_seen() -> None:
    assert (
        "  last status: timed out waiting for the condition"
        in failure_message("demo", plan({}).rendered.resource, TIMEOUT).splitlines()
    )


@pytest.mark.parametrize(("report", "failure", "cause"), [r for r in REPORTS if r[1] is not Failure.NOT_READY])
def test_what_was_never_accepted_is_not_said_to_be_not_ready_and_sends_nobody_to_pods(
    report: str, failure: Failure, cause: str
) -> None:
    text = failure_message("demo", plan({}).rendered.resource, report)
    assert cause in text
    assert "did not get ready" not in text
    assert "kubectl get pods" not in text


def test_a_conflict_says_how_to_win() -> None:
    assert "takeOver: true" in failure_message("demo", plan({}).rendered.resource, f"{_NOT_LIVE}{_CONFLICT}")


def test_a_cancelled_wait_is_called_that() -> None:
    text = failure_message("demo", plan({}).rendered.resource, f"{_NOT_LIVE}context canceled")
    assert text == "deployment demo: waiting for Workspace ml/demo was cancelled; the next update resumes waiting"


def test_a_build_s_failure_says_where_its_log_is() -> None:
    job = {
        "kind": "Job",
        "metadata": {"name": "b", "namespace": "airunway-system", "annotations": {"airunway.ai/image": "x/y:z"}},
    }
    text = failure_message("b", job, "", "exit code 1: no such file")
    assert text.splitlines() == [
        "image x/y:z: Job airunway-system/b did not build it",
        "  last status: exit code 1: no such file",
        "  run: kubectl logs -n airunway-system job/b --tail=50",
        "  run: kubectl describe -n airunway-system job/b",
    ]


def test_what_all_deployments_share_is_named_by_itself() -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "airunway-registry", "namespace": "airunway-system"}}
    report = (
        f'{_NOT_LIVE}PersistentVolumeClaim "airunway-registry" is invalid: spec: Forbidden: spec is immutable after'
        " creation"
    )
    assert failure_message("x", claim, report).startswith(
        "PersistentVolumeClaim airunway-system/airunway-registry was refused"
    )
