"""Cluster (real engine, provider and two real kube-apiservers): another way to the same cluster, and another
cluster.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from tests.cluster.apiserver import Cluster, running_cluster
from tests.cluster.engine import Engine
from tests.cluster.operator import MODELS, operator
from tests.cluster.stacks import Steps, failed, names, settings, sweep
from tests.deployments import CPU, GPU, RAY

NAMESPACE = "identity"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("elsewhere")) as running:
        yield running


def another_way(cluster: Cluster, folder: Path) -> Path:
    """The same cluster in another file, under other names, with its CA inlined and by another address."""
    config = yaml.safe_load(cluster.kubeconfig().read_text())
    entry = config["clusters"][0]["cluster"]
    del entry["certificate-authority"]
    entry |= {"insecure-skip-tls-verify": True, "server": cluster.url.replace("127.0.0.1", "localhost")}
    config["clusters"][0]["name"] = config["contexts"][0]["context"]["cluster"] = "renamed"
    config["contexts"][0]["name"] = config["current-context"] = "renamed"
    path = folder / "another-way"
    path.write_text(yaml.safe_dump(config))
    return path


def uids(cluster: Cluster) -> dict[str, str]:
    result = {}
    for kind, path in (
        ("Workspace", "kaito.sh/v1beta1/%s/workspaces"),
        ("DynamoGraphDeployment", "nvidia.com/v1beta1/%s/dynamographdeployments"),
    ):
        for obj in cluster.items("/apis/" + path % f"namespaces/{NAMESPACE}"):
            result[f"{kind} {obj['metadata']['name']}"] = obj["metadata"]["uid"]
    return result


def everywhere(cluster: Cluster) -> list[str]:
    return [f"{kind} {name}" for kind in MODELS for name in names(cluster, kind, NAMESPACE)]


def refusal(operation: Callable[..., Any]) -> str:
    """What is said of an operation that is refused before anything was touched."""
    steps = failed(operation)
    assert steps.changes() == [], "nothing was touched"
    return steps.text


def test_another_way_to_the_same_cluster_replaces_and_deletes_nothing(
    cluster: Cluster, engine: Engine, tmp_path: Path
) -> None:
    expected = settings(cluster, CPU, GPU, RAY, namespace=NAMESPACE)
    with operator(cluster):
        engine.stack("same", expected).up()
        before = uids(cluster)
        stack = engine.stack(
            "same", expected | {"cluster": {"kubeconfig": str(another_way(cluster, tmp_path)), "context": "renamed"}}
        )
        previewed, steps = Steps(), Steps()
        stack.preview(on_event=previewed)
        stack.up(on_event=steps)
        assert (previewed.changes(), steps.changes()) == ([], [])
        assert (stack.up().summary.resource_changes or {}).keys() == {"same"}
    assert uids(cluster) == before
    stack.destroy()


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_another_cluster_is_refused_before_anything_is_touched(
    cluster: Cluster, elsewhere: Cluster, engine: Engine, operation: str
) -> None:
    with operator(cluster):
        engine.stack("strayed", settings(cluster, CPU, namespace=NAMESPACE)).up()
    stack = engine.stack("strayed", settings(elsewhere, CPU, namespace=NAMESPACE))
    text = refusal(stack.up if operation == "up" else stack.preview)
    assert "this stack was last deployed to" in text
    assert "cluster.uid: " in text
    assert "Traceback" not in text
    assert everywhere(elsewhere) == []
    assert everywhere(cluster) == ["Workspace cpu"]
    engine.stack("strayed", settings(cluster, CPU, namespace=NAMESPACE)).destroy()


def test_a_stack_that_says_so_moves_to_another_cluster(cluster: Cluster, elsewhere: Cluster, engine: Engine) -> None:
    with operator(cluster), operator(elsewhere):
        engine.stack("moves", settings(cluster, CPU, GPU, namespace=NAMESPACE)).up()
        uid = elsewhere.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
        there: dict[str, Any] = settings(elsewhere, CPU, GPU, namespace=NAMESPACE)
        pinned = there | {"cluster": there["cluster"] | {"uid": uid}}
        stack = engine.stack("moves", pinned)
        stack.up()
        assert everywhere(elsewhere) == ["Workspace cpu", "DynamoGraphDeployment gpu"]
        assert everywhere(cluster) == []
        stack = engine.stack("moves", there)  # the uid may go again
        assert stack.preview().change_summary.keys() == {auto.OpType.SAME}
        stack.destroy()
    sweep(elsewhere)


def test_a_cluster_made_anew_is_refused_until_a_refresh_then_everything_is_made_again(
    cluster: Cluster, elsewhere: Cluster, engine: Engine, tmp_path: Path
) -> None:
    way = (
        tmp_path / "kubeconfig"
    )  # the same file leads to another cluster, as with `kind delete cluster; kind create cluster`
    way.write_text(cluster.kubeconfig().read_text())
    expected = settings(cluster, CPU, namespace=NAMESPACE) | {"cluster": {"kubeconfig": str(way)}}
    with operator(cluster), operator(elsewhere):
        stack = engine.stack("anew", expected)
        stack.up()
        way.write_text(elsewhere.kubeconfig().read_text())
        assert "pulumi refresh" in refusal(stack.up)
        stack.refresh()
        stack.up()
        assert everywhere(elsewhere) == ["Workspace cpu"]
        assert everywhere(cluster) == ["Workspace cpu"], "what the other cluster serves is left alone"
        stack.destroy()
    sweep(elsewhere)


def test_a_pinned_cluster_is_the_only_one_that_is_ever_deployed_to(cluster: Cluster, engine: Engine) -> None:
    expected = settings(cluster, CPU, namespace=NAMESPACE)
    stack = engine.stack("pinned", expected | {"cluster": expected["cluster"] | {"uid": "not-this-one"}})
    assert "cluster.uid: not-this-one given" in refusal(stack.up)
    assert everywhere(cluster) == []


def test_a_new_stack_previews_without_its_cluster(engine: Engine, cluster: Cluster) -> None:
    stack = engine.stack("away", settings(cluster, CPU) | {"cluster": {"context": "not-there"}})
    assert stack.preview().change_summary[auto.OpType.CREATE] > 1


def test_the_files_of_kubeconfig_serve_together_and_none_of_them_is_in_the_state(
    cluster: Cluster, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = another_way(cluster, tmp_path)
    document = yaml.safe_load(way.read_text())
    parts = [tmp_path / "contexts", tmp_path / "rest"]
    parts[0].write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "contexts": document.pop("contexts")}))
    parts[1].write_text(yaml.safe_dump(document))
    for listed in (":".join(map(str, parts)), str(way)):
        monkeypatch.setenv("KUBECONFIG", listed)
        engine.environment["KUBECONFIG"] = listed
        expected = settings(cluster, CPU, namespace=NAMESPACE) | {"cluster": {"context": "renamed"}}
        stack = engine.stack("listed", expected)
        with operator(cluster):
            changes = stack.up().summary.resource_changes or {}
        assert set(changes) <= {auto.OpType.CREATE, auto.OpType.SAME}
        assert str(tmp_path / "contexts") not in engine.state("listed")
        assert str(way) not in engine.state("listed")
    stack.destroy()
