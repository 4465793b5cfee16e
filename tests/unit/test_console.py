"""Unit (in this process): the console's form and its guard, without a browser or a socket."""

import asyncio
import html
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from airunway.console.app import Console
from airunway.console.check import Checked, Context, check
from airunway.console.fields import entry_of, field_of, form_of, groups
from airunway.console.file_edit import fingerprint
from airunway.console.graph_page import policy_for
from airunway.console.project import Project
from airunway.console.security import MAX_BODY, Guard, cookie_of
from airunway.planning.deployment import Target
from airunway.planning.settings import StackSettings
from providers import PROVIDERS
from tests.graph.projects import write_project
from tests.unit.samples import builtin

STACKS = sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))
FIELDS = [field for group in groups() for field in group.fields]
CONTEXT = Context(Target(PROVIDERS, builtin(), StackSettings()), {"taken": "deployments[0]"})
KINDS = {"kaito": "Workspace", "dynamo": "DynamoGraphDeployment", "kuberay": "RayService"}
HOST = "127.0.0.1:1234"
COOKIE = cookie_of(HOST)


def filled(**fields: str) -> Checked:
    form = {"name": "new", "model.id": "org/model"} | {path.replace("__", "."): text for path, text in fields.items()}
    return check(form, CONTEXT)


@pytest.mark.parametrize("path", STACKS, ids=lambda p: p.name)
def test_every_entry_of_the_shipped_stacks_goes_through_the_form_unchanged(path: Path) -> None:
    for entry in yaml.safe_load(path.read_text())["config"]["airunway:deployments"]:
        assert entry_of(form_of(entry)) == (entry, [])


def test_every_field_is_in_one_group_with_a_help_and_an_id_of_its_own() -> None:
    assert len({field.path for field in FIELDS}) == len(FIELDS) == len({field.id for field in FIELDS})
    assert all(field.help for field in FIELDS)
    assert [f.path for f in FIELDS if f.required] == ["name"]


@pytest.mark.parametrize(
    ("fields", "engine", "provider"),
    [
        ({}, "llamacpp", "kaito"),
        ({"resources__gpu__count": "0"}, "llamacpp", "kaito"),
        ({"engine__type": "sglang", "resources__gpu__count": "1"}, "sglang", "dynamo"),
        ({"engine__type": "llamacpp", "resources__gpu__count": "1"}, "llamacpp", "kaito"),
        ({"resources__gpu__count": "4"}, "vllm", "dynamo"),
        ({"resources__gpu__count": "1", "provider__name": "kuberay"}, "vllm", "kuberay"),
        (
            {"serving__mode": "disaggregated", "scaling__prefill__gpu__count": "1", "scaling__decode__gpu__count": "1"},
            "vllm",
            "dynamo",
        ),
    ],
)
def test_the_form_shows_what_the_rules_decide(fields: dict[str, str], engine: str, provider: str) -> None:
    checked = filled(**fields)
    assert checked.fine, (checked.errors, checked.general)
    assert checked.selection is not None
    assert (str(checked.selection.engine), checked.selection.provider) == (engine, provider)
    assert f"kind: {KINDS[provider]}" in checked.objects_yaml


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"name": "taken"}, "name", "'taken' is the name of deployments[0] too; a name is used once per stack"),
        ({"name": "No Name"}, "name", "'No Name' given"),
        ({"resources__gpu__count": "many"}, "resources.gpu.count", "'many' given"),
        ({"resources__gpu__count": "65"}, "resources.gpu.count", "at most 64"),
        ({"engine__type": "vlm"}, "engine.type", "did you mean 'vllm'?"),
        ({"resources__gpu__count": "9" * 5000}, "resources.gpu.count", "given"),
        ({"env": "a: ["}, "env", "not YAML"),
        ({"env": "&a [*a]"}, "env", "nested deeper"),
        ({"env": "- {name: A, value: 2026-01-01}"}, "env", "is a date to Pulumi; quote it"),
        ({"nodeSelector": "{a: 1, a: 2}"}, "nodeSelector", "'a' stands twice"),
        ({"engine__args": "{a: !!binary aGVsbG8=}"}, "engine.args", "a: a bytes given"),
        ({"env": "- {nam: A}"}, "env", "[0]"),
        ({"tolerations": "text"}, "tolerations", "given"),
        ({"provider__overrides": "spec: {replicas: 2}"}, "provider.overrides", "spec.replicas: can't be overridden"),
        ({"provider__name": "dynamo", "env": "[]", "model__gguf__file": "m.gguf"}, "resources.gpu.count", "dynamo"),
        ({"readyTimeout": "soon"}, "readyTimeout", "'soon' given"),
    ],
)
def test_an_error_stands_beside_the_field_that_it_is_about(fields: dict[str, str], path: str, said: str) -> None:
    checked = filled(**fields)
    assert not checked.fine
    if path in checked.errors:
        assert said in " ".join(checked.errors[path])
    else:
        assert said in json.dumps([checked.errors, checked.general])


def test_a_message_finds_the_field_that_holds_what_it_is_about() -> None:
    wanted = {
        "env[0].name": "env",
        "engine.args.x": "engine.args",
        "resources.gpu": "resources.gpu.count",
        "model.id": "model.id",
        "nowhere": None,
    }
    assert {path: (field.path if (field := field_of(path)) else None) for path in wanted} == wanted


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Console(Project(write_project(tmp_path, [{"name": "one", "model": {"id": "org/m"}}])), "own").app([HOST])


class Browser:
    """Requests as a browser sends them to the console, its cookie kept."""

    def __init__(self, guard: Guard, *, admitted: bool = True) -> None:
        self.guard = guard
        self.cookies: dict[str, str] = {}
        if admitted:
            found = re.match(
                rf"{COOKIE}=([^;]+); HttpOnly; Path=/; SameSite=strict", self.get(f"/?token={guard.token}").headers["set-cookie"]
            )
            assert found
            self.cookies = {COOKIE: found[1]}

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, content: Any = None) -> httpx.Response:
        async def act() -> httpx.Response:
            transport = httpx.ASGITransport(self.guard)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", cookies=self.cookies) as client:
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(act())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.send("GET", path, headers)

    def post(self, path: str, form: dict[str, str], origin: str | None = f"http://{HOST}") -> httpx.Response:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Origin": origin} if origin else {})
        return self.send("POST", path, headers, str(httpx.QueryParams(form)))


def test_the_address_works_once_and_leaves_no_token_behind(guard: Guard) -> None:
    token = guard.token
    first = Browser(guard, admitted=False).get(f"/stacks/own/?token={token}&saved=1")
    assert (first.status_code, first.headers["location"]) == (303, "/stacks/own/?saved=1")
    again = Browser(guard, admitted=False).get(f"/stacks/own/?token={token}")
    assert (again.status_code, "set-cookie" in again.headers) == (403, False)


@pytest.mark.parametrize("path", ["/", "/stacks/own/", "/stacks/own/status", "/static/console.js", "/stacks/own/events"])
def test_nothing_is_shown_without_the_cookie(guard: Guard, path: str) -> None:
    stranger = Browser(guard, admitted=False)
    assert stranger.get(path).status_code == 403
    assert stranger.get(f"{path}?token=wrong").status_code == 403
    for wrong in ("wrong", '"\\303"'):
        stranger.cookies = {COOKIE: wrong}
        assert stranger.get(path).status_code == 403


def test_other_programs_on_this_machine_and_other_consoles_share_the_browser(guard: Guard) -> None:
    browser = Browser(guard)
    browser.cookies = {"[odd]": "{1, 2}", cookie_of("127.0.0.1:1235"): "of another console", **browser.cookies}
    assert browser.get("/stacks/own/").status_code == 200


def test_a_token_never_leads_to_another_site(guard: Guard) -> None:
    location = Browser(guard, admitted=False).get(f"http://{HOST}//evil.example/x?token={guard.token}").headers["location"]
    assert location == "/evil.example/x"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:99", ""])
def test_another_host_name_that_leads_here_is_refused(guard: Guard, host: str) -> None:
    assert Browser(guard).get("/stacks/own/", Host=host).status_code == 421


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "https://127.0.0.1:1234", "http://127.0.0.1:99"])
def test_a_change_from_another_site_is_refused(guard: Guard, origin: str | None) -> None:
    browser = Browser(guard)
    for path in ("review", "save", "run", "cancel", "secret", "check"):
        assert browser.post(f"/stacks/own/{path}", {}, origin).status_code == 403


def test_every_answer_has_the_policy(guard: Guard) -> None:
    browser = Browser(guard)
    for path in ("/stacks/own/", "/stacks/own/new", "/stacks/own/providers", "/stacks/gone/", "/static/console.js", "/nowhere"):
        answer = browser.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_huge_body_is_refused_whatever_it_says_of_its_length(guard: Guard) -> None:
    browser = Browser(guard)
    assert browser.post("/stacks/own/check", {"name": "x" * (MAX_BODY + 1)}).status_code == 413

    async def pieces() -> Any:
        for _ in range(20):
            yield b"a=" + b"x" * (MAX_BODY // 10)

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{HOST}"}
    assert browser.send("POST", "/stacks/own/check", headers, pieces()).status_code == 413


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/stacks/..%2f..%2fetc/", "/stacks/../own/"]
)
def test_no_path_leads_out(guard: Guard, path: str) -> None:
    answer = Browser(guard).get(path)
    assert answer.status_code in (303, 404) or "airunway</p>" in answer.text
    assert "import asyncio" not in answer.text


def test_what_comes_from_a_form_or_a_file_is_text(guard: Guard) -> None:
    evil = "<script>alert(1)</script>"
    browser = Browser(guard)
    checked = browser.post("/stacks/own/check", {"name": evil, "model.id": evil, "env": f"- name: '{evil}'"}).text
    assert evil not in checked
    assert "&lt;script&gt;" in checked
    assert evil not in browser.get(f"/stacks/own/edit/{evil}").text


def test_the_rule_that_decides_is_shown_as_code(guard: Guard) -> None:
    checked = Browser(guard).post("/stacks/own/check", {"name": "new", "model.id": "org/m", "resources.gpu.count": "1"}).text
    assert "rule <code>has(spec.resources.gpu) &amp;&amp; spec.resources.gpu.count &gt; 0 &amp;&amp; spec.engine.type ==" in checked
    assert "`" not in checked


def test_a_change_is_shown_then_saved_and_a_second_one_on_the_old_file_is_not_lost_and_not_made(guard: Guard, tmp_path: Path) -> None:
    browser, path = Browser(guard), tmp_path / "stacks" / "Pulumi.own.yaml"
    path.write_text(
        "# Kept.\nconfig:\n  airunway:cluster: {context: x}\n  airunway:deployments:\n    - name: one\n      model: {id: org/m}\n"
    )

    def reviewed(name: str) -> dict[str, str]:
        page = browser.post("/stacks/own/review", {"kind": "deployment", "name": name, "model.id": "org/x"})
        assert f"+    - name: {name}" in page.text
        hidden = dict(re.findall(r'name="(change|read)" value="([^"]*)"', page.text))
        return {key: value.replace("&#34;", '"') for key, value in hidden.items()}

    two, three = reviewed("two"), reviewed("three")
    assert browser.post("/stacks/own/save", two).headers["location"] == "/stacks/own/?saved=1"
    assert path.read_text().startswith("# Kept.\n")
    conflict = browser.post("/stacks/own/save", three)
    assert (conflict.status_code, "was changed by somebody else" in conflict.text) == (409, True)
    assert "+    - name: three" in conflict.text
    assert [d["name"] for d in yaml.safe_load(path.read_text())["config"]["airunway:deployments"]] == ["one", "two"]


def test_a_stack_that_would_not_be_right_is_not_saved(guard: Guard, tmp_path: Path) -> None:
    browser = Browser(guard)
    built = {"kind": "deployment", "name": "two", "model.id": "org/x", "model.gguf.file": "m-Q4_0.gguf", "model.gguf.build": "true"}
    page = browser.post("/stacks/own/review", built).text
    assert "registry: a deployment builds an image; say where it is kept" in page
    assert "Save to the stack file" not in page
    before = (tmp_path / "stacks" / "Pulumi.own.yaml").read_text()
    entry = {"name": "two", "model": {"id": "org/x", "gguf": {"file": "m-Q4_0.gguf", "build": True}}}
    change = json.dumps({"kind": "deployment", "entry": entry, "replacing": None})
    assert browser.post("/stacks/own/save", {"change": change, "read": ""}).status_code == 400
    assert (tmp_path / "stacks" / "Pulumi.own.yaml").read_text() == before


FILED = """# yaml-language-server: $schema=../stacks/deployments.schema.json
# The chat models.

- name: chat   # the first
  model:
    id: org/chat
- name: other
  model: {id: org/other}
"""


@pytest.fixture
def filed(guard: Guard, tmp_path: Path) -> Path:
    """The project, whose stack has two deployment files and a manifest too."""
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "chat.yaml").write_text(FILED)
    (tmp_path / "deployments" / "none.yaml").write_text("# Nothing yet.\n[]\n")
    document = {"apiVersion": "airunway.ai/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "manifest"}, "spec": {}}
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(document | {"spec": {"model": {"id": "org/m"}}}))
    (tmp_path / "stacks" / "Pulumi.own.yaml").write_text(
        "# Kept.\nconfig:\n  airunway:cluster: {context: x}\n  airunway:deploymentFiles: [deployments/*.yaml]\n"
        "  airunway:manifests: [manifest.yaml]\n  airunway:deployments:\n    - name: one\n      model: {id: org/m}\n"
    )
    return tmp_path


def hidden(page: httpx.Response) -> dict[str, str]:
    """What the page of a review sends when it is saved."""
    assert page.status_code in (200, 409), page.text
    return {key: html.unescape(value) for key, value in re.findall(r'name="(change|read)" value="([^"]*)"', page.text)}


def texts(project: Path) -> dict[str, str]:
    return {str(path.relative_to(project)): path.read_text() for path in sorted(project.glob("*/*.yaml"))}


def test_an_entry_of_a_file_is_edited_where_it_stands(guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    form = browser.get("/stacks/own/edit/chat").text
    assert "It stands in <code>deployments/chat.yaml</code>" in form
    assert 'value="org/chat"' in form
    page = browser.post("/stacks/own/review", {"kind": "deployment", "replacing": "chat", "name": "chat", "model.id": "org/new"})
    assert "--- deployments/chat.yaml (as it is)" in page.text
    assert "Save to deployments/chat.yaml" in page.text
    saved = browser.post("/stacks/own/save", hidden(page))
    assert saved.headers["location"] == "/stacks/own/?saved=deployments/chat.yaml"
    assert texts(filed) == before | {"deployments/chat.yaml": FILED.replace("id: org/chat", "id: org/new")}
    assert "Saved to deployments/chat.yaml." in browser.get(saved.headers["location"]).text
    assert "Saved to the stack file." in browser.get("/stacks/own/?saved=anything").text


def test_an_entry_of_a_file_is_removed_there(guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", {"kind": "remove", "name": "other"})))
    assert texts(filed) == before | {"deployments/chat.yaml": FILED[: FILED.index("- name: other")]}
    browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", {"kind": "remove", "name": "one"})))
    assert "name: one" not in texts(filed)["stacks/Pulumi.own.yaml"]


@pytest.mark.parametrize("file", ["", "deployments/chat.yaml", "deployments/none.yaml"])
def test_a_new_entry_goes_to_the_stack_file_or_where_it_is_chosen_to(file: str, guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    assert re.findall(r"<option>(deployments/\w+\.yaml)</option>", browser.get("/stacks/own/new").text) == [
        "deployments/chat.yaml",
        "deployments/none.yaml",
    ]
    new = {"kind": "deployment", "name": "new", "model.id": "org/new", "file": file}
    assert f"<h2>In {file or 'the stack file'}</h2>" in browser.post("/stacks/own/check", new).text
    browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", new)))
    changed = {name for name, text in texts(filed).items() if text != before[name]}
    assert changed == {file or "stacks/Pulumi.own.yaml"}
    assert set(Project(filed).entries("own")) == {"one", "chat", "other", "new"}


def test_a_choice_stays_where_the_form_is_shown_again(guard: Guard, filed: Path) -> None:
    wrong = {"kind": "deployment", "name": "Wrong", "model.id": "org/new", "file": "deployments/none.yaml"}
    assert "<option selected>deployments/none.yaml</option>" in Browser(guard).post("/stacks/own/review", wrong).text


@pytest.mark.parametrize("file", ["../outside.yaml", "/etc/passwd", "stacks/Pulumi.own.yaml", "manifest.yaml", ["deployments/chat.yaml"]])
def test_only_a_deployment_file_of_the_stack_can_be_chosen(file: Any, guard: Guard, filed: Path) -> None:
    before = texts(filed)
    change = {"kind": "deployment", "entry": {"name": "new", "model": {"id": "a/b"}}, "replacing": None, "file": file}
    answer = Browser(guard).post("/stacks/own/save", {"change": json.dumps(change), "read": ""})
    assert (answer.status_code, "is no deployment file of stack own; " in answer.text) == (400, True)
    assert texts(filed) == before


@pytest.mark.parametrize(
    ("name", "place"), [("one", "deployments[0]"), ("chat", "deployments/chat.yaml[0]"), ("manifest", "manifest.yaml")]
)
def test_a_name_is_taken_wherever_its_entry_stands(name: str, place: str, guard: Guard, filed: Path) -> None:
    checked = Browser(guard).post("/stacks/own/check", {"name": name, "model.id": "org/m", "file": "deployments/none.yaml"}).text
    assert f"is the name of {place} too; a name is used once per stack" in checked


def test_a_file_that_changed_meanwhile_is_not_overwritten_and_another_one_is_no_conflict(guard: Guard, filed: Path) -> None:
    browser, file = Browser(guard), filed / "deployments" / "chat.yaml"
    change = {"kind": "deployment", "replacing": "chat", "name": "chat", "model.id": "org/new"}
    reviewed = hidden(browser.post("/stacks/own/review", change))
    file.write_text(FILED + "- name: theirs\n  model: {id: org/theirs}\n")
    conflict = browser.post("/stacks/own/save", reviewed)
    assert (conflict.status_code, "chat.yaml was changed by somebody else" in conflict.text) == (409, True)
    assert "org/new" not in file.read_text()
    stack = filed / "stacks" / "Pulumi.own.yaml"
    stack.write_text(stack.read_text() + "    - name: two\n      model: {id: org/two}\n")
    assert browser.post("/stacks/own/save", hidden(conflict)).status_code == 303
    assert [e["name"] for e in yaml.safe_load(file.read_text())] == ["chat", "other", "theirs"]
    assert "org/new" in file.read_text()


def test_an_entry_that_moved_to_another_file_meanwhile_is_a_conflict(guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    reviewed = hidden(browser.post("/stacks/own/review", {"kind": "remove", "name": "chat"}))
    (filed / "deployments" / "none.yaml").write_text(before["deployments/chat.yaml"])
    (filed / "deployments" / "chat.yaml").write_text(before["deployments/none.yaml"])
    moved = texts(filed)
    (filed / "deployments" / "none.yaml").write_text(before["deployments/chat.yaml"] + "# changed\n")
    assert browser.post("/stacks/own/save", reviewed).status_code == 409
    assert texts(filed) == moved | {"deployments/none.yaml": before["deployments/chat.yaml"] + "# changed\n"}


def test_a_change_of_a_file_that_would_break_the_stack_is_not_saved(guard: Guard, filed: Path) -> None:
    browser, before = Browser(guard), texts(filed)
    change = {"kind": "deployment", "entry": {"name": "one", "model": {"id": "a/b"}}, "replacing": "chat"}
    answer = browser.post("/stacks/own/save", {"change": json.dumps(change), "read": fingerprint(FILED)})
    assert "deployments/chat.yaml[0].name: &#39;one&#39; is the name of deployments[0] too" in answer.text
    assert texts(filed) == before


def test_a_file_that_is_wrong_can_be_mended_by_form(guard: Guard, filed: Path) -> None:
    browser, file = Browser(guard), filed / "deployments" / "chat.yaml"
    file.write_text(FILED.replace("id: org/chat", "id: org/chat\n  engine: {type: vlm}"))
    page = browser.get("/stacks/own/")
    assert (page.status_code, "deployments/chat.yaml[0].engine.type: &#39;vlm&#39; given" in page.text) == (400, True)
    assert '<a href="/stacks/own/edit/chat">' in page.text
    form = {"kind": "deployment", "replacing": "chat", "name": "chat", "model.id": "org/chat"}
    assert browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", form))).status_code == 303
    assert file.read_text() == FILED


def test_a_file_of_two_stacks_is_pointed_out(guard: Guard, filed: Path) -> None:
    stack = (filed / "stacks" / "Pulumi.own.yaml").read_text()
    (filed / "stacks" / "Pulumi.second.yaml").write_text(stack)
    (filed / "stacks" / "Pulumi.broken.yaml").write_text("config: 1")
    (filed / "stacks" / "Pulumi.apart.yaml").write_text("config: {}")
    browser = Browser(guard)
    page = browser.post("/stacks/own/review", {"kind": "remove", "name": "chat"}).text
    assert "This file belongs to stack second too." in page
    assert "This file belongs" not in browser.post("/stacks/own/review", {"kind": "remove", "name": "one"}).text


def test_what_pulumi_could_not_start_is_not_saved_to_the_stack_file_but_to_another(guard: Guard, filed: Path) -> None:
    browser, stack = Browser(guard), filed / "stacks" / "Pulumi.own.yaml"
    long = {"kind": "deployment", "name": "new", "model.id": "org/new", "env": f"- {{name: LONG, value: {'x' * 120_000}}}"}
    assert browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", long))).status_code == 303
    assert "most of them for airunway:deployments; with more than 131,072 Linux" in browser.get("/stacks/own/").text
    more = long | {"name": "more", "env": f"- {{name: LONG, value: {'x' * 12_000}}}"}
    page = browser.post("/stacks/own/review", more).text
    assert "with more than 131,072 Linux does not let Pulumi start the program" in page
    assert "Save to the stack file" not in page
    assert "Save to deployments/none.yaml" in browser.post("/stacks/own/review", more | {"file": "deployments/none.yaml"}).text
    stack.write_text(stack.read_text() + f"    - name: more\n      model: {{id: {'x' * 12_000}}}\n")
    assert "Save to the stack file" in browser.post("/stacks/own/review", {"kind": "remove", "name": "one"}).text


@pytest.mark.parametrize(
    "change",
    [
        "",
        "[]",
        '{"kind": "shell"}',
        '{"kind": "remove", "name": "gone"}',
        '{"kind": "provider", "name": "x", "state": "off"}',
        '{"kind": "deployment"}',
    ],
)
def test_a_change_that_is_none_is_refused(guard: Guard, change: str) -> None:
    assert Browser(guard).post("/stacks/own/save", {"change": change, "read": ""}).status_code == 400


def test_unknown_pages_and_actions_are_refused_in_words(guard: Guard) -> None:
    browser = Browser(guard)
    assert "no stack gone; valid: own" in browser.get("/stacks/gone/").text
    assert browser.get("/stacks/own/edit/gone").status_code == 404
    assert browser.post("/stacks/own/run", {"action": "destroy"}).status_code == 400
    assert browser.get("/stacks/own/events").status_code == 404


def test_the_policy_of_a_page_names_just_its_own_scripts() -> None:
    policy = policy_for("<style>a</style><script>b</script><script type='application/json'>c</script>")
    assert policy.count("'sha256-") == 4
    assert "unsafe" not in policy
