"""Cluster (real Chromium and kube-apiserver with RBAC; operator, kubelet and model stood in for): from a deployment's
page people see events and logs, ask the model, and follow its metrics; what they may not do is told with the rule that
lets them.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

from airunway.program.stack_plan import stack_plan
from tests.chromium import NEEDS_CHROMIUM, ROOT, console, launched, new_context
from tests.cluster.apiserver import Cluster
from tests.cluster.operated import TOKEN, Operated, operated, with_kubeconfig
from tests.cluster.stacks import until
from tests.command import airunway

pytestmark = NEEDS_CHROMIUM
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/live"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started


@pytest.fixture
def model(cluster: Cluster, deployed: Path, tmp_path: Path) -> Iterator[Operated]:
    planned = next(d for d in stack_plan(deployed, "own").deployments if d.name == "cpu")
    endpoint = planned.rendered.endpoint
    with operated(cluster, planned.rendered.resource, (endpoint.service, endpoint.port), tmp_path) as running:
        yield running


@contextmanager
def opened(browser: Any, project: Path) -> Iterator[Any]:
    """The deployment's page in a console of its own; no script of it may fail."""
    errors: list[str] = []
    with console(project) as url, new_context(browser, viewport={"width": 1280, "height": 900}) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(url)
        page.goto(f"{url.split('/stacks/')[0]}/stacks/own/deployments/cpu")
        yield page
    assert errors == []


@pytest.fixture
def page(model: Operated, browser: Any, deployed: Path) -> Iterator[Any]:
    with opened(browser, deployed) as page:
        page.locator("#live[data-state=running]").wait_for()
        yield page


def test_events_are_shown_warnings_first_and_those_that_say_the_same_once(model: Operated, page: Any) -> None:
    for number in range(7):
        model.event("Pulled", f"Container image {number} already present on machine")
    model.event("BackOff", "Back-off restarting failed container", warning=True, count=12)
    model.event("BackOff", "Back-off restarting failed container", warning=True, count=3)
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    scheduler = {
        "eventTime": now,
        "reportingComponent": "default-scheduler",
        "reportingInstance": "a",
        "action": "Binding",
    }
    model.event("FailedScheduling", "0/3 nodes: 3 Insufficient nvidia.com/gpu.", warning=True, **scheduler)
    elsewhere: dict[str, Any] = {"involvedObject": {"kind": "Pod", "namespace": "live", "name": "other-0"}}
    model.event("Killing", "of another deployment", **elsewhere)
    page.reload()
    page.locator(".events .warned").first.wait_for()
    rows = [" ".join(text.split()) for text in page.locator(".events li").all_inner_texts()]
    assert {" ".join(row.split()[:2]) for row in rows[:2]} == {"Warning: FailedScheduling", "Warning: BackOff"}
    assert rows[2].startswith("Pulled")
    (repeated,) = [row for row in rows if row.startswith("Warning: BackOff")]
    assert "×15" in repeated
    assert "Pod cpu-0" in repeated
    assert "s ago" in repeated
    assert page.inner_text("#more-events summary") == "4 more"
    assert "of another deployment" not in (page.text_content("main") or "")


def test_the_end_of_a_log_is_shown_without_credentials_and_control_characters(model: Operated, page: Any) -> None:
    page.click("button:text-is('model')")
    page.locator("#log-text").wait_for()
    text = page.inner_text("#log-text")
    lines = text.splitlines()
    assert len(lines) == 200, "the API server hands the number of lines to the kubelet"
    assert lines[-3] == "2026-11-27 08:34:00  Loading weights: 100%"
    assert "50%" not in text
    assert TOKEN not in page.content()
    assert "WARNING the token hf_… expires soon" in lines[-2]
    assert lines[-1].endswith("<script>document.title = 'owned'</script>")
    assert page.title().startswith("cpu")
    assert lines[-1].startswith("2026-11-27 08:34:02")
    model.logs[("cpu-0", "model", False)] += "2026-11-27T08:40:00.000000001Z shutting down\n"
    page.click("#log-refresh")
    page.locator("#log-text", has_text="shutting down").wait_for()
    page.click("#log >> text=Copy")
    page.locator("#log >> text=Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[-1] == "2026-11-27 08:40:00 shutting down"
    page.click("#log >> text=Close")
    assert page.locator("#log-text").count() == 0


def test_of_a_container_that_crashed_the_log_before_is_shown(page: Any) -> None:
    row = page.locator("tr", has_text="cpu-1")
    assert row.locator("button").all_inner_texts() == ["model before restart"]
    row.locator("button").click()
    page.locator("#log-text", has_text="CUDA out of memory").wait_for()
    assert "before its last restart" in page.inner_text("#log h3")


def test_logs_are_printed_in_a_terminal_too(model: Operated, deployed: Path) -> None:
    now = airunway(deployed, "logs", "cpu", "--stack", "own")
    assert now.returncode == 0, now.stderr
    assert len(now.stdout.splitlines()) == 200
    assert TOKEN not in now.stdout
    assert "2026-11-27T08:34:01Z WARNING the token hf_… expires soon\n" in now.stdout
    before = airunway(deployed, "logs", "cpu", "--stack", "own", "--previous")
    assert before.stdout.startswith("2026-11-27T08:29:59Z torch.OutOfMemoryError: CUDA out of memory")


def test_what_the_kubelet_has_no_log_of_is_told_in_its_words(model: Operated, page: Any) -> None:
    page.click("button:text-is('model')")
    page.locator("#log-text").wait_for()
    path = "/api/v1/namespaces/live/pods/cpu-0/status"
    status = model.cluster.get("/api/v1/namespaces/live/pods/cpu-0")["status"]["containerStatuses"]
    status[0]["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    model.cluster.send("PATCH", path, {"status": {"containerStatuses": status}}, "application/merge-patch+json")
    page.click("#log-refresh")
    page.locator("#log .warning", has_text="has no log of a container model").wait_for()


def test_a_log_of_a_pod_that_is_none_of_the_deployment_is_not_read(model: Operated, page: Any) -> None:
    address = page.url + "/log?container=model&pod="
    for pod in ("kube-proxy", "..%2F..%2Fsecrets", "cpu-0%3Fx"):
        page.goto(address + pod)
        assert "is not, or no longer, one of cpu" in page.inner_text("body")


def test_a_model_is_asked_and_remembers_the_conversation(model: Operated, page: Any) -> None:
    page.fill("#question", "hello there")
    page.fill("#most-tokens", "64")
    page.press("#question", "Enter")
    page.locator(".assistant", has_text="hello there").wait_for()
    assert page.inner_text(".assistant") == "you said: hello there", "without the model's control sequences"
    page.locator("#send:not([disabled])").wait_for()
    page.fill("#question", "and you")
    page.click("#send")
    page.locator(".assistant", has_text="you said: and you").wait_for()
    first, second = model.model.asked
    assert first["max_tokens"] == 64
    assert [m["role"] for m in second["messages"]] == ["user", "assistant", "user"]
    page.click("#again")
    assert page.inner_text("#conversation") == ""


def test_an_answer_is_streamed_and_ends_when_it_is_stopped(model: Operated, page: Any) -> None:
    page.fill("#question", "slowly, please")
    page.click("#send")
    page.locator(".assistant", has_text="on and on and").wait_for()
    assert page.is_disabled("#send")
    page.click("#stop")
    page.locator("#conversation .note", has_text="Stopped.").wait_for()
    assert model.model.left.wait(10), "the model works on for nobody"
    page.fill("#question", "hello")
    page.click("#send")
    page.locator(".assistant", has_text="you said: hello").wait_for()


def test_a_page_that_is_left_ends_its_answer(model: Operated, page: Any) -> None:
    page.fill("#question", "slowly, please")
    page.click("#send")
    page.locator(".assistant", has_text="on and on and").wait_for()
    page.goto(page.url.replace("deployments/cpu", "providers"))
    assert model.model.left.wait(10), "the model works on for nobody"


def test_why_nothing_answers_is_told_in_words(model: Operated, page: Any) -> None:
    page.fill("#question", "refuse it")
    page.click("#send")
    page.locator("#conversation .refused").wait_for()
    assert page.inner_text("#conversation .refused").startswith("the model server: refused: ")
    assert "the context is too long" in page.inner_text("#conversation .refused")
    page.click("#again")
    unready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    path = "/api/v1/namespaces/live/pods/cpu-0/status"
    model.cluster.send("PATCH", path, unready, "application/merge-patch+json")
    page.fill("#question", "hello")
    page.click("#send")
    page.locator("#conversation .refused", has_text="Service live/cpu: has no ready pod (2 not ready)").wait_for()
    assert page.locator(".assistant").count() == 0


def test_metrics_are_plotted_from_poll_to_poll(model: Operated, page: Any) -> None:
    model.model.running.set(3)
    model.model.cache.set(0.425)
    page.reload()
    page.locator(".plots li", has_text="Requests running").wait_for()
    assert "3" in page.locator(".plots li", has_text="Requests running").inner_text()
    assert "42%" in page.locator(".plots li", has_text="KV cache in use").inner_text()
    model.model.generated.inc(1000)
    row = page.locator(".plots li", has_text="Tokens/s written")
    row.wait_for(timeout=30_000)
    assert row.locator("svg polyline").count() == 1
    assert "vLLM" in page.inner_text("main")


def test_a_server_without_metrics_is_told_and_not_asked_again(model: Operated, page: Any) -> None:
    page.locator(".plots").wait_for()
    model.model.has_metrics = False
    page.reload()
    page.locator("text=Its server has no metrics.").wait_for()
    page.locator("text=AIKit's images serve llama.cpp with LocalAI").wait_for()
    polls = model.model.polls
    page.wait_for_timeout(11_000)  # the pause between two polls is 10 s
    assert model.model.polls == polls


def test_the_page_is_used_by_keyboard(model: Operated, page: Any) -> None:
    page.locator(".plots").wait_for()
    page.focus("button:text-is('model')")
    with page.expect_response(lambda response: response.url.endswith("/live"), timeout=15_000):
        pass
    page.wait_for_timeout(500)
    assert page.evaluate("document.activeElement.textContent") == "model", "what is read again keeps the focus"
    page.keyboard.press("Enter")
    page.locator("#log-text").wait_for()
    page.keyboard.press("Tab")
    reached = []
    for _ in range(40):
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.textContent.trim().slice(0, 20)")
        )
        page.keyboard.press("Tab")
    order = ["log-refresh", "log-text", "conversation", "question", "send", "again", "most-tokens"]
    assert [name for name in reached if name in order][: len(order)] == order


def test_the_page_has_no_violations_whatever_it_shows(model: Operated, page: Any) -> None:
    model.event("BackOff", "Back-off restarting failed container", warning=True)
    page.reload()
    page.locator(".events .warned").wait_for()
    page.locator("#live[data-state=running]").wait_for()
    page.locator(".plots").wait_for()
    page.click("button:text-is('model')")
    page.locator("#log-text").wait_for()
    page.fill("#question", "hello")
    page.click("#send")
    page.locator(".assistant", has_text="you said").wait_for()
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_open_stays_open_while_it_is_read_again(model: Operated, page: Any) -> None:
    page.click("text=Conditions")
    with page.expect_response(lambda response: response.url.endswith("/live"), timeout=15_000):
        pass
    page.wait_for_timeout(500)
    assert page.locator("#conditions[open]").count() == 1


def account(cluster: Cluster, project: Path, *rules: Any) -> str:
    """Use a service account in the project that has no rights but these; its name."""
    name = f"operator-{time.time_ns()}"
    kubeconfig = yaml.safe_load(cluster.kubeconfig().read_text())
    kubeconfig["users"][0]["user"]["token"] = cluster.token_for("live", name)
    own = project / "kubeconfig"
    own.write_text(yaml.safe_dump(kubeconfig))
    with_kubeconfig(project, own)
    if rules:
        allow(cluster, name, "base", list(rules))
    return name


def allow(cluster: Cluster, account: str, role: str, rules: list[Any]) -> None:
    cluster.send("POST", f"{RBAC}/roles", {"metadata": {"name": f"{account}-{role}"}, "rules": rules})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": f"{account}-{role}"}
    subject = {"kind": "ServiceAccount", "namespace": "live", "name": account}
    binding = {"metadata": {"name": f"{account}-{role}"}, "roleRef": reference, "subjects": [subject]}
    cluster.send("POST", f"{RBAC}/rolebindings", binding)


def test_each_right_that_is_missing_is_told_with_the_rule_that_gives_it(
    model: Operated, browser: Any, deployed: Path
) -> None:
    status = {"apiGroups": ["*"], "resources": ["workspaces"], "verbs": ["get", "list"]}
    name = account(model.cluster, deployed, status)
    given: list[Any] = []
    with opened(browser, deployed) as page:

        def give(selector: str, resource: str) -> None:
            """Grant the rule that is shown there, as it is shown."""
            shown = page.locator(selector)
            shown.first.wait_for()
            rules = yaml.safe_load(shown.first.inner_text())
            assert [rule["resources"] for rule in rules] == [[resource]]
            given.extend(rules)
            allow(model.cluster, name, resource.replace("/", "-"), rules)

        give("#live pre", "pods")
        page.locator("#live[data-state=running]").wait_for(timeout=20_000)
        give("div[hx-get$='/events'] pre", "events")
        page.click("button:text-is('model')")
        give("#log pre[aria-label='Rule that is missing']", "pods/log")
        until(lambda: (page.click("#log-refresh"), page.wait_for_timeout(300), page.locator("#log-text").count())[-1])
        for resource in ("services", "pods/portforward"):
            page.fill("#question", "hello")
            page.click("#send")
            rule = page.locator("#conversation .rule", has_text=resource)
            rule.wait_for()
            rules = yaml.safe_load(rule.inner_text().partition("rule\n")[2])
            given.extend(rules)
            allow(model.cluster, name, resource.replace("/", "-"), rules)
            page.wait_for_timeout(1000)
        page.fill("#question", "hello")
        page.click("#send")
        page.locator(".assistant", has_text="you said: hello").wait_for()
    assert {(r, v) for rule in given for r in rule["resources"] for v in rule["verbs"]} == {
        ("pods", "list"),
        ("events", "list"),
        ("pods/log", "get"),
        ("services", "get"),
        ("pods/portforward", "get"),
        ("pods/portforward", "create"),
    }


def test_an_account_with_the_rights_of_rbac_operate_may_do_all_of_it(
    model: Operated, browser: Any, deployed: Path
) -> None:
    command = [sys.executable, "-m", "airunway.cli", "rbac", "--stack", "own", "--operate", "--cwd", str(deployed)]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (rules,) = [
        o["rules"] for o in yaml.safe_load_all(printed) if o["kind"] == "Role" and o["metadata"]["namespace"] == "live"
    ]
    account(model.cluster, deployed, *rules)
    model.event("BackOff", "Back-off restarting failed container", warning=True)
    with opened(browser, deployed) as page:
        page.locator("#live[data-state=running]").wait_for(timeout=20_000)
        page.locator(".events .warned").wait_for()
        page.locator(".plots").wait_for()
        page.click("button:text-is('model')")
        page.locator("#log-text").wait_for()
        page.fill("#question", "hello")
        page.click("#send")
        page.locator(".assistant", has_text="you said: hello").wait_for()
