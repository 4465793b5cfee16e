"""Cluster (real engine, provider, kube-apiserver, registry 3.1.2 and BuildKit 0.34.2): who may push and pull images,
and which image is deployed.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from airunway.planning.settings import BUILD_DATA
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import Engine
from tests.cluster.image_services import ANY_MANIFEST, SYSTEM, ImageServices, require_root
from tests.cluster.node import Node
from tests.cluster.operator import LISTS, operator
from tests.cluster.stacks import Steps, failed, settings
from tests.cluster.tools import PROGRAMS
from tests.deployments import BUILT

MANAGED = {"managed": {"nodeCidrs": ["10.0.0.0/16"]}}


@dataclass
class Deployed:
    """What was seen of a stack that builds an image: the services, which still run, and its objects, which are gone."""

    services: ImageServices
    workspace: Any
    job: Any
    secret: Any
    state: str
    again: Steps

    @property
    def password(self) -> str:
        config = json.loads(base64.b64decode(self.secret["data"][".dockerconfigjson"]))
        (login,) = config["auths"].values()
        return str(login["password"])

    @property
    def image(self) -> str:
        (container,) = self.workspace["inference"]["template"]["spec"]["containers"]
        return str(container["image"])

    @property
    def repository(self) -> str:
        return self.image.removeprefix("localhost:30500/").split(":")[0]

    @property
    def tag(self) -> str:
        return self.image.split(":")[2].split("@")[0]


@pytest.fixture(scope="module")
def deployed(cluster: Cluster, node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    require_root()
    services = ImageServices(cluster, tmp_path_factory.mktemp("services"))
    usual, node.built = node.built, services.build
    engine = Engine(tmp_path_factory.mktemp("engine"))
    stack = engine.stack("images", settings(cluster, BUILT, namespace="images", registry=MANAGED))
    try:
        with operator(cluster):
            stack.up()
            again = Steps()
            stack.preview(on_event=again)
            stack.up(on_event=again)
        (workspace,) = cluster.items(LISTS["Workspace"])
        (job,) = cluster.items("/apis/batch/v1/namespaces/airunway-system/jobs")
        secret = cluster.get(f"{SYSTEM}/secrets/airunway-registry-login")
        yield Deployed(services, workspace, job, secret, engine.state("images"), again)
    finally:
        node.built = usual
        services.stop()


@pytest.fixture(scope="module", autouse=True)
def _unchanged(cluster: Cluster) -> None:
    """The cluster is made before what is seen of it."""


def answer(deployed: Deployed, method: str, host: str, path: str, login: tuple[str, str] | None = None) -> int:
    url = f"http://{host}/v2/{deployed.repository}/{path}"
    return httpx.request(method, url, headers=ANY_MANIFEST, auth=login, trust_env=False).status_code


def test_the_programs_are_those_of_the_images() -> None:
    """The versions here are the tags of ``image_build.yaml``."""
    assert f":{PROGRAMS['registry'].version.removeprefix('v')}@" in BUILD_DATA["registry"]["image"]
    assert BUILD_DATA["builder"]["image"].endswith(f":{PROGRAMS['buildkitd'].version}-rootless")


def test_the_workspace_runs_the_digest_that_nodes_pull(deployed: Deployed) -> None:
    assert deployed.services.errors == []
    url = f"http://{deployed.services.pull}/v2/{deployed.repository}/manifests/{deployed.tag}"
    found = httpx.head(url, headers=ANY_MANIFEST, trust_env=False)
    assert found.status_code == 200
    assert deployed.image.endswith("@" + found.headers["Docker-Content-Digest"])


def test_nothing_changes_with_the_next_update(deployed: Deployed) -> None:
    assert deployed.again.done
    assert deployed.again.changes() == []


def test_nodes_pull_without_a_login(deployed: Deployed) -> None:
    assert answer(deployed, "GET", deployed.services.pull, f"manifests/{deployed.tag}") == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "blobs/uploads/"),
        ("PUT", "manifests/{tag}"),
        ("PUT", "manifests/other"),
        ("DELETE", "manifests/{digest}"),
        ("DELETE", "blobs/{digest}"),
    ],
)
def test_nobody_writes_through_the_nodes_port(deployed: Deployed, method: str, path: str) -> None:
    """Not even with the login."""
    where = path.format(tag=deployed.tag, digest=deployed.image.split("@")[1])
    for login in (None, ("builder", deployed.password)):
        assert answer(deployed, method, deployed.services.pull, where, login) == 405


@pytest.mark.parametrize("login", [None, ("builder", "wrong"), ("builder", ""), ("other", "wrong")])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "blobs/uploads/"), ("PUT", "manifests/{tag}"), ("DELETE", "manifests/{digest}")]
)
def test_nobody_pushes_without_the_login(
    deployed: Deployed, method: str, path: str, login: tuple[str, str] | None
) -> None:
    where = path.format(tag=deployed.tag, digest=deployed.image.split("@")[1])
    assert answer(deployed, method, deployed.services.push, where, login) == 401


def test_a_build_without_the_login_is_refused(deployed: Deployed) -> None:
    (container,) = deployed.job["spec"]["template"]["spec"]["containers"]
    done = deployed.services.run(container["command"], "no-login")
    assert done.returncode != 0
    assert "401 Unauthorized" in done.stderr


def test_the_login_is_in_clear_text_in_the_cluster_alone(deployed: Deployed) -> None:
    assert len(deployed.password) > 40
    assert deployed.password not in deployed.state
    assert deployed.password not in json.dumps([deployed.job, deployed.workspace])


def test_a_build_whose_digest_nobody_knows_ends_with_the_way_to_build_again(
    cluster: Cluster, engine: Engine, node: Node
) -> None:
    """As when the node of its pod is gone before it is asked."""
    usual, node.built = node.built, lambda _: ""
    try:
        stack = engine.stack("unknown", settings(cluster, BUILT, namespace="images", registry=MANAGED))
        with operator(cluster):
            shown = failed(stack.up).text
            assert "no pod of it says which digest its image has" in shown
            assert "kubectl delete job -n airunway-system aikit-org-gguf-" in shown
            assert "Traceback" not in shown
            assert cluster.items(LISTS["Workspace"]) == []
            node.built = usual
            (job,) = cluster.items("/apis/batch/v1/namespaces/airunway-system/jobs")
            cluster.send(
                "DELETE",
                f"/apis/batch/v1/namespaces/airunway-system/jobs/{job['metadata']['name']}?propagationPolicy=Background",
            )
            stack.refresh()
            stack.up()
            (workspace,) = cluster.items(LISTS["Workspace"])
        assert "@sha256:" in workspace["inference"]["template"]["spec"]["containers"][0]["image"]
        stack.destroy()
    finally:
        node.built = usual
