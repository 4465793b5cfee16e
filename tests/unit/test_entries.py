"""Unit (pure): entries of deployment files mean what they mean in a stack file, and every message says where its entry
stands.
"""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airunway.planning.entries import parse_entries, read_entries
from airunway.planning.files import Files
from airunway.planning.plan import Plan, parse_settings, plan_stack
from airunway.text.problems import InputError
from providers import PROVIDERS
from tests.unit.test_yaml_reading import MEANING

CHAT = {"name": "chat", "model": {"id": "org/chat"}, "resources": {"gpu": {"count": 1}}}
SMALL = {"name": "small", "model": {"id": "org/small"}}
DOCUMENT = {
    "apiVersion": "airunway.ai/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "chat"},
    "spec": {"model": {"id": "a/b"}},
}
FILES = ("d/chat.yaml", "d/small.yaml")


def plan(files: dict[str, Any], deployments: Any = (), **settings: Any) -> Plan:
    """The plan of a stack whose deployment files are ``files`` but those that ``manifests`` name; what is no text is
    written as YAML.
    """
    texts = {name: body if isinstance(body, str) else yaml.safe_dump(body) for name, body in files.items()}
    named = [name for name in texts if name not in settings.get("manifests", [])]
    base = {"cluster": {"context": "x"}, "deployments": list(deployments), "deploymentFiles": named}
    return plan_stack(parse_settings(base | settings), Files.from_texts(texts), PROVIDERS)


def refused(*arguments: Any, **settings: Any) -> list[str]:
    with pytest.raises(InputError) as raised:
        plan(*arguments, **settings)
    return [str(problem) for problem in raised.value.problems]


def test_entries_come_in_the_order_of_the_settings_and_know_their_places() -> None:
    document = DOCUMENT | {"metadata": {"name": "filed"}}
    files = {"d/b.yaml": [CHAT, SMALL], "d/a.yaml": [SMALL | {"name": "last"}], "m.yaml": document}
    planned = plan(files, [SMALL | {"name": "first"}], manifests=["m.yaml"]).deployments
    assert {p.name: p.location.path for p in planned} == {
        "first": "deployments[0]",
        "chat": "d/b.yaml[0]",
        "small": "d/b.yaml[1]",
        "last": "d/a.yaml[0]",
        "filed": "m.yaml",
    }
    assert [p.location.file for p in planned] == [None, "d/b.yaml", "d/b.yaml", "d/a.yaml", None]


def test_an_entry_of_a_file_is_planned_as_in_the_stack_file() -> None:
    one, other = (
        json.dumps([p.rendered.resource for p in created.deployments])
        for created in (plan({"d.yaml": [CHAT]}), plan({}, [CHAT]))
    )
    assert one == other


@pytest.mark.parametrize("text", [text for text in MEANING if text and len(text) < 100])
def test_a_scalar_means_what_it_means_in_a_stack_file(text: str) -> None:
    (entry,) = parse_entries(f"- {{a: {text}, b: [{text}]}}", "d.yaml")
    assert entry == {"a": MEANING[text], "b": [MEANING[text]]}


def test_keys_are_text_as_those_of_a_stack_file_are() -> None:
    assert parse_entries("- {2: a, true: b, 1.50: c, ~: d}", "d.yaml") == [
        {"2": "a", "true": "b", "1.5": "c", "<nil>": "d"}
    ]


def test_an_empty_list_is_a_file_without_entries() -> None:
    assert plan({"d.yaml": "[]\n"}, [CHAT]).deployments[0].name == "chat"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([CHAT | {"engine": {"type": "vlm"}}], "d.yaml[0].engine.type: 'vlm' given, did you mean 'vllm'?"),
        ([SMALL, CHAT | {"engin": {}}], "d.yaml[1].engin: unknown key; did you mean 'engine'?"),
        ([CHAT | {"provider": {"name": "x"}}], "d.yaml[0].provider.name: no provider 'x'"),
        ([CHAT | {"name": "Chat"}], "d.yaml[0].name: 'Chat' given, must be a name"),
        (["chat"], "d.yaml[0]: 'chat' given, must be a map with the keys"),
        ([None], "d.yaml[0]: null given, must be a map"),
        (CHAT, "d.yaml: {'model': {'id': 'org/chat'}, "),
        ({"airunway:deployments": [CHAT]}, "d.yaml: {'airunway:deployments': [{'model': "),
        ("text", "d.yaml: 'text' given, must be a list, as under airunway:deployments; [] is an empty one"),
        ("", "d.yaml: nothing given, must be a list"),
        ("# - name: chat\n", "d.yaml: nothing given, must be a list"),
        ("- name: [", "d.yaml: not YAML: "),
        ("- name: a\n  name: b\n", "d.yaml: 'name' appears twice in this map, line 2, column 3"),
        ("- name: 2026-01-01\n", "d.yaml: 2026-01-01 is a date to Pulumi; quote it"),
        ("- {a: !!binary aGVsbG8=}", "d.yaml[0].a: a bytes given"),
        ("- name: a\n---\n- name: b\n", "d.yaml: must be one YAML document, not 2"),
        ("- &a {name: *a}", "d.yaml[0].name.name.name"),
        (
            [CHAT | {"env": [{"name": "A", "value": {"secure": "v1:x"}}]}],
            "d.yaml[0].env[0].value: is encrypted, but Pulumi decrypts only",
        ),
        (
            [CHAT | {"provider": {"overrides": {"spec": {"x": {"secure": "v1:x"}}}}}],
            "d.yaml[0].provider.overrides.spec.x: is encrypted",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_file_and_place(body: Any, expected: str) -> None:
    (problem,) = refused({"d.yaml": body})
    assert problem.startswith(expected)


def test_everything_that_is_wrong_in_all_files_is_told_in_one_go() -> None:
    files = {
        "a.yaml": [CHAT | {"engine": {"type": "vlm"}}],
        "b.yaml": "text",
        "providers.yaml": [SMALL | {"model": {}}],
    }
    assert [p.split(":")[0] for p in refused(files, [SMALL | {"scaling": {"replicas": 99}}])] == [
        "deployments[0].scaling.replicas",
        "a.yaml[0].engine.type",
        "providers.yaml[0].model.id",
        "b.yaml",
        "providers.yaml[0].name",
    ]


@pytest.mark.parametrize(
    ("files", "deployments", "manifests", "expected"),
    [
        (
            {},
            [CHAT, SMALL, CHAT],
            [],
            "deployments[2].name: 'chat' is the name of deployments[0] too; a name is used once per stack",
        ),
        ({"a.yaml": [SMALL, CHAT]}, [CHAT], [], "a.yaml[1].name: 'chat' is the name of deployments[0] too"),
        ({"a.yaml": [SMALL, CHAT], "b.yaml": [CHAT]}, [], [], "b.yaml[0].name: 'chat' is the name of a.yaml[1] too"),
        (
            {"a.yaml": [CHAT], "m.yaml": DOCUMENT},
            [],
            ["m.yaml"],
            "m.yaml: metadata.name: 'chat' is the name of a.yaml[0] too",
        ),
    ],
)
def test_a_name_that_is_used_twice_is_told_with_both_places(
    files: Any, deployments: Any, manifests: Any, expected: str
) -> None:
    (problem,) = refused(files, deployments, manifests=manifests)
    assert problem.startswith(expected)


def test_a_name_that_is_used_twice_is_told_although_the_entries_are_wrong_too() -> None:
    problems = refused(
        {"a.yaml": [CHAT | {"engine": {"type": "x"}}], "b.yaml": [CHAT | {"engine": {"type": "y"}}, CHAT]}
    )
    assert [p.split(":")[0] for p in problems] == [
        "a.yaml[0].engine.type",
        "b.yaml[0].engine.type",
        "b.yaml[0].name",
        "b.yaml[1].name",
    ]


def test_two_that_need_one_service_are_told_with_both_places() -> None:
    (problem,) = refused({"a.yaml": [SMALL | {"name": "chat-frontend"}], "b.yaml": [SMALL, CHAT]})
    assert (
        problem
        == "b.yaml[1].name: 'chat' and 'chat-frontend' of a.yaml[0] would both need a Service 'chat-frontend' in"
        " default"
    )


entries = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, max_size=16).map(
    lambda ns: [SMALL | {"name": n} for n in ns]
)


@given(entries, st.lists(st.integers(0, 16), max_size=3).map(sorted))
def test_however_entries_are_spread_over_files_the_stack_is_the_same(
    listed: list[dict[str, Any]], cuts: list[int]
) -> None:
    pieces = [listed[a:b] for a, b in zip([0, *cuts], [*cuts, len(listed)], strict=True)]
    files = {f"{index}.yaml": piece for index, piece in enumerate(pieces[1:])}
    texts = Files.from_texts({name: json.dumps(piece) for name, piece in files.items()})
    settings = parse_settings({"cluster": {"context": "x"}, "deployments": pieces[0], "deploymentFiles": list(files)})
    spread, problems = read_entries(settings, texts)
    assert problems == []
    assert [entry.data for entry in spread] == listed
