"""Unit (pure): a saved preview of another shape is refused with its place, and an odd graph of one is drawn."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from airunway.program.saved_preview import saved_preview
from airunway.report.compare import compare
from airunway.report.graph import graph_of
from airunway.text.problems import InputError

DEPLOYMENT = {
    "name": "a",
    "engine": "vllm",
    "provider": "kaito",
    "rule": {"condition": "true", "priority": 1},
    "candidates": [{"provider": "kaito", "eligible": True, "priority": None, "why": ""}],
}
RELEASE = {
    "urn": "urn:r",
    "type": "kubernetes:helm.sh/v3:Release",
    "name": "r",
    "parent": "",
    "dependencies": [],
    "inputs": {"name": "r", "namespace": "n", "chart": "c"},
}
OBJECT = RELEASE | {
    "urn": "urn:o",
    "type": "kubernetes:core/v1:Namespace",
    "inputs": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "o"}},
}
PREVIEW = {"stack": "own", "deployments": [DEPLOYMENT], "resources": [RELEASE, OBJECT]}


def read(folder: Path, document: Any) -> dict[str, Any]:
    path = folder / "saved.json"
    path.write_text(json.dumps(document))
    return saved_preview(path)


def test_a_preview_is_read_as_it_was_saved(tmp_path: Path) -> None:
    more = PREVIEW | {"warnings": ["w"], "later": 1}
    assert read(tmp_path, more) == more


@pytest.mark.parametrize(
    ("keys", "value", "output"),
    [
        ((), [], "input should be a valid dictionary"),
        ((), {}, "stack: field required"),
        (("stack",), 1, "stack: input should be a valid string"),
        (("resources",), None, "resources: input should be a valid list"),
        (("assessment",), None, "assessment: input should be"),
        (("assessment",), 5, "assessment: input should be"),
        (("assessment",), {"pools": []}, "assessment.cost: field required"),
        (("deployments", 0, "assessment"), None, "deployments[0].assessment: input should be"),
        (("deployments", 0, "assessment"), {"gpus": 5}, "deployments[0].assessment.gpus: input should be a valid list"),
        (("deployments", 0, "model"), {"id": 1}, "deployments[0].model.id: input should be a valid string"),
        (("deployments", 0, "model"), "x", "deployments[0].model: input should be"),
        (("resources", 0), None, "resources[0]: input should be"),
        (("resources", 0, "type"), ..., "resources[0].type: field required"),
        (("resources", 0, "urn"), 5, "resources[0].urn: input should be a valid string"),
        (("resources", 0, "dependencies"), [1], "resources[0].dependencies[0]: input should be a valid string"),
        (("resources", 0, "inputs"), [], "resources[0].inputs: input should be a valid dictionary"),
        (("resources", 0, "inputs", "name"), ..., "resources[0]: inputs.name: Field required"),
        (("resources", 0, "inputs", "values"), "x", "resources[0]: inputs.values: Input should be a valid dictionary"),
        (("resources", 0, "secrets"), None, "resources[0].secrets: input should be a valid dictionary"),
        (("resources", 1, "inputs", "metadata"), None, "resources[1]: inputs.metadata: Input should be"),
        (("resources", 1, "inputs", "metadata", "name"), ["a"], "resources[1]: inputs.metadata.name: Input should be"),
        (("resources", 1, "inputs", "kind"), 1, "resources[1]: inputs.kind: Input should be a valid string"),
        (("deployments", 0, "name"), ..., "deployments[0].name: field required"),
        (("deployments", 0, "rule"), {"condition": "x"}, "deployments[0].rule.priority: field required"),
        (("deployments", 0, "candidates"), {}, "deployments[0].candidates: input should be a valid list"),
    ],
    ids=str,
)
def test_another_shape_is_refused_with_its_place(
    keys: tuple[Any, ...], value: Any, output: str, tmp_path: Path
) -> None:
    document = copy.deepcopy(PREVIEW)
    place: Any = document
    for key in keys[:-1]:
        place = place[key]
    if not keys:
        document = value
    elif value is ...:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    with pytest.raises(InputError) as refused:
        read(tmp_path, document)
    assert f"saved.json: is not a saved preview: {output}" in str(refused.value)
    assert str(refused.value).endswith("; `airunway preview --format json` writes one")


def test_a_circle_and_a_parent_that_comes_later_are_drawn(tmp_path: Path) -> None:
    child = OBJECT | {"parent": "urn:r", "dependencies": ["urn:r"]}
    circle = RELEASE | {"dependencies": ["urn:o"]}
    saved = read(tmp_path, PREVIEW | {"resources": [child, circle]})
    graph = graph_of(saved)
    assert set(graph.nodes) == {"urn:o", "urn:r"}
    assert set(graph.edges) == {("urn:o", "urn:r"), ("urn:r", "urn:o")}
    assert compare(saved, saved).unchanged == 2
