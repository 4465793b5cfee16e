"""Unit (pure): CEL rules mean what Google's implementation says they mean."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cel_expr_python import cel

from airunway.selection.rule_evaluation import Outcome, RuleError, compile_expression, compile_rule

CORPUS = yaml.safe_load((Path(__file__).parent / "cel_corpus.yaml").read_text())
SPECS, EXPRESSIONS = CORPUS["specs"], CORPUS["expressions"]
ORACLE = cel.NewEnv(variables={"spec": cel.Type.DYN})


def oracle(expression: Any, spec: dict[str, Any]) -> Any:
    """The value by cel-expr-python with its type, or None for an error."""
    try:
        value = expression.eval(data={"spec": spec})
    except Exception:  # the extension raises plain exceptions of several kinds
        return None
    return None if value.type() == cel.Type.ERROR else typed(value.plain_value())


def typed(value: Any) -> Any:
    """``value`` so that 1, 1.0 and true differ."""
    if isinstance(value, dict):
        return {(type(k).__name__, k): typed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [typed(v) for v in value]
    value = bytes(value) if isinstance(value, bytearray) else value
    return (type(value).__name__, value)


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    assert len(set(EXPRESSIONS)) == len(EXPRESSIONS) >= 150
    assert len(SPECS) == 12


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_gives_what_google_s_implementation_gives(text: str) -> None:
    try:
        theirs = ORACLE.compile(text)
    except Exception:  # does not compile there, so must not here
        with pytest.raises(RuleError):
            compile_expression(text)
        return
    ours = compile_expression(text)
    for spec in SPECS:
        outcome = ours.evaluate(spec)
        assert (None if outcome.error else typed(outcome.value)) == oracle(theirs, spec), spec


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("spec.engine.type ==", "syntax error", 1, 18),
        ("", "empty", 1, 1),
        ("engine.type == 'vllm'", "unknown name 'engine'", 1, 1),
        ("spec.engine.type == 'vllm' && spce.x", "unknown name 'spce'", 1, 31),
        ("spec.model.id.lowerAscii() == 'a'", "no method 'lowerAscii'", 1, 15),
        ("true ||\n  1 == 1.0", "can't compare int with double", 2, 3),
        ("spec.engine.type + 1", "", 0, 0),
        ("'vllm'", "a rule must be a bool, not string", 1, 1),
        ("has(spec)", "has() takes one field selection", 1, 1),
        ("[1, 2].contains(1)", "contains() does not take", 1, 8),
        ("[1].min()", "no method 'min'", 1, 5),
    ],
)
def test_a_rule_that_does_not_compile_is_refused_with_its_place(
    text: str, message: str, line: int, column: int
) -> None:
    if not message:
        assert compile_rule(text + " == 2").evaluate({"engine": {"type": "a"}}).error
        return
    with pytest.raises(RuleError) as raised:
        compile_rule(text)
    assert message in str(raised.value)
    assert (raised.value.line, raised.value.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("spec.engine.type == 'vllm' && has(spec.resources.gpu)", {("engine", "type"), ("resources", "gpu")}),
        ("has(spec.engine)", {("engine",)}),
        ("spec.engine.args.size() > 0 || spec.engine.args[0].b", {("engine", "args")}),
        ("[spec.engine][0].type == 'a'", {("engine",)}),
        ("'engine' in spec", None),
        ("spec['engine'].type == 'a'", None),
        ("spec.engine == spec", None),
        ("[spec].exists(s, s.engine.type == 'a')", None),
        ("spec.model.id == 'spec'", {("model", "id")}),
        ("true", set()),
    ],
)
def test_an_expression_knows_what_of_the_spec_it_can_read(text: str, paths: set[tuple[str, ...]] | None) -> None:
    assert compile_expression(text).fields == paths


def test_specs_that_are_alike_in_what_a_rule_reads_are_evaluated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = compile_rule("spec.engine.type == 'only-in-this-test'")
    runs: list[object] = []
    run = rule._run

    def counted(spec: Mapping[str, Any]) -> Outcome:
        runs.append(spec)
        return run(spec)

    monkeypatch.setattr(rule, "_run", counted)
    for number in range(5):
        rule.evaluate({"engine": {"type": "vllm"}, "model": {"id": f"org/{number}"}})
    assert len(runs) == 1


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_what_an_expression_does_not_read_makes_no_difference(text: str) -> None:
    try:
        expression = compile_expression(text)
    except RuleError:
        return
    assert [expression.evaluate(spec) for spec in SPECS] == [expression._run(spec) for spec in SPECS]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_a_number_beyond_64_bits_makes_a_rule_fail_and_nothing_else(number: int) -> None:
    rule = compile_rule("spec.provider.overrides.a == 1")
    outcome = rule.evaluate({"provider": {"overrides": {"a": number}}})
    assert outcome.error == "the spec has a number that is no 64-bit integer"
    assert rule.evaluate({"provider": {"overrides": {"a": 1, "b": number}}}).value is True
