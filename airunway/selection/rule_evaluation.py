"""CEL: compiles selection rules and other conditions, and evaluates them.

The semantics are cel-go's. A selection rule has one variable ``spec``, as in the KubeAIRunway controller.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import celpy
from celpy.adapter import json_to_cel
from celpy.celparser import CELParseError
from celpy.evaluation import CELEvalError

from airunway.selection.cel import evaluator as cel_evaluator
from airunway.selection.cel.cost import MAX_CHARACTERS, TOO_DEEP, CostLimitError, is_too_deep
from airunway.selection.cel.types import BOOL, DYN, Checker, CheckError, is_assignable

_QUOTED = 200


class RuleError(ValueError):
    """A rule that doesn't compile: ``message``, 1-based ``line`` and ``column``, and the ``expression`` itself."""

    def __init__(self, message: str, expression: str, line: int = 1, column: int = 1) -> None:
        self.message, self.expression, self.line, self.column = message, expression, line, column
        quoted = expression if len(expression) <= _QUOTED else f"{expression[:_QUOTED]}…"
        super().__init__(f"{message} (line {line}, column {column} of `{quoted}`)")


@dataclass(frozen=True)
class Outcome:
    """The result of an expression on one spec: ``value`` as plain Python data, or ``error``."""

    value: Any = None
    error: str | None = None

    @property
    def is_true(self) -> bool:
        """Whether the value is ``true``."""
        return self.value is True


_MAX_EXPRESSIONS, _MAX_OUTCOMES, _MAX_KEY = 512, 4096, 4096
"""Expressions that are remembered, outcomes of each, and characters of what an outcome depends on."""


class Expression:
    """A compiled CEL expression; compile with ``compile_expression`` or ``compile_rule``.

    ``fields`` are the fields of ``spec`` that it can read, None if it may read any. Specs that agree in these fields
    are evaluated only once.
    """

    def __init__(self, text: str, runner: celpy.Runner, fields: frozenset[tuple[str, ...]] | None) -> None:
        self.text, self.fields = text, fields
        self._field_tree = None if fields is None else _field_tree(fields)
        self._runner = runner
        self._outcomes: dict[str, Outcome] = {}

    def evaluate(self, spec: Mapping[str, Any]) -> Outcome:
        """Evaluate on a spec as plain data; a failure is returned as an outcome, not raised."""
        relevant = _select_fields(spec, self._field_tree)
        key = json.dumps(relevant, sort_keys=True)
        if len(key) > _MAX_KEY:
            return self._run(relevant)
        if key not in self._outcomes:
            if len(self._outcomes) >= _MAX_OUTCOMES:
                self._outcomes.clear()
            self._outcomes[key] = self._run(relevant)
        return self._outcomes[key]

    def _run(self, spec: Mapping[str, Any]) -> Outcome:
        return _outcome(self._runner, {"spec": cel_value("spec", dict(spec))})


@dataclass(frozen=True)
class Condition:
    """A compiled condition over some variables; compile with ``compile_condition``."""

    text: str
    runner: celpy.Runner

    def evaluate(self, values: Mapping[str, "CelValue"]) -> Outcome:
        """Evaluate with the values of its variables; a failure is returned as an outcome, not raised."""
        return _outcome(self.runner, values)


@dataclass(frozen=True)
class CelValue:
    """A variable's value as CEL has it, or why it has none; make with ``cel_value``."""

    value: Any = None
    error: str | None = None


def cel_value(name: str, data: Any) -> CelValue:
    """Convert plain data, which takes longer than most conditions: once for all that read the variable ``name``."""
    try:
        return CelValue(json_to_cel(data))
    except RecursionError:
        return CelValue(error=TOO_DEEP)
    except ValueError:
        return CelValue(error=f"the {name} has a number that is no 64-bit integer")


def _outcome(runner: celpy.Runner, values: Mapping[str, CelValue]) -> Outcome:
    error = next((value.error for value in values.values() if value.error), None)
    if error:
        return Outcome(error=error)
    try:
        return Outcome(value=_plain(runner.evaluate({name: value.value for name, value in values.items()})))
    except (CELEvalError, CostLimitError) as failure:
        return Outcome(error=str(failure.args[0]))
    except RecursionError:
        return Outcome(error=TOO_DEEP)


@functools.lru_cache(_MAX_EXPRESSIONS)
def compile_condition(text: str, variables: tuple[str, ...]) -> Condition:
    """Compile a condition over ``variables``, whose type must be bool or dyn. Raises ``RuleError``."""
    tree, result_type = _checked(text, variables)
    _require_bool(result_type, text)
    return Condition(text, cel_evaluator.program(tree))


@functools.lru_cache(_MAX_EXPRESSIONS)
def compile_expression(text: str) -> Expression:
    """Compile any CEL expression over ``spec``. Raises ``RuleError``."""
    return _compile(text)[0]


@functools.lru_cache(_MAX_EXPRESSIONS)
def compile_rule(text: str) -> Expression:
    """Compile a rule, whose type must be bool or dyn. Raises ``RuleError``."""
    expression, result_type = _compile(text)
    _require_bool(result_type, text)
    return expression


def _require_bool(result_type: Any, text: str) -> None:
    if not is_assignable(result_type, BOOL):
        raise RuleError(f"a rule must be a bool, not {result_type}", text)


def _compile(text: str) -> tuple[Expression, Any]:
    tree, result_type = _checked(text, ("spec",))
    return Expression(text, cel_evaluator.program(tree), cel_evaluator.selected_fields(tree)), result_type


def _checked(text: str, variables: tuple[str, ...]) -> tuple[Any, Any]:
    """The syntax tree and the type of an expression. Raises ``RuleError``."""
    if len(text) > MAX_CHARACTERS:
        raise RuleError(f"{len(text):,} characters, must be at most {MAX_CHARACTERS:,}", text)
    try:
        tree = cel_evaluator.parse(text)
        if is_too_deep(tree):
            raise RuleError(TOO_DEEP, text)
        return tree, Checker(dict.fromkeys(variables, DYN)).check(tree)
    except RecursionError as error:
        raise RuleError(TOO_DEEP, text) from error
    except CELParseError as error:
        position = (error.line or 1, error.column or 1)
        raise RuleError("the rule is empty" if not text.strip() else "syntax error", text, *position) from error
    except CheckError as error:
        raise RuleError(str(error), text, error.line, error.column) from error


def _field_tree(fields: frozenset[tuple[str, ...]]) -> dict[str, Any]:
    """The fields as nested maps, None for a whole section. A field within a selected section is left out."""
    root: dict[str, Any] = {}
    for field in sorted(fields, key=len):
        node: dict[str, Any] | None = root
        for name in field[:-1]:
            node = None if node is None else node.setdefault(name, {})
        if node is not None:
            node[field[-1]] = None
    return root


def _select_fields(value: Any, fields: dict[str, Any] | None) -> Any:
    if fields is None or not isinstance(value, Mapping):
        return value
    return {name: _select_fields(value[name], nested) for name, nested in fields.items() if name in value}


def _plain(value: Any) -> Any:
    match cel_evaluator.kind(value):
        case "bool":
            return bool(value)
        case "int" | "uint":
            return int(value)
        case "double":
            return float(value)
        case "string":
            return str(value)
        case "bytes":
            return bytes(value)
        case "list":
            return [_plain(v) for v in value]
        case "map":
            return {_plain(k): _plain(v) for k, v in value.items()}
        case _:
            return value
