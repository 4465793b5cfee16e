"""Cluster (real engine, real kube-apiserver): delivery by the KubeAIRunway controller, and switching a live deployment
to it and back.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from tests.cluster.apiserver import Cluster
from tests.cluster.controller import definitions, install
from tests.cluster.engine import Engine
from tests.cluster.operator import operator
from tests.cluster.stacks import Steps, names, settings
from tests.deployments import CPU

CONFIGS = "/apis/airunway.ai/v1alpha1/inferenceproviderconfigs"


def of_the_model(steps: Steps) -> list[tuple[str, str]]:
    return [(operation, kind) for operation, kind, name in steps.changes() if name == CPU["name"]]


def test_switching_a_live_deployment_serves_with_the_new_object_before_the_old_one_goes_both_ways(
    cluster: Cluster, engine: Engine
) -> None:
    install(cluster)
    ways: list[tuple[str, list[tuple[str, str]], str]] = [
        ("modeldeployment", [("create", "ModelDeployment"), ("delete", "Workspace")], "http://cpu-md.switch.svc/v1"),
        ("direct", [("create", "Workspace"), ("delete", "ModelDeployment")], "http://cpu.switch.svc/v1"),
    ]
    with operator(cluster):
        engine.stack("switch", settings(cluster, CPU, namespace="switch")).up()
        for delivery, expected, endpoint in ways:
            steps = Steps()
            stack = engine.stack("switch", settings(cluster, CPU, namespace="switch", delivery=delivery))
            result = stack.up(on_event=steps)
            assert of_the_model(steps) == expected
            assert result.outputs["deployments"].value["cpu"]["endpoint"] == endpoint
    assert (names(cluster, "Workspace", "switch"), names(cluster, "ModelDeployment", "switch")) == (["cpu"], [])
    assert cluster.items(CONFIGS) == [], "nothing is left of the controller's registrations"
    stack.destroy()


def test_a_switch_that_does_not_get_ready_leaves_the_old_object_serving(cluster: Cluster, engine: Engine) -> None:
    install(cluster)
    with operator(cluster, kinds=("Workspace",)):  # no controller
        engine.stack("stuck", settings(cluster, CPU, namespace="stuck")).up()
        stack = engine.stack(
            "stuck", settings(cluster, CPU, namespace="stuck", delivery="modeldeployment", readyTimeout="2s")
        )
        with pytest.raises(auto.CommandError, match=r"ModelDeployment stuck/cpu-md did not get ready"):
            stack.up()
        (workspace,) = [
            w for w in cluster.items("/apis/kaito.sh/v1beta1/workspaces") if w["metadata"]["namespace"] == "stuck"
        ]
        assert workspace["status"]["state"] == "Ready"
        assert "deletionTimestamp" not in workspace["metadata"]
    with operator(cluster):
        steps = Steps()
        stack.up(on_event=steps)
    assert ("delete", "Workspace") in of_the_model(steps)
    stack.destroy()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"engine": {"contextLength": 4096}}, [("update", "ModelDeployment")]),
        ({"model": {"id": "org/other"}}, [("delete-replaced", "ModelDeployment"), ("replace", "ModelDeployment")]),
    ],
    ids=["changeable", "immutable"],
)
def test_what_the_controllers_webhook_refuses_to_change_is_made_anew(
    cluster: Cluster, engine: Engine, change: Any, expected: Any
) -> None:
    install(cluster)
    with operator(cluster):
        engine.stack("anew", settings(cluster, CPU, namespace="anew", delivery="modeldeployment")).up()
        steps = Steps()
        stack = engine.stack("anew", settings(cluster, CPU | change, namespace="anew", delivery="modeldeployment"))
        stack.up(on_event=steps)
    assert [step for step in of_the_model(steps) if step[0] != "create-replacement"] == expected
    stack.destroy()


def test_our_providers_win_over_what_a_shim_registered(cluster: Cluster, engine: Engine) -> None:
    install(cluster)
    registered = {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "InferenceProviderConfig",
        "metadata": {"name": "kuberay"},
        "spec": {"capabilities": {"engines": []}, "selectionRules": [{"condition": "true", "priority": 80}]},
    }
    cluster.send("POST", CONFIGS, registered)
    with operator(cluster):
        stack = engine.stack("shims", settings(cluster, CPU, namespace="shims", delivery="modeldeployment"))
        stack.up()
    results = cluster.get(f"{CONFIGS}/kuberay")
    assert [e["name"] for e in results["spec"]["capabilities"]["engines"]] == ["vllm"]
    assert stack.preview().change_summary.keys() == {auto.OpType.SAME}
    stack.destroy()


def test_a_managed_controller_comes_before_what_it_works_on_and_its_kinds_stay(
    cluster: Cluster, engine: Engine, tmp_path: Path
) -> None:
    group = "kubeairunway.ai"
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "controller", "namespace": "airunway-system"},
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "airunway-system"}}
    manifest = tmp_path / "controller.yaml"
    manifest.write_text(yaml.safe_dump_all([account, namespace, *definitions(group)]))
    controller = {"apiGroup": group, "installation": "managed", "manifests": [str(manifest)]}
    expected = settings(
        cluster, CPU | {"skipAwait": True}, namespace="managed", delivery="modeldeployment", controller=controller
    )
    stack = engine.stack("managed", expected)
    stack.preview()
    steps = Steps()
    stack.up(on_event=steps)
    created = steps.kinds("create")
    assert (
        created.index("CustomResourceDefinition")
        < created.index("ServiceAccount")
        < created.index("InferenceProviderConfig")
    )
    assert created.index("InferenceProviderConfig") < created.index("ModelDeployment")
    assert [o["metadata"]["name"] for o in cluster.items(f"/apis/{group}/v1alpha1/modeldeployments")] == ["cpu-md"]
    stack.destroy()
    assert cluster.items(f"/apis/{group}/v1alpha1/modeldeployments") == []
    for crd in definitions(group):
        assert cluster.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}")
