"""Cluster (real Chromium, engine and kube-apiserver): the console shows what runs, previews, applies and cancels."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chromium import NEEDS_CHROMIUM, ROOT, console, launched, new_context
from tests.cluster.apiserver import Cluster
from tests.cluster.engine import PASSPHRASE
from tests.cluster.node import Node
from tests.cluster.operator import operator
from tests.cluster.stacks import names, until
from tests.cluster.tools import program
from tests.deployments import CPU
from tests.graph.projects import write_project

pytestmark = NEEDS_CHROMIUM
QUESTION = re.compile(r"Apply stack own to cluster .+: [0-9]+ to [a-z]+.*\?")
NAMESPACE, TOKEN = "pages", "hf_only_the_form_may_have_this"


# For this module only: its event loop would be in the way of tests that run one themselves.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started


@pytest.fixture
def page(cluster: Cluster, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A page of a console for a stack with one deployment, which is not in the cluster."""
    (tmp_path / "project").mkdir()
    (tmp_path / "state" / "state").mkdir(parents=True)
    location = {"kubeconfig": str(cluster.kubeconfig())}
    project = write_project(
        tmp_path / "project", [CPU | {"namespace": NAMESPACE, "readyTimeout": "60s"}], cluster=location
    )
    file = project / "stacks" / "Pulumi.own.yaml"
    config = json.loads(file.read_text())
    config["config"]["airunway:providers"] = {"kaito": {"installation": "existing"}}
    file.write_text(json.dumps(config))
    monkeypatch.setenv("CONSOLE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # Where the operations keep the stack, for the CLI that encrypts.
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state/state")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    monkeypatch.setenv("PATH", f"{program('pulumi').parent}{os.pathsep}{os.environ['PATH']}")
    subprocess.run(["pulumi", "stack", "init", "own"], cwd=project, check=True, capture_output=True)
    with console(project, ("-m", "tests.cluster.console_server")) as url, new_context(browser) as context:
        opened = context.new_page()
        opened.on(
            "dialog",
            lambda dialog: dialog.accept() if QUESTION.fullmatch(dialog.message) else dialog.dismiss(),
        )
        opened.goto(url)
        yield opened


def changes(page: Any) -> Any:
    page.goto(page.url.split("/stacks/")[0] + "/stacks/own/changes")
    return page


def ended(page: Any, result: str) -> None:
    page.locator("#result:not(:text-is('running'))").wait_for(timeout=90_000)
    assert page.inner_text("#result") == result, page.inner_text("#log")


def previewed(page: Any) -> Any:
    """The page after a preview, from which it can be applied."""
    changes(page).click("button[value=preview]")
    ended(page, "succeeded")
    page.locator("button[value=up]:not([disabled])").wait_for()
    return page


def test_a_preview_then_an_update_are_followed_and_the_status_is_shown(cluster: Cluster, page: Any) -> None:
    assert changes(page).is_disabled("button[value=up]")
    previewed(page)
    assert "would create cpu Workspace" in page.inner_text("#steps")
    assert "done" not in page.inner_text("#steps")
    assert re.fullmatch(r"0 failed, 0 running, [1-9][0-9]* planned", page.inner_text("#progress"))
    assert names(cluster, "Workspace", NAMESPACE) == []
    with operator(cluster):
        page.click("button[value=up]")
        ended(page, "succeeded")
    assert names(cluster, "Workspace", NAMESPACE) == ["cpu"]
    assert "create" in (page.text_content("#log") or "")
    page.goto(page.url.replace("changes", ""))
    page.locator("#status .phase", has_text="Running").first.wait_for()
    assert "1/1" in page.inner_text("#status table")
    changes(page)
    ended(page, "succeeded")
    assert "create cpu Workspace: done" in page.inner_text("#steps"), "whoever comes later sees it all"


def test_nothing_is_applied_where_the_question_is_not_answered_with_yes(cluster: Cluster, page: Any) -> None:
    other = page.context.new_page()  # without an answer, the browser says no
    other.goto(page.url)
    previewed(other).click("button[value=up]")
    assert other.inner_text("#operation-title").startswith("Preview of own")
    assert names(cluster, "Workspace", NAMESPACE) == []


def test_an_update_that_waits_is_cancelled_and_another_can_follow(cluster: Cluster, page: Any) -> None:
    previewed(page).click("button[value=up]")  # no operator: it is never ready
    page.locator("#steps li.started", has_text="create cpu Workspace: running").wait_for(timeout=60_000)
    assert page.locator("#steps li.started", has_text="create cpu ModelDeployment: running").count() == 1
    assert page.is_disabled("button[value=up]")
    page.click("text=Cancel")
    ended(page, "cancelled")
    with operator(cluster):
        previewed(page).click("button[value=up]")
        ended(page, "succeeded")


def test_a_token_is_encrypted_into_the_stack_file_and_shown_nowhere(page: Any, tmp_path: Path) -> None:
    changes(page).click("button[value=preview]")
    ended(page, "succeeded")  # the stack is there for the CLI
    page.click("text=Set the Hugging Face token")
    page.fill("#token", TOKEN)
    page.click("text=Encrypt into the stack file")
    page.wait_for_url("**/changes?saved=1")
    text = (tmp_path / "project" / "stacks" / "Pulumi.own.yaml").read_text()
    config = yaml.safe_load(text)["config"]
    assert config["airunway:huggingFaceToken"]["secure"].startswith("v1:")
    assert config["airunway:deployments"][0]["name"] == "cpu"
    assert TOKEN not in text + page.content()
    page.goto(page.url.split("/changes")[0] + "/")
    assert TOKEN not in page.content()


@pytest.mark.parametrize(
    ("backend", "output"),
    [("", "stack own is not in the backend; create it with `pulumi stack init own`"), ("/gone/for/good", "error")],
    ids=["no stack", "no backend"],
)
def test_what_the_installed_cli_does_not_have_is_told(backend: str, output: str, tmp_path: Path) -> None:
    project = write_project(tmp_path, [CPU])
    (tmp_path / "backend").mkdir()
    environment = os.environ | {
        "PULUMI_BACKEND_URL": f"file://{backend or tmp_path / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PATH": f"{program('pulumi').parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "airunway.console.run", "preview", "--stack", "own"]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    (event,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (event["kind"], event["severity"]) == ("log", "error")
    assert output in event["text"]
    assert "Traceback" not in done.stderr


def test_a_failure_is_shown_first_with_its_reason(cluster: Cluster, page: Any, tmp_path: Path) -> None:
    previewed(page)
    file = tmp_path / "project" / "stacks" / "Pulumi.own.yaml"
    document = yaml.safe_load(file.read_text())
    document["config"]["airunway:cluster"] = {"context": "not-there"}
    file.write_text(yaml.safe_dump(document))
    changes(page)
    assert "The files have changed since the preview" in page.inner_text("#actions")
    previewed(page).click("button[value=up]")
    ended(page, "failed")
    assert "cluster is unreachable" in page.inner_text("#log")
    assert "failed" in page.locator("#steps li").first.inner_text()
    assert page.is_disabled("button[value=up]"), "what has failed is previewed again"


def test_a_model_that_gets_no_pods_fails_first_and_its_component_with_it(
    cluster: Cluster, page: Any, tmp_path: Path
) -> None:
    file = tmp_path / "project" / "stacks" / "Pulumi.own.yaml"
    document = yaml.safe_load(file.read_text())
    document["config"]["airunway:readyTimeout"] = "5s"
    document["config"]["airunway:deployments"][0].pop("readyTimeout")
    file.write_text(yaml.safe_dump(document))
    previewed(page).click("button[value=up]")  # no operator: it is never ready
    ended(page, "failed")
    rows = page.locator("#steps li").all_inner_texts()
    failed = [row.splitlines()[0] for row in page.locator("#steps li.failed").all_inner_texts()]
    assert [row.splitlines()[0] for row in rows][: len(failed)] == failed
    assert {"create cpu Workspace: failed", "create cpu ModelDeployment: failed"} <= set(failed)
    assert (
        "timed out" in page.locator("#steps li.failed p").first.inner_text().lower()
        or "not ready" in page.locator("#steps li.failed p").first.inner_text()
    )


def test_a_deployment_s_page_shows_its_pods_and_why_they_do_not_run(cluster: Cluster, node: Node, page: Any) -> None:
    with operator(cluster):
        previewed(page).click("button[value=up]")
        ended(page, "succeeded")
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    labels = {"airunway.ai/deployment": "cpu"}
    spec = {"containers": [{"name": "llamacpp", "image": "x"}]}
    node.unready = "cpu-broken"
    cluster.send("POST", pods, {"metadata": {"name": "cpu-broken", "labels": labels}, "spec": spec})
    until(lambda: cluster.get(f"{pods}/cpu-broken")["status"]["phase"] == "Running")
    cluster.send("POST", pods, {"metadata": {"name": "of-another"}, "spec": spec})
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image x"}}
    state = {"name": "llamacpp", "ready": False, "restartCount": 3, "image": "x", "imageID": "", "state": waiting}
    status = {"status": {"containerStatuses": [state]}}
    cluster.send("PATCH", f"{pods}/cpu-broken/status", status, "application/merge-patch+json")
    page.goto(page.url.replace("changes", "deployments/cpu"))
    row = page.locator("tr", has_text="cpu-broken")
    row.wait_for()
    assert "llamacpp: ImagePullBackOff: Back-off pulling image x" in row.inner_text()
    assert "Running, 1 of 1 ready" in page.inner_text("main")
    assert "of-another" not in page.inner_text("main")
