"""CEL selection rules: compile one, evaluate it on the spec as rules see it.

The meaning is cel-go's with one variable ``spec``, which is what the KubeAIRunway controller gives its rules.
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
from airunway.selection.cel.types import BOOL, DYN, Checker, CheckError, meet


class RuleError(ValueError):
    """A rule that doesn't compile: ``message``, 1-based ``line`` and ``column``, and the ``expression`` itself."""

    def __init__(self, message: str, expression: str, line: int = 1, column: int = 1) -> None:
        self.message, self.expression, self.line, self.column = message, expression, line, column
        super().__init__(f"{message} (line {line}, column {column} of `{expression}`)")


@dataclass(frozen=True)
class Outcome:
    """What an expression gave on one spec: ``value`` as plain Python data, or ``error``."""

    value: Any = None
    error: str | None = None

    @property
    def is_true(self) -> bool:
        """Whether the rule applies: true and nothing else."""
        return self.value is True


_REMEMBERED = 4096


class Expression:
    """A compiled CEL expression; compile with ``compile_expression`` or ``compile_rule``.

    ``paths`` are the fields of ``spec`` that it can read, None where it may read any. Specs that are alike in these are
    evaluated once.
    """

    def __init__(self, text: str, runner: celpy.Runner, fields: frozenset[tuple[str, ...]] | None) -> None:
        self.text, self.paths = text, fields
        self._wanted = None if fields is None else _trie(fields)
        self._runner = runner
        self._known: dict[str, Outcome] = {}

    def evaluate(self, spec: Mapping[str, Any]) -> Outcome:
        """Evaluate on a spec as plain data; a failure is an outcome, not an exception."""
        relevant = _part(spec, self._wanted)
        key = json.dumps(relevant, sort_keys=True)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = self._run(relevant)
        return self._known[key]

    def _run(self, spec: Mapping[str, Any]) -> Outcome:
        try:
            return Outcome(value=_plain(self._runner.evaluate({"spec": json_to_cel(dict(spec))})))
        except CELEvalError as error:
            return Outcome(error=str(error.args[0]))


@functools.cache
def compile_expression(text: str) -> Expression:
    """Compile any CEL expression over ``spec``. Raises ``RuleError``."""
    return _compile(text)[0]


@functools.cache
def compile_rule(text: str) -> Expression:
    """Compile a rule, which must be a bool as far as can be told without a spec. Raises ``RuleError``."""
    expression, result_type = _compile(text)
    if not meet(result_type, BOOL):
        raise RuleError(f"a rule is true or false, this is a {result_type}", text)
    return expression


def _compile(text: str) -> tuple[Expression, Any]:
    try:
        tree = cel_evaluator.parse(text)
        result_type = Checker({"spec": DYN}).check(tree)
    except CELParseError as error:
        position = (error.line or 1, error.column or 1)
        raise RuleError("the rule is empty" if not text.strip() else "syntax error", text, *position) from error
    except CheckError as error:
        raise RuleError(str(error), text, error.line, error.column) from error
    return Expression(text, cel_evaluator.program(tree), cel_evaluator.paths(tree)), result_type


def _trie(fields: frozenset[tuple[str, ...]]) -> dict[str, Any]:
    """The paths as nested maps; None stands for all that is below. A path goes away where a shorter one has it."""
    root: dict[str, Any] = {}
    for field in sorted(fields, key=len):
        node: dict[str, Any] | None = root
        for name in field[:-1]:
            node = None if node is None else node.setdefault(name, {})
        if node is not None:
            node[field[-1]] = None
    return root


def _part(value: Any, fields: dict[str, Any] | None) -> Any:
    if fields is None or not isinstance(value, Mapping):
        return value
    return {name: _part(value[name], nested) for name, nested in fields.items() if name in value}


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
