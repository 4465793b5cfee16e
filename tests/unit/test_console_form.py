"""Unit (in this process): the form of a deployment: what it makes of an entry, and what it says while it is filled
in.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from airunway.console.check import Context, FormCheck, check
from airunway.console.fields import Field, entry_of, field_of, form_of, groups
from airunway.console.project import Project
from airunway.console.security import Guard
from airunway.planning.deployment import PlanContext
from airunway.planning.settings import StackSettings
from airunway.spec.checks import parse_spec
from airunway.spec.entry import DeploymentEntry
from providers import PROVIDERS
from tests.unit.console_pages import Browser, hidden
from tests.unit.samples import builtin
from tests.unit.spec_leaves import changed, default_of, leaves, values

STACKS = sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))
FIELDS = [field for group in groups() for field in group.fields]
CONTEXT = Context(PlanContext(PROVIDERS, builtin(), StackSettings()), {"taken": "deployments[0]"})
KINDS = {"kaito": "Workspace", "dynamo": "DynamoGraphDeployment", "kuberay": "RayService"}


def filled(**fields: str) -> FormCheck:
    form = {"name": "new", "model.id": "org/model"} | {path.replace("__", "."): text for path, text in fields.items()}
    return check(form, CONTEXT)


@pytest.mark.parametrize("path", STACKS, ids=lambda p: p.name)
def test_every_entry_of_the_shipped_stacks_goes_through_the_form_unchanged(path: Path) -> None:
    for entry in yaml.safe_load(path.read_text())["config"]["airunway:deployments"]:
        assert entry_of(form_of(entry)) == (entry, [])


def test_every_field_is_in_one_group_with_a_help_and_an_id_of_its_own() -> None:
    assert len({field.name for field in FIELDS}) == len(FIELDS) == len({field.id for field in FIELDS})
    assert all(field.help for field in FIELDS)
    assert [f.name for f in FIELDS if f.required] == ["name"]


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
    assert checked.is_valid, (checked.errors, checked.general)
    assert checked.selection is not None
    assert (str(checked.selection.engine), checked.selection.provider) == (engine, provider)
    assert f"kind: {KINDS[provider]}" in checked.objects_yaml


@pytest.mark.parametrize(
    ("fields", "path", "output"),
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
        ({"nodeSelector": "{a: 1, a: 2}"}, "nodeSelector", "'a' appears twice"),
        ({"engine__args": "{a: !!binary aGVsbG8=}"}, "engine.args", "a: a bytes given"),
        ({"env": "- {nam: A}"}, "env", "[0]"),
        ({"tolerations": "text"}, "tolerations", "given"),
        ({"provider__overrides": "spec: {replicas: 2}"}, "provider.overrides", "spec.replicas: can't be overridden"),
        ({"provider__name": "dynamo", "env": "[]", "model__gguf__file": "m.gguf"}, "resources.gpu.count", "dynamo"),
        ({"readyTimeout": "soon"}, "readyTimeout", "'soon' given"),
    ],
)
def test_an_error_stands_beside_the_field_that_it_is_about(fields: dict[str, str], path: str, output: str) -> None:
    checked = filled(**fields)
    assert not checked.is_valid
    if path in checked.errors:
        assert output in " ".join(checked.errors[path])
    else:
        assert output in json.dumps([checked.errors, checked.general])


def test_a_message_finds_the_field_that_holds_what_it_is_about() -> None:
    expected = {
        "env[0].name": "env",
        "engine.args.x": "engine.args",
        "resources.gpu": "resources.gpu.count",
        "model.id": "model.id",
        "nowhere": None,
    }
    assert {path: (field.name if (field := field_of(path)) else None) for path in expected} == expected


def test_the_rule_that_decides_is_shown_as_code(guard: Guard) -> None:
    checked = (
        Browser(guard).post("/stacks/own/check", {"name": "new", "model.id": "org/m", "resources.gpu.count": "1"}).text
    )
    assert (
        "rule <code>has(spec.resources.gpu) &amp;&amp; spec.resources.gpu.count &gt; 0 &amp;&amp; spec.engine.type =="
        in checked
    )
    assert "`" not in checked


def entry_with(path: str, value: Any) -> dict[str, Any]:
    return dict(changed({"name": "x", "model": {"id": "org/m"}}, path, value))


@pytest.mark.parametrize("path", [path for path, _ in leaves(DeploymentEntry)])
def test_every_leaf_of_an_entry_goes_through_the_form_unchanged(path: str) -> None:
    kind = dict(leaves(DeploymentEntry))[path]
    for value in values(path, kind, default_of(DeploymentEntry, path)):
        entry = entry_with(path, value)
        assert entry_of(form_of(entry)) == (entry, [])


ODD_TEXTS = [
    " x ",
    "x\n",
    "x\ny",
    "x\r\ny",
    "\tx",
    "x y",
    "null",
    "true",
    "5",
    "'x'",
    "a: b",
    "- a",
    "# a",
    "  ",
    "",
    "x\u2028y",
    "é",
    "x\\ny",
]


@pytest.mark.parametrize("field", [f for f in FIELDS if f.kind == "text"], ids=lambda f: f.name)
def test_a_text_that_a_stack_may_hold_is_the_same_after_the_form(field: Field) -> None:
    for text in ODD_TEXTS:
        entry = entry_with(field.name, text)
        read, _ = parse_spec(entry, DeploymentEntry)
        assert read is None or entry_of(form_of(entry)) == (entry, []), text


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=6) | st.sampled_from(ODD_TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.:# -", max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in FIELDS if f.kind == "yaml"]),
        anything.filter(lambda v: v is not None),
        max_size=4,
    )
)
@example({"env": [{"name": "A", "value": "a line\n"}]})
def test_whatever_stands_in_a_field_of_yaml_is_the_same_after_the_form(fields: dict[str, Any]) -> None:
    entry: dict[str, Any] = {"name": "x", "model": {"id": "org/m"}}
    for path, value in fields.items():
        entry = changed(entry, path, value)
    assert entry_of(form_of(entry)) == (entry, [])


@given(
    st.dictionaries(
        st.sampled_from([f.name for f in FIELDS]), st.text(max_size=12) | st.sampled_from(ODD_TEXTS), max_size=5
    )
)
def test_whatever_is_filled_in_is_checked_in_words(form: dict[str, str]) -> None:
    checked = check({"name": "new", "model.id": "org/model"} | form, CONTEXT)
    assert checked.is_valid == (checked.planned is not None and not checked.errors and not checked.general)
    assert checked.is_valid or any(checked.errors.values()) or checked.general
    assert set(checked.errors) <= {f.name for f in FIELDS}
    assert entry_of(form_of(checked.entry))[0] == checked.entry


ROWS: list[tuple[dict[str, str], str]] = [
    ({"resources.gpu.count": "0"}, "kaito"),
    ({"resources.gpu.count": "1", "engine.type": "trtllm"}, "dynamo"),
    ({"resources.gpu.count": "1", "engine.type": "sglang"}, "dynamo"),
    ({"resources.gpu.count": "1", "engine.type": "llamacpp"}, "kaito"),
    ({"serving.mode": "disaggregated", "scaling.prefill.gpu.count": "1", "scaling.decode.gpu.count": "1"}, "dynamo"),
    ({"resources.gpu.count": "8"}, "dynamo"),
    ({"resources.gpu.count": "1", "provider.name": "kuberay"}, "kuberay"),
]


def test_a_deployment_of_every_row_of_the_decision_table_is_made_by_the_form(guard: Guard, tmp_path: Path) -> None:
    browser = Browser(guard)
    for index, (fields, _) in enumerate(ROWS):
        form = {"kind": "deployment", "name": f"row-{index}", "model.id": "org/model"} | fields
        assert browser.post("/stacks/own/save", hidden(browser.post("/stacks/own/review", form))).status_code == 303
    planned = Project(tmp_path).plan("own").deployments
    assert [(p.name, p.request.selection.provider) for p in planned[1:]] == [
        (f"row-{i}", provider) for i, (_, provider) in enumerate(ROWS)
    ]


def test_every_field_has_a_label_and_a_group_and_few_are_shown_at_first() -> None:
    fields = [field for group in groups() for field in group.fields]
    assert [field.name for field in fields if field.label in ("", field.name) and field.name != "image"] == []
    assert len({field.label for field in fields}) == len(fields)
    shown = {group.title: [field.name for field in group.fields] for group in groups() if group.open}
    runs = ["resources.gpu.count", "scaling.replicas", "engine.type", "provider.name", "engine.contextLength"]
    assert shown == {"What to serve": ["name", "model.id", "model.gguf.file"], "Where it runs": runs}


def test_a_group_that_holds_a_value_is_open(guard: Guard) -> None:
    browser = Browser(guard)

    def open_groups(query: str) -> list[str]:
        page = browser.get(f"/stacks/own/new/form?{query}").text
        return re.findall(r'<details class="group" open><summary>([^<]*)', page)

    first = ["What to serve", "Where it runs"]
    assert open_groups("name=x") == first
    assert open_groups("name=x&nodeSelector=a%3A+b") == [*first, "Pods"]
    assert open_groups("engine.image=x&gateway.enabled=true") == [*first, "Engine settings", "Delivery"]
