"""Unit (pure): of what there is too much is counted, not gone through, and what is wrong alike is listed in part."""

import json
from pathlib import Path
from typing import Any

import pytest

from airunway.planning.entries import read_entries
from airunway.planning.files import Files
from airunway.planning.plan import parse_settings
from airunway.program.stack_file import read_stack
from airunway.spec.checks import parse_spec
from airunway.spec.entry import DeploymentEntry
from airunway.text.problems import InputError
from airunway.text.yaml_reading import read_documents

ENTRY: dict[str, Any] = {"name": "a", "model": {"id": "org/m"}}
MANY = {f"k{index}": 1 for index in range(50_000)}


def problems(**fields: Any) -> list[str]:
    return [str(problem) for problem in parse_spec(ENTRY | fields, DeploymentEntry)[1]]


def test_a_deployment_has_as_many_variables_as_the_limit_and_no_more() -> None:
    variables = [{"name": f"A{index}", "value": "x"} for index in range(1_001)]
    assert problems(env=variables[1:]) == []
    assert problems(env=variables) == ["env: 1,001 variables given, must be at most 1,000"]


@pytest.mark.parametrize(
    ("fields", "first", "last"),
    [
        (MANY, "k0: unknown key; ", "and 49,980 more of this kind"),
        ({"engine": {"args": MANY}}, "engine.args.k0: 1 given, must be", "engine.args: and 49,980 more of this kind"),
        (
            {"tolerations": [{"keys": "x"}] * 5_000},
            "tolerations[0].keys: unknown key; did you mean 'key'?",
            "tolerations[4999]: and 4,980 more of this kind",
        ),
        (
            {"env": [{"name": "A", "valueFrom": MANY}]},
            "env[0].valueFrom.k0: unknown key; ",
            "env[0].valueFrom: and 49,980 more of this kind",
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"} | MANY}}]},
            "env[0].valueFrom.secretKeyRef.k0: unknown key; ",
            "env[0].valueFrom.secretKeyRef: and 49,980 more of this kind",
        ),
    ],
    ids=("keys", "values", "elements", "sources", "references"),
)
def test_of_what_is_wrong_alike_twenty_are_listed(fields: Any, first: str, last: str) -> None:
    found = problems(**fields)
    assert len(found) == 21
    assert found[0].startswith(first)
    assert found[-1] == last


def test_twenty_one_that_are_wrong_are_told_apart_from_twenty() -> None:
    assert len(problems(**dict(list(MANY.items())[:20]))) == 20
    assert problems(**dict(list(MANY.items())[:21]))[20:] == ["and 1 more of this kind"]


def test_a_document_s_unknown_keys_are_listed_in_part_too() -> None:
    document = {"apiVersion": "airunway.ai/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "a"} | MANY}
    text = json.dumps(document | {"spec": {"model": {"id": "org/m"}} | MANY} | MANY)
    (entry,), _ = read_entries(parse_settings({"manifests": ["m.yaml"]}), Files.from_texts({"m.yaml": text}))
    found = [str(problem) for problem in entry.problems]
    assert len(found) == 63
    assert [line for line in found if "more" in line] == [
        "m.yaml: metadata: and 49,980 more of this kind",
        "m.yaml: and 49,980 more of this kind",
        "m.yaml: spec: and 49,980 more of this kind",
    ]


def test_a_file_has_as_many_documents_as_the_limit_and_no_more() -> None:
    assert len(read_documents("---\n1\n" * 2_000, "x")) == 2_000
    with pytest.raises(InputError, match=r"^x: has more than 2,000 documents; split it$"):
        read_documents("---\n1\n" * 2_001, "x")


def test_a_stack_file_that_can_t_be_passed_on_is_not_gone_through(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: airunway")
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(json.dumps({"config": {"airunway:deployments": [ENTRY | {"env": [{"name": "A"}] * 100_000}]}}))
    with pytest.raises(InputError, match=r"Pulumi\.dev\.yaml: has more than 1,048,576 bytes"):
        read_stack(tmp_path, "dev")
