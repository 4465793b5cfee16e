"""Unit (pure): what a live object has otherwise than its plan. That an API server's own ways are no difference is
seen on a real one, in the cluster tier.
"""

import copy
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from airunway.live.plan_difference import fields_not_as_planned
from airunway.live.status import deployment_status
from airunway.live.survey import Survey
from airunway.report.status_text import drift_text, surveys_text
from tests.unit.samples import plan

GOLDEN = Path(__file__).parent / "golden"
OBJECTS: dict[str, dict[str, Any]] = {
    f"{path.stem} {obj['kind']}": obj
    for path in sorted(GOLDEN.glob("*.yaml"))
    if path.stem != "cases"
    for obj in yaml.safe_load_all(path.read_text())
}


def leaves(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = False
    for key, part in inner:
        found = True
        yield from leaves(part, *path, key)
    if not found:
        yield path


def compared(obj: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The paths of what is compared."""
    apart = ("apiVersion", "kind", "status")
    in_metadata = ("labels", "annotations")
    return [p for p in leaves(obj) if p[0] not in apart and (p[0] != "metadata" or p[1] in in_metadata)]


def change(obj: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = inner = copy.deepcopy(obj)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def name_of(path: tuple[Any, ...]) -> str:
    if path[0] == "metadata":
        return f"metadata.{path[1]}[{path[2]!r}]"
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def test_there_are_objects_of_every_kind() -> None:
    kinds = {obj["kind"] for obj in OBJECTS.values()}
    assert {"Workspace", "DynamoGraphDeployment", "RayService", "Deployment"} <= kinds


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_as_planned_whatever_its_operator_adds(name: str) -> None:
    live = copy.deepcopy(OBJECTS[name])
    live["metadata"] |= {"uid": "1", "generation": 2, "annotations": {"of": "an operator"}}
    live["metadata"]["annotations"] |= OBJECTS[name]["metadata"].get("annotations") or {}
    live |= {"status": {"state": "successful"}, "more": {"of": "an operator"}}
    assert fields_not_as_planned(OBJECTS[name], live) == ()


@pytest.mark.parametrize("name", OBJECTS)
@given(st.data())
def test_any_other_value_is_told_by_its_path(name: str, data: st.DataObject) -> None:
    obj = OBJECTS[name]
    path = data.draw(st.sampled_from(compared(obj)))
    live = change(obj, path, "something else")
    assert fields_not_as_planned(obj, live) == (name_of(path),)


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_that_lost_everything_differs_in_every_section(name: str) -> None:
    obj = OBJECTS[name]
    bare = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": {"name": "x"}}
    sections = {field.split(".")[0] for field in fields_not_as_planned(obj, bare)}
    assert sections == {path[0] for path in compared(obj)}


def deployment(**container: Any) -> dict[str, Any]:
    return {"metadata": {}, "spec": {"containers": [container]}}


@pytest.mark.parametrize(
    ("planned", "live"),
    [
        ({"resources": {"limits": {"cpu": "1000m"}}}, {"resources": {"limits": {"cpu": "1"}}}),
        ({"resources": {"limits": {"memory": "1024Mi"}}}, {"resources": {"limits": {"memory": "1Gi"}}}),
        ({"resources": {"requests": {"nvidia.com/gpu": 1}}}, {"resources": {"requests": {"nvidia.com/gpu": "1"}}}),
        ({"image": "a/b:1"}, {"image": "a/b:1@sha256:" + "0" * 64}),
        ({"env": [], "args": None, "stdin": False, "value": ""}, {}),
        ({"weight": 1.0}, {"weight": 1}),
        ({"name": "a"}, {"name": "a", "imagePullPolicy": "Always"}),
    ],
)
def test_another_way_to_write_the_same_is_as_planned(planned: Any, live: Any) -> None:
    assert fields_not_as_planned(deployment(**planned), deployment(**live)) == ()


@pytest.mark.parametrize(
    ("planned", "live", "field"),
    [
        ({"resources": {"limits": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": "2"}}}, "resources.limits.cpu"),
        ({"resources": {"limits": {"cpu": "1"}}}, {"resources": {"limits": {}}}, "resources.limits.cpu"),
        ({"resources": {"limits": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": ["1"]}}}, "resources.limits.cpu"),
        ({"image": "a/b:1"}, {"image": "a/b:10@sha256:" + "0" * 64}, "image"),
        ({"image": "a/b:1@sha256:" + "1" * 64}, {"image": "a/b:1@sha256:" + "0" * 64}, "image"),
        ({"value": "1000m"}, {"value": "1"}, "value"),
        ({"value": True}, {"value": 1}, "value"),
        ({"value": 1}, {"value": "1"}, "value"),
        ({"args": ["a"]}, {"args": ["a", "b"]}, "args"),
        ({"args": ["a", "b"]}, {"args": ["a"]}, "args"),
        ({"args": ["a", "b"]}, {"args": ["a", "c"]}, "args[1]"),
        ({"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A"}]}, "env[0].value"),
        ({"resources": {"limits": {"cpu": "1"}}}, {"resources": "none"}, "resources"),
        ({"args": ["a"]}, {"args": "a"}, "args"),
    ],
)
def test_another_value_is_not_as_planned(planned: Any, live: Any, field: str) -> None:
    assert fields_not_as_planned(deployment(**planned), deployment(**live)) == (f"spec.containers[0].{field}",)


def test_annotations_of_pulumi_are_not_compared() -> None:
    planned = {"metadata": {"annotations": {"pulumi.com/skipAwait": "true", "team": "a"}}}
    assert fields_not_as_planned(planned, {"metadata": {}}) == ("metadata.annotations['team']",)


@pytest.mark.parametrize("metadata", [None, {}, {"labels": None}, {"labels": ["a"]}, {"labels": {"team": None}}])
def test_metadata_of_another_shape_lacks_what_is_planned(metadata: Any) -> None:
    planned = {"metadata": {"labels": {"team": "a"}}}
    assert fields_not_as_planned(planned, {"metadata": metadata}) == ("metadata.labels['team']",)


def test_the_first_fields_are_named_and_the_others_counted() -> None:
    assert drift_text(()) == ""
    assert drift_text(("a", "b", "c")) == "not as planned: a, b, c"
    assert drift_text(("a", "b", "c", "d", "e")) == "not as planned: a, b, c and 2 more"


@pytest.mark.parametrize("width", [60, 200])
def test_status_says_so_after_what_the_object_says_of_itself(width: int) -> None:
    status = deployment_status(plan({}), None)
    changed = replace(status, message="one pod is late", not_as_planned=("spec.replicas",))
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(surveys_text([Survey("dev", (changed,), ())], width))
    text = " ".join(console.export_text().split())
    assert re.search("one pod is late(;| )+not as planned: spec.replicas", text)
