"""Unit (pure): a rule is refused or given up where it would take the program's stack, memory or patience."""

import time

import pytest

from airunway.planning.catalog import read_provider_configs
from airunway.planning.files import Files
from airunway.planning.plan import parse_settings
from airunway.selection.rule_evaluation import RuleError, compile_expression, compile_rule
from providers import PROVIDERS

TEN = "[1,2,3,4,5,6,7,8,9,10]"
DEEP = {
    "||": "||".join(["true"] * 600),
    "?:": "false ? true : " * 999 + "true",
    "+": "1" + "+1" * 600 + " == 1",
    ".": "spec" + ".a" * 999 + " == 1",
    "[": "[" * 500 + "1" + "]" * 500 + " == 1",
    "!(": "!(" * 3_000 + "true" + ")" * 3_000,
    "all": f"{TEN}.all(x, " * 300 + "true" + ")" * 300,
}


def nested(macro: str, levels: int, body: str) -> str:
    return "".join(f"{TEN}.{macro}(x{level}, " for level in range(levels)) + body + ")" * levels


def doubled(start: str, times: int) -> str:
    return start + "".join(f".map(a{time}, a{time} + a{time})" for time in range(times))


COSTLY = {
    "all": nested("all", 7, "true"),
    "map": f"size({nested('map', 7, '1')}) > 0",
    "absorbed": f"true || {nested('all', 7, 'true')}",
    "caught": f"{TEN}.exists(y, {nested('exists', 7, 'x0 == 99')})",
    "lists": f"size({doubled('[[1]]', 60)}[0]) > 0",
    "texts": f"size({doubled(chr(91) + repr('ab') + chr(93), 60)}[0]) > 0",
    "comparison": f"{doubled('[[1]]', 13)}.all(l, {nested('all', 3, 'l == l')})",
    "search": f"{doubled('[[1]]', 13)}.all(l, {nested('all', 3, '2 in l || true')})",
}


@pytest.mark.parametrize("kind", DEEP)
def test_a_rule_that_is_nested_too_deeply_is_refused(kind: str) -> None:
    with pytest.raises(RuleError, match="nested deeper than 100 levels") as refused:
        compile_expression(DEEP[kind])
    assert len(str(refused.value)) < 300


def test_a_rule_that_is_too_long_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(RuleError, match="28,000 characters, must be at most 20,000"):
        compile_rule("true ||" * 4_000)


@pytest.mark.parametrize("kind", COSTLY)
def test_a_rule_that_costs_too_much_is_given_up_whatever_else_is_true(kind: str) -> None:
    started = time.monotonic()
    outcome = compile_rule(COSTLY[kind]).evaluate({})
    assert outcome.error == "actual cost limit exceeded"
    assert not outcome.is_true
    assert time.monotonic() - started < 20  # 0.5 s; machines that run tests are noisy


def test_each_evaluation_may_cost_as_much() -> None:
    rule = compile_rule(f"{nested('all', 4, 'true')} && spec.a == 1")
    for value in (1, 2, 1, 3, 4):
        assert rule.evaluate({"a": value, "b": value}).value is (value == 1)


@pytest.mark.parametrize(
    "text",
    ["||".join(["spec.a == 1"] * 90), "(" * 400 + "true" + ")" * 400, "spec" + ".a" * 90, nested("all", 4, "true")],
)
def test_a_rule_within_the_limits_is_evaluated(text: str) -> None:
    outcome = compile_rule(text).evaluate({"a": 1})
    assert outcome.value is True or outcome.error is not None
    assert "limit" not in (outcome.error or "")


def test_a_stack_s_rule_beyond_the_limits_is_refused_with_its_place() -> None:
    settings = {"providers": {"vllm": {"spec": {"selectionRules": [{"condition": DEEP["||"], "priority": 1000}]}}}}
    _, problems = read_provider_configs(parse_settings(settings), Files(), PROVIDERS)
    assert [p.field for p in problems] == ["providers.vllm: spec.selectionRules[0].condition"]
    assert problems[0].message.startswith("nested deeper than 100 levels (line 1, column 1 of `true||true")


def test_a_process_that_sees_ever_new_rules_forgets_old_ones() -> None:
    """A console, whose forms are planned as one types."""
    for number in range(700):
        compile_rule(f"spec.replicas == {number}")
    assert compile_rule.cache_info().currsize <= 512


def test_what_a_rule_said_of_a_large_spec_is_not_kept() -> None:
    rule = compile_rule("has(spec.model)")
    for number in range(3):
        assert rule.evaluate({"model": {"id": f"{number}" + "x" * 10_000}}).is_true
    assert not rule._outcomes
