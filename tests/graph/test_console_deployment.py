"""Graph (the console's pages in process, against an API server that a test tells what to answer): what a deployment's
page says where it may not read, where the server answers oddly, and whose logs it reads. With a real API server it is
tried in tests/cluster/test_console_operating.py.
"""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from airunway.console import cluster_reading
from airunway.console.app import Console
from airunway.console.chat_page import MOST_TOKENS
from airunway.console.project import Project
from airunway.live.logs import BYTES, LINES
from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import item, served_project
from tests.unit.console_pages import HOST, Browser

PATH = "/stacks/own/deployments/cpu"
CORE = "/api/v1/namespaces/default"
LOG = f"{CORE}/pods/cpu-0/log"
FORBIDDEN = Answer({"kind": "Status", "message": "pods is forbidden: you may not"}, 403)
HELLO = json.dumps([{"role": "user", "content": "hello"}])


class Page:
    """The pages of the deployment ``cpu``, which has one pod with one container."""

    def __init__(self, root: Path, server: ApiServer) -> None:
        self.server = server
        self.browser = Browser(Console(Project(served_project(root, server.url)), "own").app([HOST]))
        container = {"name": "model", "ready": True, "restartCount": 0, "state": {"running": {}}}
        pod = item(name="cpu-0") | {"status": {"phase": "Running", "containerStatuses": [container]}}
        pod["spec"] = {"containers": []}
        server.rules[f"{CORE}/pods"] = Answer({"metadata": {}, "items": [pod]})

    def text(self, part: str) -> str:
        answer = self.browser.get(f"{PATH}/{part}")
        assert answer.status_code == 200
        return html.unescape(answer.text)

    def ask(self, **form: str) -> tuple[int, dict[str, Any]]:
        """The status, and the last line, of an answer."""
        answer = self.browser.post(f"{PATH}/chat", {"messages": HELLO, "most_tokens": "5", **form})
        return answer.status_code, json.loads(answer.text.splitlines()[-1])


@pytest.fixture
def page(tmp_path: Path, server: ApiServer, without_proxies: None) -> Page:
    return Page(tmp_path, server)


@pytest.mark.parametrize(
    ("part", "refused", "resource"),
    [
        ("live", "pods", "pods"),
        ("events", "events", "events"),
        ("log?pod=cpu-0&container=model", "pods/cpu-0/log", "pods/log"),
        ("metrics", "services/cpu", "services"),
    ],
)
def test_a_missing_right_is_told_with_the_rule_that_gives_it(
    page: Page, part: str, refused: str, resource: str
) -> None:
    page.server.rules[f"{CORE}/{refused}"] = FORBIDDEN
    text = page.text(part)
    assert "you may not" in text
    (rule,) = re.findall(r'aria-label="Rule that is missing">(.+?)</pre>', text, re.DOTALL)
    verb = "get" if resource in ("pods/log", "services") else "list"
    assert yaml.safe_load(rule) == [{"apiGroups": [""], "resources": [resource], "verbs": [verb]}]
    assert "airunway rbac own --operate" in text


def test_a_question_that_lacks_a_right_is_answered_with_the_rule(page: Page) -> None:
    page.server.rules[f"{CORE}/services/cpu"] = FORBIDDEN
    status, line = page.ask()
    assert status == 200
    assert "services of default: may not be read" in line["error"]
    assert yaml.safe_load(line["rule"])[0]["resources"] == ["services"]


@pytest.mark.parametrize("part", ["live", "events", "metrics", "log?pod=cpu-0&container=model"])
def test_a_server_that_does_not_answer_is_given_up(page: Page, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_reading, "_SECONDS", 0.3)
    page.server.rules["*"] = Answer({"slow": "x" * 100}, slowly=0.1)
    assert "did not answer within 0.3 seconds" in page.text(part)


def test_a_log_is_asked_for_with_its_limits_and_shown_as_text(page: Page) -> None:
    asked: list[dict[str, str]] = []

    def answer(query: dict[str, str]) -> Answer:
        asked.append(query)
        return Answer(b"2026-11-27T08:30:00.000000001Z <b>bold</b> \x1b[31mred\x1b[0m\n", kind="text/plain")

    page.server.rules[LOG] = answer
    markup = page.browser.get(f"{PATH}/log?pod=cpu-0&container=model").text
    limits = {"tailLines": str(LINES), "limitBytes": str(BYTES), "timestamps": "true"}
    assert asked == [{"container": "model"} | limits]
    assert "&lt;b&gt;bold&lt;/b&gt; red" in markup
    assert "\x1b" not in markup
    page.text("log?pod=cpu-0&container=model&previous=true")
    assert asked[-1]["previous"] == "true"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("pod=other-0&container=model", "is not, or no longer, one of cpu"),
        ("pod=..%2Fsecrets&container=model", "is not, or no longer, one of cpu"),
        ("pod=cpu-0&container=x%26previous", "has no log of a container x&previous"),
    ],
)
def test_only_logs_of_the_deployment_s_own_containers_are_read(page: Page, query: str, says: str) -> None:
    assert says in page.text(f"log?{query}")
    assert not [path for path in page.server.asked if path.endswith("/log") or "secrets" in path]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(b"", status=204), "It has written nothing yet."),
        (Answer({"message": "not found"}, 404), "Pod default/cpu-0: is gone"),
        (
            Answer({"message": 'container "model" in pod "cpu-0" is waiting to start: PodInitializing'}, 400),
            'container "model" in pod "cpu-0" is waiting to start: PodInitializing',
        ),
        (Answer(b"\xff\xfe" * 10, kind="text/plain"), "\ufffd"),
        (Answer((b"x" * 1000 + b"\n") * (BYTES // 1000), kind="text/plain"), f"more than {BYTES:,} bytes"),
    ],
    ids=["no content", "gone", "not started", "not text", "longer than was asked for"],
)
def test_an_odd_log_is_told(page: Page, answer: Answer, says: str) -> None:
    page.server.rules[LOG] = answer
    assert says in page.text("log?pod=cpu-0&container=model")


def test_a_log_of_nothing_is_refused(page: Page) -> None:
    assert page.browser.get(f"{PATH}/log").status_code == 400


@pytest.mark.parametrize("part", ["", "/live", "/events", "/metrics", "/log?pod=a&container=b"])
def test_a_deployment_that_is_none_is_told(page: Page, part: str) -> None:
    assert page.browser.get(f"/stacks/own/deployments/nope{part}").status_code == 404


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"messages": ""}, "messages: invalid JSON"),
        ({"messages": "[]"}, "messages: list should have at least 1 item"),
        ({"messages": json.dumps([{"role": "system", "content": "x"}])}, "messages[0].role"),
        ({"messages": json.dumps([{"role": "user"}])}, "messages[0].content"),
        ({"messages": json.dumps([{"role": "user", "content": "x"}] * 101)}, "at most 100 items"),
        ({"messages": "x" * 200_001}, "more than 200,000 characters"),
        ({"messages": "[" * 100_000}, "messages: invalid JSON"),
        ({"most_tokens": "0"}, "most_tokens: input should be greater than or equal to 1"),
        ({"most_tokens": str(MOST_TOKENS + 1)}, f"less than or equal to {MOST_TOKENS}"),
        ({"most_tokens": "many"}, "most_tokens: input should be a valid integer"),
    ],
)
def test_a_question_that_is_none_is_refused_before_the_cluster_is_asked(
    page: Page, form: dict[str, str], says: str
) -> None:
    status, line = page.ask(**form)
    assert status == 400
    assert says in line["error"]
    assert page.server.asked == []


def test_a_question_from_another_page_is_refused(page: Page) -> None:
    form = {"messages": HELLO, "most_tokens": "5"}
    assert page.browser.post(f"{PATH}/chat", form, origin="http://evil.example").status_code == 403
    assert page.browser.post(f"{PATH}/chat", form, origin=None).status_code == 403
    assert page.server.asked == []


def test_why_nobody_answers_is_told_in_words(page: Page) -> None:
    assert "Service default/cpu: does not exist" in page.ask()[1]["error"]
    service = {"spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
    page.server.rules[f"{CORE}/services/cpu"] = Answer(item(name="cpu") | service)
    assert "Service default/cpu: has no ready pod (1 not ready)" in page.ask()[1]["error"]


def test_commands_name_the_deployment_s_own_service_port_and_model(page: Page) -> None:
    text = html.unescape(page.browser.get("/stacks/own/deployments/gpu").text)
    assert "kubectl port-forward -n default service/gpu-frontend 8000:8000" in text
    assert '"model": "org/model"' in text
    assert 'model="org/model",' in text
    cpu = html.unescape(page.browser.get(PATH).text)
    assert "service/cpu 8000:80" in cpu
    assert "model=client.models.list().data[0].id," in cpu, "the image decides the name"
