"""Unit (in this process): the form of a deployment: what it makes of an entry, and what it says while it is filled in."""

import json
from pathlib import Path

import pytest
import yaml

from airunway.console.check import Checked, Context, check
from airunway.console.fields import entry_of, field_of, form_of, groups
from airunway.console.security import Guard
from airunway.planning.deployment import Target
from airunway.planning.settings import StackSettings
from providers import PROVIDERS
from tests.unit.console_pages import Browser
from tests.unit.samples import builtin

STACKS = sorted((Path(__file__).parents[2] / "stacks").glob("Pulumi.*.yaml"))
FIELDS = [field for group in groups() for field in group.fields]
CONTEXT = Context(Target(PROVIDERS, builtin(), StackSettings()), {"taken": "deployments[0]"})
KINDS = {"kaito": "Workspace", "dynamo": "DynamoGraphDeployment", "kuberay": "RayService"}


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


def test_the_rule_that_decides_is_shown_as_code(guard: Guard) -> None:
    checked = Browser(guard).post("/stacks/own/check", {"name": "new", "model.id": "org/m", "resources.gpu.count": "1"}).text
    assert "rule <code>has(spec.resources.gpu) &amp;&amp; spec.resources.gpu.count &gt; 0 &amp;&amp; spec.engine.type ==" in checked
    assert "`" not in checked
