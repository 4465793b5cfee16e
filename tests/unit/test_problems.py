"""Unit (pure): what is wrong is told with its path, what was given and what is valid, in one line that no input makes
longer.
"""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airunway.planning.settings import StackSettings
from airunway.spec.checks import parse_spec
from airunway.spec.entry import ENTRY_FIELDS, DeploymentEntry
from airunway.spec.model import ModelDeploymentSpec
from airunway.text.names import DNS_LABEL, suggest_label
from airunway.text.problems import (
    InputError,
    Problem,
    dotted_field,
    format_value,
    join,
    suggest_name,
    validation_problems,
)

parts = st.lists(st.text("abc", min_size=1, max_size=3) | st.integers(0, 20), max_size=5)


@given(parts, parts)
def test_a_path_is_joined_of_its_parts_wherever_it_is_cut(before: list[Any], after: list[Any]) -> None:
    assert join(dotted_field(before), dotted_field(after)) == dotted_field([*before, *after])


@given(parts, parts, st.text(max_size=10))
def test_a_problem_is_told_below_whatever_it_is_in(outer: list[Any], inner: list[Any], message: str) -> None:
    problem = Problem(dotted_field(inner), message)
    moved = problem.under(dotted_field(outer))
    assert moved == Problem(dotted_field([*outer, *inner]), message)
    assert str(moved).endswith(message)
    assert problem.under("") == problem
    error = InputError([problem, moved])
    assert (error.problems, str(error)) == ((problem, moved), f"{problem}\n{moved}")


names = st.lists(st.text("abcdefgh-", min_size=1, max_size=8), max_size=5)


@given(st.text(max_size=10), names)
def test_every_valid_name_is_listed_in_order_and_only_a_valid_one_is_meant(name: str, valid: list[str]) -> None:
    hint = suggest_name(name, valid)
    assert hint.endswith(f"valid: {', '.join(sorted(valid))}")
    if hint.startswith("did you mean"):
        assert hint.removeprefix("did you mean '").split("'?")[0] in valid
    else:
        assert name not in valid


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("replica", "replicas"),
        ("contextlength", "contextLength"),
        ("context_length", "contextLength"),
        ("context-length", "contextLength"),
        ("zzz", None),
    ],
)
def test_a_name_that_is_nearly_right_is_told(name: str, meant: str | None) -> None:
    hint = suggest_name(name, ["replicas", "contextLength", "image"])
    assert hint.startswith(f"did you mean '{meant}'? valid: " if meant else "valid: ")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    ),
    st.integers(2, 80),
)
def test_a_value_is_shown_in_a_line_of_bounded_length(value: Any, limit: int) -> None:
    text = format_value(value, limit)
    assert len(text) <= limit
    assert len(text.splitlines()) == 1
    whole = format_value(value, 10_000)
    assert text == whole or (text.endswith("…") and whole.startswith(text[:-1]))
    assert eval(whole, {"null": None, "true": True, "false": False}) == value


@pytest.mark.parametrize(
    ("data", "output"),
    [
        ({"modl": {}}, "modl: unknown key; did you mean 'model'? valid: "),
        ({"model": {"di": "x"}}, "model.di: unknown key; valid: gguf, id, revision, servedName, source"),
        ({"model": []}, "model: [] given, must be a map with the keys gguf, id, revision, servedName, source"),
        ({"model": "org/m"}, "model: 'org/m' given, must be a map; write model: {id: org/m}. Its keys: gguf, id, "),
        ({"engine": "vllm"}, "engine: 'vllm' given, must be a map; write engine: {type: vllm}. Its keys: args, "),
        ({"resources": {"gpu": 2}}, "resources.gpu: 2 given, must be a map; write gpu: {count: 2}. Its keys: count"),
        ({"resources": {"gpu": True}}, "resources.gpu: true given, must be a map with the keys count, type"),
        ({"secrets": "x"}, "secrets: 'x' given, must be a map with the keys huggingFaceToken"),
        ({"env": {"A": "b"}}, "env: {'A': 'b'} given, must be a list; begin each element with a dash, as in - name: A"),
        ({"name": 5}, "name: 5 given, must be a string; quote it: \"5\""),
        ({"name": True}, "name: true given, must be a string"),
        ({"name": "UP"}, "name: 'UP' given, must be a name of small letters, digits and '-' that begins"),
        ({"env": {}}, "env: {} given, must be a list"),
        ({"env": [{"name": "A", "value": 1}]}, "env[0].value: 1 given, must be a string; quote it"),
        ({"skipAwait": "yes"}, "skipAwait: 'yes' given, must be true or false"),
        ({"engine": {"type": "vlm"}}, "engine.type: 'vlm' given, did you mean 'vllm'? valid: "),
        ({"engine": {"contextLength": 0}}, "engine.contextLength: 0 given, must be at least 1"),
        ({"engine": {"contextLength": "8k"}}, "engine.contextLength: '8k' given"),
        ({"engine": {"contextLength": 1.5}}, "engine.contextLength: 1.5 given"),
        ({"nodeSelector": {"a": 1}}, "nodeSelector.a: 1 given, must be a string"),
        ({"image": "a b"}, "image: 'a b' given, must match"),
        ({"model": {"id": "x" * 5000, "source": 7}}, "model.source: 7 given"),
        ({"x" * 5000: 1}, "x" * 5000 + ": unknown key"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_an_entry_is_told_at_its_path(data: dict[str, Any], output: str) -> None:
    read, problems = parse_spec({"name": "a", "model": {"id": "org/m"}} | data, DeploymentEntry)
    assert read is None
    assert any(str(p).startswith(output) for p in problems), [str(p)[:200] for p in problems]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("Llama-3.1-8B", "llama-3-1-8b"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3-3-70b-instruct"),
        ("my chat", "my-chat"),
        ("Gemma_3", "gemma-3"),
        ("7b", "model-7b"),
        ("-x-", "x"),
        ("Org/", "org"),
    ],
)
@pytest.mark.parametrize("field", ["name", "namespace"])
def test_a_name_that_is_no_label_is_told_with_one(name: str, write: str, field: str) -> None:
    _, problems = parse_spec({"name": "a", "model": {"id": "org/m"}} | {field: name}, DeploymentEntry)
    (output,) = [p.message for p in problems if "must be a name" in p.message]
    assert output.endswith(f"; write {write}")
    assert parse_spec({"model": {"id": "org/m"}, "name": "a"} | {field: write}, DeploymentEntry)[1] == []


@given(st.text(max_size=100))
def test_the_label_of_any_text_is_one(text: str) -> None:
    label = suggest_label(text)
    assert label is None or (len(label) <= 63 and re.fullmatch(DNS_LABEL, label))


@pytest.mark.parametrize("name", ["", "___", "größe", "模型"])
def test_a_name_without_letters_of_a_label_is_told_with_none(name: str) -> None:
    (problem,) = parse_spec({"name": name, "model": {"id": "org/m"}}, DeploymentEntry)[1]
    assert problem.message.endswith(" given, must be a name of small letters, digits and '-' that begins with a letter")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("mode", "serving.mode"),
        ("replicas", "scaling.replicas"),
        ("contextLength", "engine.contextLength"),
        ("context_length", "engine.contextLength"),
        ("gpu", "resources.gpu"),
        ("memory", "resources.memory"),
        ("engineType", "engine.type"),
        ("servingMode", "serving.mode"),
        ("trustRemoteCode", "engine.trustRemoteCode"),
        ("engin", "engine"),
        ("nodeselector", "nodeSelector"),
    ],
)
def test_a_key_at_the_wrong_place_is_told_with_the_right_one(key: str, meant: str) -> None:
    (problem,) = parse_spec({"name": "a", "model": {"id": "org/m"}, key: 1}, DeploymentEntry)[1]
    assert str(problem).startswith(
        f"{key}: unknown key; did you mean '{meant}'? valid: annotations, delivery, engine, "
    )


@pytest.mark.parametrize("key", ["replicas", "nam", "xyz"])
def test_a_key_that_may_not_be_written_is_not_offered(key: str) -> None:
    data = {"name": "a", "model": {"id": "org/m"}, key: 1}
    (problem,) = parse_spec(data, DeploymentEntry, hidden=ENTRY_FIELDS)[1]
    valid = problem.message.rpartition("valid: ")[2].split(", ")
    assert set(valid) == {f.alias or n for n, f in ModelDeploymentSpec.model_fields.items()}
    assert "'name'" not in problem.message


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda v: (
        st.lists(v, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "model", "id", "gpu", "count", "env", "x"]), v, max_size=3)
    ),
    max_leaves=8,
)
sections = sorted(f.alias or n for n, f in DeploymentEntry.model_fields.items())


@given(st.dictionaries(st.sampled_from([*sections, "odd"]), anything, max_size=5))
def test_whatever_an_entry_holds_it_is_read_or_told_what_is_wrong(data: dict[str, Any]) -> None:
    read, problems = parse_spec(data, DeploymentEntry)
    assert (read is None) == bool(problems)
    for problem in problems:
        assert problem.message
        assert len(str(problem).splitlines()) == 1
        assert problem.field.split(".")[0].split("[")[0] in {*data, *sections}


@given(
    st.dictionaries(
        st.sampled_from(sorted(f.alias or n for n, f in StackSettings.model_fields.items())), anything, max_size=4
    )
)
def test_whatever_a_stack_s_settings_hold_they_are_read_or_told_what_is_wrong(data: dict[str, Any]) -> None:
    problems, errors = wrong_in(data)
    assert len(problems) == errors
    assert all(p.message and p.field.split(".")[0].split("[")[0] in data for p in problems)


def wrong_in(data: dict[str, Any]) -> tuple[list[Problem], int]:
    """What is told of settings, and of how many errors of pydantic it is made."""
    try:
        StackSettings.model_validate(data)
    except ValidationError as error:
        return validation_problems(error, StackSettings), error.error_count()
    return [], 0
