"""Unit (pure): documents of files mean one entry each, say where they stand, and lose nothing that was written in
them.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.planning.documents import KINDS, deployment_entry, in_document, parse_documents
from airunway.planning.entries import document_entry
from airunway.selection.provider_config import API_GROUPS
from airunway.spec.checks import parse_spec
from airunway.spec.entry import ENTRY_FIELDS, DeploymentEntry
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_writing import to_documents


def body(name: str = "a", **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name},
        "spec": {"model": {"id": "org/m"}},
    } | more


def refused(*bodies: Any) -> list[str]:
    with pytest.raises(InputError) as raised:
        parse_documents(to_documents(bodies), "m.yaml")
    return [str(p) for p in raised.value.problems]


@given(
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5), st.lists(st.booleans(), min_size=6, max_size=6)
)
def test_every_document_is_read_in_order_and_empty_ones_are_passed_over(names: list[str], gaps: list[bool]) -> None:
    bodies: list[Any] = [
        part for name, gap in zip(names, gaps, strict=False) for part in ([None, body(name)] if gap else [body(name)])
    ]
    documents = parse_documents(to_documents(bodies), "m.yaml")
    assert [d.body["metadata"]["name"] for d in documents] == names
    assert [d.source for d in documents] == (
        ["m.yaml"] if len(names) == 1 else [f"m.yaml[{i}]" for i in range(len(names))]
    )


@pytest.mark.parametrize("group", API_GROUPS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_groups_and_both_kinds_are_read(group: str, kind: str) -> None:
    (document,) = parse_documents(to_documents([body(kind=kind, apiVersion=f"{group}/v1alpha1")]), "m.yaml")
    assert document.kind == kind


@pytest.mark.parametrize(
    ("wrong", "output"),
    [
        ("text", "m.yaml: must be a map, not a str"),
        ([], "m.yaml: must be a map, not a list"),
        ({}, "m.yaml: kind: null given; valid: "),
        (body(kind="modeldeployment"), "m.yaml: kind: 'modeldeployment' given; did you mean 'ModelDeployment'?"),
        (body(kind=["ModelDeployment"]), "m.yaml: kind: ['ModelDeployment'] given"),
        (
            body(apiVersion="airunway.ai/v1"),
            "m.yaml: apiVersion: 'airunway.ai/v1' given; did you mean 'airunway.ai/v1alpha1'?",
        ),
        (body(apiVersion=None), "m.yaml: apiVersion: null given"),
        (body(metadata=None), "m.yaml: metadata.name: required, but not given"),
        (body(metadata={"name": 5}), "m.yaml: metadata.name: required, but not given"),
        (body(metadata=[{"name": "a"}]), "m.yaml: metadata.name: required, but not given"),
    ],
)
def test_what_is_no_document_is_refused_at_its_place(wrong: Any, output: str) -> None:
    assert refused(wrong)[0].startswith(output)
    assert refused(body(), wrong, body("b"))[0].startswith(output.replace("m.yaml", "m.yaml[1]"))


def test_everything_that_is_wrong_is_told_in_one_go() -> None:
    assert [text.split(":")[0] for text in refused(1, body(), {}, body(kind="x"))] == [
        "m.yaml[0]",
        "m.yaml[2]",
        "m.yaml[3]",
    ]


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "null", "---\n---\n"])
def test_a_file_without_a_document_says_what_is_wanted(text: str) -> None:
    with pytest.raises(
        InputError, match=r"m\.yaml: contains no documents; expected: ModelDeployment, InferenceProviderConfig"
    ):
        parse_documents(text, "m.yaml")


def entry_of(**more: Any) -> tuple[dict[str, Any], list[str]]:
    (document,) = parse_documents(to_documents([body(**more)]), "m.yaml")
    entry, problems = deployment_entry(document)
    return entry, [str(p) for p in problems]


def test_an_entry_is_the_spec_with_name_and_namespace() -> None:
    assert entry_of(metadata={"name": "a", "namespace": "ml"}) == (
        {"name": "a", "namespace": "ml", "model": {"id": "org/m"}},
        [],
    )
    assert entry_of()[0] == {"name": "a", "model": {"id": "org/m"}}


def test_what_a_server_adds_is_passed_over() -> None:
    server = {
        "uid": "1",
        "resourceVersion": "7",
        "generation": 2,
        "managedFields": [],
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    assert entry_of(metadata={"name": "a", **server}, status={"phase": "Running"}) == entry_of()


@pytest.mark.parametrize(
    ("more", "output"),
    [
        ({"metadata": {"name": "a", "nmespace": "x"}}, "metadata.nmespace: unknown key; did you mean 'namespace'?"),
        ({"metadata": {"name": "a", "generateName": "x"}}, "metadata.generateName: unknown key; "),
        ({"spce": {}}, "spce: unknown key; did you mean 'spec'? valid: metadata, spec"),
        ({"spec": None}, "spec: required, but not given"),
        ({"spec": []}, "spec: must be a map"),
        *(({"spec": {key: "x"}}, f"spec.{key}: unknown key") for key in sorted(ENTRY_FIELDS)),
    ],
)
def test_what_a_model_deployment_has_not_is_refused(more: dict[str, Any], output: str) -> None:
    problems = entry_of(**more)[1]
    assert any(text.startswith(output) for text in problems), problems


def test_the_keys_that_only_an_entry_has_are_not_offered_for_a_document() -> None:
    (document,) = parse_documents(to_documents([body(spec={"model": {"id": "org/m"}, "servingmode": "x"})]), "m.yaml")
    (problem,) = document_entry(document).problems
    assert str(problem).startswith(
        "m.yaml: spec.servingmode: unknown key; did you mean 'serving.mode'? valid: engine, "
    )
    assert not ENTRY_FIELDS & set(problem.message.rpartition("valid: ")[2].split(", "))


values = st.integers(-9, 9) | st.text(max_size=3)


@given(st.dictionaries(st.sampled_from(["model", "engine", "resources", "env", "odd", "image"]), values, max_size=3))
def test_whatever_a_spec_holds_reaches_the_entry_and_its_check(spec: dict[str, Any]) -> None:
    entry, problems = entry_of(spec=spec)
    assert problems == []
    assert {key: entry[key] for key in spec} == spec
    _, wrong = parse_spec(entry, DeploymentEntry)
    if "odd" in spec:
        assert any(p.field == "odd" for p in wrong)


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("name", "m.yaml: metadata.name"),
        ("namespace", "m.yaml: metadata.namespace"),
        ("labels.team", "m.yaml: metadata.labels.team"),
        ("model.id", "m.yaml: spec.model.id"),
        ("env[0].name", "m.yaml: spec.env[0].name"),
        ("names", "m.yaml: spec.names"),
    ],
)
def test_a_problem_of_the_entry_is_told_where_it_stands_in_the_document(path: str, location: str) -> None:
    assert in_document(Problem(path, "is wrong"), "m.yaml") == Problem(location, "is wrong")
