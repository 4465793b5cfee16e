"""Fuzz (pure): whatever text people or other programs write is read, or refused as input; nothing else is raised.

`make fuzz` tries more than a thousand times as many examples, other ones in each run, and prints how many.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airunway.console.stack_edit import with_deployment, with_provider, without_deployment
from airunway.program.stack_config import plan_of
from airunway.selection.rule_evaluation import Outcome, RuleError, compile_expression
from airunway.spec.quantities import parse_quantity, size_problem
from airunway.text.json_reading import read_json
from airunway.text.problems import InputError
from airunway.text.yaml_reading import Loader, StackLoader, read_documents
from tests.fuzz.mutations import PIECES
from tests.fuzz.totals import counted

ROOT = Path(__file__).parents[2]
WORDS = "name model id engine args env value valueFrom resources gpu count memory cpu provider overrides spec".split()

few = settings(max_examples=max(50, settings().max_examples // 4))
"""Fewer examples, for what takes several milliseconds."""
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(WORDS)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner),
    max_leaves=10,
)
yaml_texts = st.lists(st.sampled_from([*PIECES, *WORDS]) | st.text(max_size=3), max_size=30).map("".join)
expressions = st.recursive(
    st.sampled_from(
        ["spec", "spec.a", "spec.b.c", "1", "1u", "2.5", "'x'", "b'x'", "true", "null", "[1, 2]", "{'a': 1}"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["==", "<", "+", "-", "*", "/", "%", "&&", "||", "in"]), inner).map(" ".join),
        st.builds("{}.{}(x, {})".format, inner, st.sampled_from(["all", "exists", "map", "filter"]), inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["size", "int", "string", "has", "type", "!", "-"]), inner),
        st.builds("{}[{}]".format, inner, inner),
    ),
    max_leaves=8,
)


@given(yaml_texts)
@pytest.mark.parametrize("loader", [Loader, StackLoader])
@counted
def test_any_yaml_is_data_or_refused(loader: type[Loader], text: str) -> None:
    with contextlib.suppress(InputError):
        json.dumps(read_documents(text, "x", loader))


@given(st.text('[]{}:,"\\u0d81e-+.tn ', max_size=40) | values.map(json.dumps))
@counted
def test_any_json_is_data_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        read_json(text)


@given(st.from_regex(r"\A[0-9.]{0,80}([eE][+-]?[0-9]{1,9}|[KMGTPEnumk]i?)?\n?\Z") | st.text(max_size=8))
@counted
def test_any_text_is_a_quantity_or_none(text: str) -> None:
    amount = parse_quantity(text)
    assert amount is None or amount.is_finite()
    assert size_problem(text) is None or amount is None or amount >= 0


@few
@given(expressions | st.text("spec.a()[]{}|&!?:'\"1u=<+-*/% ", max_size=30), values)
@counted
def test_any_rule_is_refused_or_has_an_outcome(text: str, value: Any) -> None:
    with contextlib.suppress(RuleError):
        assert isinstance(compile_expression(text).evaluate({"a": value}), Outcome)


@few
@given(st.dictionaries(st.sampled_from(["deployments", "providers", "registry", "namespace", "x"]), values))
@counted
def test_any_configuration_is_planned_or_refused(settings: dict[str, Any]) -> None:
    with contextlib.suppress(InputError):
        plan_of({f"airunway:{key}": value for key, value in settings.items()}, ROOT)


@few
@given(
    st.fixed_dictionaries(
        {"name": st.just("a"), "model": st.just({"id": "org/m"})}, optional=dict.fromkeys(WORDS[2:], values)
    )
)
@counted
def test_any_deployment_is_planned_or_refused(entry: dict[str, Any]) -> None:
    with contextlib.suppress(InputError):
        plan_of({"airunway:cluster": {"context": "x"}, "airunway:deployments": [entry]}, ROOT)


@given(yaml_texts.map(lambda text: f"config:\n  airunway:deployments: {text}") | yaml_texts)
@counted
def test_any_text_is_edited_or_refused(text: str) -> None:
    entry = {"name": "new", "model": {"id": "org/m"}}
    with contextlib.suppress(InputError):
        with_deployment(text, entry, None)
    with contextlib.suppress(InputError):
        without_deployment(text, "a")
    with contextlib.suppress(InputError):
        with_provider(text, "kaito", "off")
