"""Unit (pure): what of a difference comes first, changes that are shown as one, and command lines compared by flag."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.report.argument_changes import changed_arguments
from airunway.report.compare import Difference, compare
from airunway.report.difference_text import field_sentence
from airunway.report.impact import DeploymentChange, change_groups, deployment_changes, impacts

RULE = {"condition": "true", "priority": 1}


def resource(name: str, of: str = "nvidia.com/v1beta1:DynamoGraphDeployment", /, **inputs: Any) -> dict[str, Any]:
    pulumi_type = f"kubernetes:{of}" if ":" in of else f"airunway:index:{of}"
    urn = f"urn:pulumi:prod::airunway::{pulumi_type}::{name}"
    return {"urn": urn, "type": pulumi_type, "name": name, "parent": "", "dependencies": [], "inputs": inputs}


def deployment(name: str, gpus: int = 2) -> dict[str, Any]:
    return {
        "name": name,
        "model": {"id": "org/m"},
        "gpus": {"least": gpus, "most": gpus},
        "engine": "vllm",
        "provider": "dynamo",
        "rule": RULE,
        "candidates": [],
    }


def difference(before: list[Any], after: list[Any], old: list[Any] = [], new: list[Any] = []) -> Difference:  # noqa: B006
    return compare(
        {"stack": "prod", "deployments": old, "resources": before},
        {"stack": "prod", "deployments": new, "resources": after},
    )


def test_equal_changes_of_a_kind_are_one_group() -> None:
    names = [f"m{i}" for i in range(8)]
    before = [resource(name, spec={"length": 8192}) for name in names]
    after = [resource(name, spec={"length": 32768 if name != "m3" else 16384}) for name in names]
    groups = change_groups(difference(before, after))
    assert [(group.names, len(group.changes)) for group in groups] == [("m0, m1, m2, m4, m5 and 2 more", 7), ("m3", 1)]
    assert field_sentence(groups[0].first.fields[0], groups[0].first) == "spec.length: 8192 -> 32768"


def test_equal_changes_of_two_kinds_are_two_groups() -> None:
    kinds = ["core/v1:ConfigMap", "core/v1:Secret"]
    before = [resource("a", kind, data={"x": "1"}) for kind in kinds]
    after = [resource("a", kind, data={"x": "2"}) for kind in kinds]
    assert len(change_groups(difference(before, after))) == 2


def test_one_and_true_are_not_the_same_change() -> None:
    before = [resource("a", spec={"x": 1}), resource("b", spec={"x": True})]
    after = [resource("a", spec={"x": 2}), resource("b", spec={"x": 2})]
    assert len(change_groups(difference(before, after))) == 2


def test_what_is_removed_comes_first_and_what_is_new_last() -> None:
    before = [resource("gone"), resource("changed", spec={"x": 1})]
    after = [resource("new"), resource("changed", spec={"x": 2})]
    operations = [group.first.operation for group in change_groups(difference(before, after))]
    assert operations == ["delete", "update", "create"]


def test_removals_moves_and_pauses_are_told_in_this_order() -> None:
    workspace = "kaito.sh/v1beta1:Workspace"
    endpoint = [resource("moved", "ModelDeployment", endpoint=f"http://{host}/v1") for host in ("a", "b")]
    metadata = [{"name": "paused", "namespace": "ml", "labels": {"x": value}} for value in ("1", "2")]
    templates = [{"template": {"spec": {"containers": [{"image": value}]}}} for value in ("a", "b")]
    paused = [
        resource("paused", workspace, apiVersion="kaito.sh/v1beta1", kind="Workspace", metadata=m, inference=t)
        for m, t in zip(metadata, templates, strict=True)
    ]
    found = difference([paused[0], endpoint[0]], [paused[1], endpoint[1]], old=[deployment("gone")])
    assert list(impacts(found)) == [
        ("gone", "removed, was org/m, 2 GPUs, vllm on dynamo"),
        ("moved", "endpoint http://a/v1 -> http://b/v1, so its clients have to follow"),
        ("paused", "not served while its Workspace is deleted and created again, with image a -> b"),
    ]


def test_a_deployment_is_told_once_and_what_its_clients_notice_first() -> None:
    before, after = deployment("chat", 1), deployment("chat", 2) | {"provider": "kuberay", "rule": None}
    endpoints = [resource("chat", "ModelDeployment", endpoint=f"http://{host}/v1") for host in ("a", "b")]
    found = difference([endpoints[0]], [endpoints[1]], [before], [deployment("new", 0), after])
    assert deployment_changes(found) == [
        DeploymentChange(
            "chat: endpoint http://a/v1 -> http://b/v1, so its clients have to follow; vllm on dynamo -> vllm on"
            " kuberay, because provider.name now names it; 1 GPU -> 2 GPUs",
            True,
        ),
        DeploymentChange('new: org/m, no GPU, vllm on dynamo, new: rule "true" (priority 1)', False),
    ]


def many(count: int, *, removed: int = 0, gpus: int = 2) -> Difference:
    """A difference of ``count`` deployments: the first are removed, the others get other GPUs."""
    names = [f"m{i:02}" for i in range(count)]
    old = [deployment(name, 1) | {"model": {"id": f"org/{name}"}} for name in names]
    new = [deployment(name, gpus) | {"model": {"id": f"org/{name}"}} for name in names[removed:]]
    return difference([], [], old, new)


def test_twenty_deployments_are_told_one_by_one() -> None:
    changes = deployment_changes(many(20))
    assert [change.sentence for change in changes] == [f"m{i:02}: 1 GPU -> 2 GPUs" for i in range(20)]
    assert not any(change.each for change in changes)


def test_more_that_change_in_the_same_way_are_told_together_and_removals_by_all_their_names() -> None:
    removed, changed = deployment_changes(many(23, removed=7))
    assert removed.sentence == (
        "7 deployments: removed: 7 models, 7 GPUs in all, vllm on dynamo (m00, m01, m02, m03, m04, m05, m06)"
    )
    assert removed.is_notable
    assert removed.each[0] == "m00: removed, was org/m00, 1 GPU, vllm on dynamo"
    assert changed.sentence == "16 deployments: 1 GPU -> 2 GPUs (m07, m08, m09, m10, m11 and 11 more)"
    assert not changed.is_notable
    assert changed.each[-1] == "m22: 1 GPU -> 2 GPUs"


@pytest.mark.parametrize(
    ("models", "gpus", "words"),
    [
        (["org/m"], [8], "org/m, 168 GPUs in all, "),
        (["org/m", "org/n"], [1], "2 models, 21 GPUs in all, "),
        (["org/m"], [0], "org/m, no GPU, "),
        (["org/m"], [None], "org/m, GPUs unknown, "),
        (["org/m"], [1, None], "org/m, GPUs unknown, "),
    ],
)
def test_new_deployments_that_are_told_together_say_their_models_and_gpus(
    models: list[str], gpus: list[int | None], words: str
) -> None:
    new = []
    for number in range(21):
        count = gpus[number % len(gpus)]
        known: dict[str, Any] = {"model": {"id": models[number % len(models)]}}
        known |= {"gpus": None if count is None else {"least": count, "most": count}}
        new.append(deployment(f"n{number:02}") | known)
    (told,) = deployment_changes(difference([], [], [], new))
    shown = "n00, n01, n02, n03, n04 and 16 more"
    assert told.sentence == f'21 deployments: {words}vllm on dynamo, new: rule "true" (priority 1) ({shown})'
    assert len(told.each) == 21


def test_previews_of_older_versions_without_models_are_told_together_too() -> None:
    old = [{k: v for k, v in deployment(f"n{i:02}").items() if k not in ("model", "gpus")} for i in range(21)]
    (told,) = deployment_changes(difference([], [], old, []))
    assert told.sentence.startswith("21 deployments: removed: vllm on dynamo (n00, ")


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 3))
def test_every_deployment_that_changes_is_told_once(count: int, removed: int, gpus: int) -> None:
    found = many(count, removed=min(count, removed), gpus=gpus)
    told = " ".join(text for change in deployment_changes(found) for text in change.each or (change.sentence,))
    expected = [f"m{i:02}" for i in range(count) if i < removed or gpus != 1]
    assert sorted(re.findall(r"(?<!org/)m\d\d", told)) == expected


def test_a_change_that_nobody_notices_has_no_impact() -> None:
    before, after = [resource("a", spec={"x": 1})], [resource("a", spec={"x": 2})]
    assert deployment_changes(difference(before, after, [deployment("a")], [deployment("a")])) == []


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (["--a", "1", "--b"], ["--a", "2", "--b"], {"--a": ("1", "2")}),
        (["--a", "1"], ["--a", "1", "--b"], {"--b": (None, True)}),
        (["--a", "1", "--b", "x"], ["--a", "1"], {"--b": ("x", None)}),
        (["--a=1"], ["--a=2"], {"--a": ("1", "2")}),
        (["--a", "1", "2"], ["--a", "1", "3"], {"--a": ("1 2", "1 3")}),
        (["--a"], ["--a", "1"], {"--a": (True, "1")}),
        (["--a", "1", "--b", "2"], ["--b", "2", "--a", "1"], {}),
        (["--a", "1", "--b", "2"], ["--b", "3", "--a", "1"], {}),
        (["--a=1"], ["--a", "1"], {}),
        (["--a", "1", "--a", "2"], ["--a", "3"], {}),
        (["serve", "--a", "1"], ["serve", "--a", "2"], {"--a": ("1", "2")}),
        (["serve", "--a", "1"], ["run", "--a", "2"], {}),
        (["serve", "x", "--a"], ["serve", "--a"], {}),
        (["--a", 1], ["--a", 2], {}),
        ([], ["--a"], {}),
        (["x"], ["y"], {}),
        ("--a", "--b", {}),
        (None, ["--a"], {}),
    ],
)
def test_command_lines_are_compared_by_flag_where_they_are_made_of_flags(old: Any, new: Any, changes: Any) -> None:
    assert changed_arguments(old, new) == changes


@given(*[st.lists(st.sampled_from(["--a", "--b", "--a=1", "1", "2", "-c", "--"]), max_size=5)] * 2)
def test_a_changed_command_line_is_never_taken_for_the_same(old: list[str], new: list[str]) -> None:
    found = difference([resource("a", args=old)], [resource("a", args=new)])
    assert bool(found.resources) is (old != new)
    assert not [change for change in changed_arguments(old, new).values() if change[0] == change[1]]
