"""Unit (pure): what is found between any two previews: every change once, nothing where there is none, and the mirror
image backwards.
"""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from airunway.report.compare import CREATE, DELETE, FORGET, REPLACE, UPDATE, Difference, compare
from airunway.report.difference_document import difference_document
from airunway.report.difference_text import field_sentence, summary
from airunway.report.impact import decision_text, deployment_changes

KINDS = (
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:batch/v1:Job",
    "kubernetes:kaito.sh/v1beta1:Workspace",
    "airunway:index:Platform",
)
keys = st.sampled_from(["spec", "metadata", "a", "b.c", "data"])
leaves = st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x", "1"])
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)
inputs = st.dictionaries(keys, values, max_size=3)


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    """A preview with some of six resources, each with inputs, and marks of secrets, of its own."""
    resources = [
        {
            "urn": f"urn:{index}",
            "type": KINDS[index % len(KINDS)],
            "name": f"r{index}",
            "parent": "",
            "dependencies": [],
            "inputs": draw(inputs),
            **({"secrets": {"data.token": draw(st.sampled_from(["one", "two"]))}} if index == 1 else {}),
            **({"retained": True} if index == 2 else {}),
        }
        for index in draw(st.lists(st.integers(0, 5), unique=True, max_size=4))
    ]
    return {"stack": "s", "deployments": [], "resources": resources}


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each leaf with its path, as JSON; an empty list or map is a leaf."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from flat(inner, f"{path}[{index}]")
    else:
        yield path, json.dumps(value)


@given(documents())
def test_a_preview_against_itself_is_no_change_whatever_it_holds(document: dict[str, Any]) -> None:
    difference = compare(document, copy.deepcopy(document))
    assert not difference
    assert (difference.resources, difference.selections, difference.operators) == ((), (), ())
    assert difference.unchanged == len(document["resources"])
    assert summary(difference).startswith("no change")


@given(documents(), documents())
def test_backwards_it_is_the_mirror_image(old: dict[str, Any], new: dict[str, Any]) -> None:
    forward, backward = compare(old, new), compare(new, old)
    there, back = ({r.urn: r for r in d.resources} for d in (forward, backward))
    assert there.keys() == back.keys()
    mirrored = {CREATE: {DELETE, FORGET}, DELETE: {CREATE}, FORGET: {CREATE}, UPDATE: {UPDATE}, REPLACE: {REPLACE}}
    for urn, change in there.items():
        assert back[urn].operation in mirrored[change.operation]
        assert {(f.field, json.dumps(f.old), json.dumps(f.new), f.secret) for f in change.fields} == {
            (f.field, json.dumps(f.new), json.dumps(f.old), f.secret) for f in back[urn].fields
        }


@given(documents(), documents())
def test_every_resource_is_counted_once(old: dict[str, Any], new: dict[str, Any]) -> None:
    difference = compare(old, new)
    before, after = ({r["urn"] for r in document["resources"]} for document in (old, new))
    urns = [r.urn for r in difference.resources]
    assert len(urns) == len(set(urns)) == sum(difference.counts.values())
    assert {r.urn for r in difference.resources if r.operation == CREATE} == after - before
    assert {r.urn for r in difference.resources if r.operation in (DELETE, FORGET)} == before - after
    assert difference.unchanged + difference.counts[UPDATE] + difference.counts[REPLACE] == len(before & after)
    retained = {r["urn"] for r in old["resources"] if r.get("retained")}
    assert {r.urn for r in difference.resources if r.operation == FORGET} == retained - after


def with_inputs(value: Any, kind: str = KINDS[0]) -> dict[str, Any]:
    resource = {"urn": "u", "type": kind, "name": "n", "parent": "", "dependencies": [], "inputs": value}
    return {"stack": "s", "deployments": [], "resources": [resource]}


@given(inputs, inputs)
def test_the_fields_that_are_told_are_all_that_changed_and_none_is_told_twice(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    difference = compare(with_inputs(old), with_inputs(new))
    fields = [f for r in difference.resources for f in r.fields]
    paths = [f.field for f in fields]
    assert len(paths) == len(set(paths))
    # Applied to the flat old side, they give the flat new side.
    reported = {leaf: text for f in fields if f.new is not None for leaf, text in flat(f.new, f.field)}
    gone = {leaf for f in fields if f.old is not None for leaf, _ in flat(f.old, f.field)}
    before = {leaf: text for leaf, text in flat(old) if leaf}
    after = {leaf: text for leaf, text in flat(new) if leaf}
    remaining = {leaf: text for leaf, text in before.items() if leaf not in gone}
    empty = {
        leaf for leaf, text in (remaining | after).items() if text in ("{}", "[]")
    }  # a map that is filled or emptied is told by what is in it
    assert {k: v for k, v in (remaining | reported).items() if k not in empty} == {
        k: v for k, v in after.items() if k not in empty
    }
    if old != new:
        assert json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True) or fields or empty


@given(inputs, st.integers(0, 50), st.sampled_from([True, 7, "changed", [1], {"z": 1}]))
def test_one_leaf_that_changes_is_told_once_with_both_values(value: dict[str, Any], choice: int, new: Any) -> None:
    places = [(path, text) for path, text in flat(value) if path and text not in ("{}", "[]")]
    assume(places)
    path, text = places[choice % len(places)]
    assume(json.dumps(new) != text)
    (change,) = compare(with_inputs(value), with_inputs(replaced(value, path, new))).resources
    (field,) = change.fields
    assert (field.field, json.dumps(field.old), field.new) == (path, text, new)
    assert field_sentence(field, change).startswith(f"{path}: ")


def replaced(value: Any, expected: str, new: Any, path: str = "") -> Any:
    if path == expected and path:
        return new
    if isinstance(value, dict):
        return {k: replaced(v, expected, new, f"{path}.{k}" if path else k) for k, v in value.items()}
    if isinstance(value, list):
        return [replaced(v, expected, new, f"{path}[{i}]") for i, v in enumerate(value)]
    return value


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        ({"a": True}, {"a": 1}, [("a", True, 1)]),
        ({"a": [1]}, {"a": [True]}, [("a[0]", 1, True)]),
        ({"a": [1, 2]}, {"a": [1]}, [("a", [1, 2], [1])]),
        ({"a": {"b": 1}}, {"a": "b"}, [("a", {"b": 1}, "b")]),
        ({"a": {"b": 1}}, {}, [("a", {"b": 1}, None)]),
        ({}, {"a": 0}, [("a", None, 0)]),
        ({"a": ""}, {}, [("a", "", None)]),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": None}, {}, []),
    ],
)
def test_a_value_is_told_as_it_is(old: dict[str, Any], new: dict[str, Any], fields: list[tuple[str, Any, Any]]) -> None:
    result = [(f.field, f.old, f.new) for r in compare(with_inputs(old), with_inputs(new)).resources for f in r.fields]
    assert repr(result) == repr(fields)


@given(documents(), documents())
def test_a_secret_s_mark_is_in_no_format(old: dict[str, Any], new: dict[str, Any]) -> None:
    for document, mark in ((old, "hidden-old"), (new, "hidden-new")):
        for resource in document["resources"]:
            resource["secrets"] = {"data.token": mark}
    difference = compare(old, new)
    reported = json.dumps(difference_document(difference)) + "".join(
        field_sentence(f, r) for r in difference.resources for f in r.fields
    )
    assert "hidden" not in reported
    both = {r["urn"] for r in old["resources"]} & {r["urn"] for r in new["resources"]}
    assert {r.urn for r in difference.resources if any(f.secret for f in r.fields)} == both


def decision(
    name: str, provider: str, engine: str, priority: int | None, eligible: dict[str, int | None]
) -> dict[str, Any]:
    """A deployment as a preview has it; ``eligible`` are the providers that fit, with their priority, and those that
    don't with None.
    """
    return {
        "name": name,
        "delivery": "direct",
        "engine": engine,
        "provider": provider,
        "rule": None if priority is None else {"condition": f"rule of {provider}", "priority": priority},
        "candidates": [
            {"provider": p, "eligible": rank is not None, "priority": rank, "why": "does not fit"}
            for p, rank in sorted(eligible.items())
        ],
    }


def between(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Difference:
    sides = ({"stack": "s", "deployments": [d] if d else [], "resources": []} for d in (old, new))
    return compare(*sides)


def rule(provider: str, priority: int) -> str:
    return f'rule "rule of {provider}" (priority {priority})'


ON_A = decision("m", "a", "vllm", 50, {"a": 50, "b": 40})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (None, ON_A, f"m: vllm on a, new: {rule('a', 50)}"),
        (
            ON_A,
            decision("m", "b", "vllm", 60, {"a": 50, "b": 60}),
            f"m: vllm on a -> vllm on b, because {rule('b', 60)} now outranks a (priority 50)",
        ),
        (
            ON_A,
            decision("m", "b", "vllm", 40, {"a": None, "b": 40}),
            f"because a no longer fits (does not fit); {rule('b', 40)} decides",
        ),
        (ON_A, decision("m", "b", "vllm", 40, {"b": 40}), "because a is no longer available"),
        (ON_A, decision("m", "c", "vllm", 90, {"a": 50, "c": 90}), f"because {rule('c', 90)} is now true"),
        (ON_A, decision("m", "b", "vllm", None, {"a": 50, "b": 40}), "because provider.name now names it"),
        (
            ON_A,
            decision("m", "a", "sglang", 50, {"a": 50}),
            f"m: vllm on a -> sglang on a, because {rule('a', 50)} decides",
        ),
        (
            ON_A,
            decision("m", "a", "vllm", 70, {"a": 70}),
            f"m: still vllm on a, {rule('a', 70)} instead of {rule('a', 50)}",
        ),
        (
            decision("m", "a", "vllm", None, {"a": None, "b": 40}),
            decision("m", "b", "vllm", 40, {"a": 10, "b": 40}),
            f"because provider.name no longer names a; {rule('b', 40)} decides",
        ),
        (
            ON_A,
            ON_A | {"delivery": "modeldeployment"},
            "m: vllm on a -> vllm on a as ModelDeployment, because delivery direct -> modeldeployment",
        ),
    ],
)
def test_a_decision_s_change_has_its_reason(old: Any, new: Any, sentence: str) -> None:
    difference = between(old, new)
    assert difference
    (told,) = deployment_changes(difference)
    assert sentence in told.sentence


names = st.sampled_from("abc")
decisions = st.builds(
    lambda provider, engine, priority, eligible: decision("m", provider, engine, priority, eligible),
    names,
    st.sampled_from(["vllm", "sglang"]),
    st.none() | st.integers(0, 2),
    st.dictionaries(names, st.none() | st.integers(0, 2)),
)


@settings(max_examples=300)
@given(decisions, decisions)
def test_whatever_two_decisions_are_one_sentence_says_what_became_of_them(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    result = between(old, new).selections
    changed = any(old[key] != new[key] for key in ("engine", "provider", "rule"))
    assert len(result) == changed
    for change in result:
        sentence = decision_text(change)
        assert f"{new['engine']} on {new['provider']}" in sentence
        assert not re.search(r"None|\(priority \)", sentence), sentence


def release(name: str, version: str | None, *, retained: bool = False) -> dict[str, Any]:
    given = {"version": version} if version else {}
    resource = {
        "urn": name,
        "type": "kubernetes:helm.sh/v3:Release",
        "name": name,
        "parent": "",
        "dependencies": [],
        "inputs": given,
    }
    return resource | ({"retained": True} if retained else {})


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ([], [release("x", "1.0")], ("operator x 1.0 is installed",)),
        ([], [release("x", None)], ("operator x is installed",)),
        ([release("x", "1.0")], [], ("operator x 1.0 is removed",)),
        ([release("x", "1.0")], [release("x", "1.1")], ("operator x: chart 1.0 -> 1.1",)),
        ([release("x", "1.0")], [release("x", "1.0")], ()),
        ([release("b", "1"), release("a", "1")], [], ("operator a 1 is removed", "operator b 1 is removed")),
    ],
)
def test_operators_that_come_go_or_change_are_one_sentence_each(
    old: list[Any], new: list[Any], sentences: tuple[str, ...]
) -> None:
    sides = ({"stack": "s", "deployments": [], "resources": resources} for resources in (old, new))
    assert compare(*sides).operators == sentences


def test_an_operator_that_becomes_someone_else_s_is_told() -> None:
    def provider(installation: str) -> dict[str, Any]:
        return with_inputs({"installation": installation}, "airunway:index:InferenceProvider")

    assert compare(provider("managed"), provider("existing")).operators == (
        "provider n: installation managed -> existing",
    )
    assert compare(provider("managed"), provider("managed")).operators == ()
