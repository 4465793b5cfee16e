"""Corrects cel-python's evaluator where it differs from cel-go: mixed number types, has(), &&, macros, conversions.

The differences are those of cel-python 0.5.0, found by the differential test against cel-expr-python
(tests/unit/test_rules.py).
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import celpy
import lark
from celpy import celtypes
from celpy.celparser import CELParser
from celpy.evaluation import CELEvalError, Evaluator, base_functions

from airunway.selection.cel.cost import begin_evaluation, spend, spend_on

_KINDS: dict[type, str] = {
    celtypes.BoolType: "bool",
    celtypes.IntType: "int",
    celtypes.UintType: "uint",
    celtypes.DoubleType: "double",
    celtypes.StringType: "string",
    celtypes.BytesType: "bytes",
    celtypes.ListType: "list",
    celtypes.MapType: "map",
    celtypes.DurationType: "duration",
    celtypes.TimestampType: "timestamp",
    type(None): "null_type",
    bool: "bool",
    int: "int",
    float: "double",
    str: "string",
    list: "list",
    dict: "map",
}
_NUMBERS = {"int", "uint", "double"}
_ORDERED = {"bool", "string", "bytes", "duration", "timestamp"}


def kind(value: Any) -> str:
    """The CEL type name of a runtime value; ``error`` for an error."""
    if isinstance(value, CELEvalError):
        return "error"
    return _KINDS.get(type(value)) or next((name for cls, name in _KINDS.items() if isinstance(value, cls)), "type")


def _no_overload(name: str, *values: Any) -> TypeError:
    return TypeError(f"no such overload: {name}({', '.join(map(kind, values))})")


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, but returning the first error among its arguments."""

    def evaluate(*values: Any) -> Any:
        return next((v for v in values if isinstance(v, CELEvalError)), None) or function(*values)

    return evaluate


def equal(a: Any, b: Any) -> bool:
    """CEL equality: numbers by value regardless of type, lists and maps recursively, different types unequal."""
    ka, kb = kind(a), kind(b)
    if ka in _NUMBERS and kb in _NUMBERS:
        return bool(float(a) == float(b)) if "double" in (ka, kb) else int(a) == int(b)
    if ka != kb:
        return False
    if ka in ("list", "map"):
        spend_on(a)
    if ka == "list":
        return len(a) == len(b) and all(map(equal, a, b))
    if ka == "map":
        return len(a) == len(b) and all(
            (entry := _lookup(b, k)) is not None and equal(v, entry[0]) for k, v in a.items()
        )
    return bool(a == b)


def _lookup(mapping: Any, key: Any) -> tuple[Any] | None:
    if kind(key) in _NUMBERS:
        spend_on(mapping)
        return next(((v,) for k, v in mapping.items() if equal(k, key)), None)
    return next(((v,) for k, v in mapping.items() if kind(k) == kind(key) and k == key), None)


def _comparison(symbol: str, decide: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def compare(a: Any, b: Any) -> Any:
        ka, kb = kind(a), kind(b)
        if ka in _NUMBERS and kb in _NUMBERS:
            numbers = (float(a), float(b)) if "double" in (ka, kb) else (int(a), int(b))
            return celtypes.BoolType(decide(*numbers))
        if ka != kb or ka not in _ORDERED:
            raise _no_overload(symbol, a, b)
        return celtypes.BoolType(decide(a, b))

    return _strict(compare)


def _arithmetic(name: str) -> Callable[..., Any]:
    plain = cast(Callable[..., Any], base_functions[name])

    def calculate(a: Any, b: Any) -> Any:
        ka, kb = kind(a), kind(b)
        if ka != kb and {ka, kb} != {"timestamp", "duration"}:
            raise _no_overload(name, a, b)
        if ka in ("bool", "map", "null_type", "type"):
            raise _no_overload(name, a, b)
        spend_on(a, b)
        if name == "_/_" and ka == "double" and float(b) == 0.0:
            return celtypes.DoubleType(_quotient_by_zero(float(a), float(b)))
        return plain(a, b)

    return _strict(calculate)


def _quotient_by_zero(a: float, zero: float) -> float:
    if a != a or a == 0.0:
        return float("nan")
    return float("inf") if (a > 0) == (str(zero) == "0.0") else float("-inf")


def _in(item: Any, container: Any) -> Any:
    if kind(container) == "list":
        spend_on(container)
        return celtypes.BoolType(any(equal(item, element) for element in container))
    if kind(container) == "map":
        return celtypes.BoolType(_lookup(container, item) is not None)
    raise _no_overload("in", item, container)


def _index(container: Any, key: Any) -> Any:
    if kind(container) == "map":
        entry = _lookup(container, key)
        return CELEvalError(f"no such key: {key}", KeyError, (key,)) if entry is None else entry[0]
    if kind(container) == "list" and kind(key) in _NUMBERS and float(key).is_integer():
        position = int(key)
        return (
            container[position]
            if 0 <= position < len(container)
            else CELEvalError(f"no such index: {position}", IndexError, (position,))
        )
    raise _no_overload("[]", container, key)


def _logical(absorbing: bool) -> Callable[[Any, Any], Any]:
    def combine(a: Any, b: Any) -> Any:
        for side in (a, b):
            if kind(side) == "bool" and bool(side) is absorbing:
                return celtypes.BoolType(absorbing)
        for side in (a, b):
            if isinstance(side, CELEvalError):
                return side
        if kind(a) != "bool" or kind(b) != "bool":
            raise _no_overload("||" if absorbing else "&&", a, b)
        return celtypes.BoolType(not absorbing)

    return combine


def _not(value: Any) -> Any:
    if kind(value) != "bool":
        raise _no_overload("!", value)
    return celtypes.BoolType(not value)


def _only(name: str, *kinds: str) -> Callable[..., Any]:
    """cel-python's function ``name``, restricted to first arguments of the given ``kinds``."""
    plain = cast(Callable[..., Any], base_functions[name])

    def apply(*values: Any) -> Any:
        if not values or kind(values[0]) not in kinds:
            raise _no_overload(name, *values)
        return plain(*values)

    return _strict(apply)


def _text(name: str) -> Callable[..., Any]:
    plain = cast(Callable[..., Any], base_functions[name])

    def apply(text: Any, argument: Any) -> Any:
        if kind(text) != "string" or kind(argument) != "string":
            raise _no_overload(name, text, argument)
        spend_on(text, argument)
        return plain(text, argument)

    return _strict(apply)


def _string(value: Any) -> Any:
    if kind(value) == "bool":
        return celtypes.StringType("true" if value else "false")
    if kind(value) == "double":
        number = float(value)
        if number != number or number in (float("inf"), float("-inf")):
            return celtypes.StringType({"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(number)])
        shortest = Decimal(repr(number))
        whole = f"{shortest:f}"
        return celtypes.StringType(whole.rstrip("0").rstrip(".") if "." in whole else whole)
    if kind(value) in ("list", "map", "null_type", "type"):
        raise _no_overload("string", value)
    return celtypes.StringType(value)


FUNCTIONS: dict[str, Any] = {
    "_==_": _strict(lambda a, b: celtypes.BoolType(equal(a, b))),
    "_!=_": _strict(lambda a, b: celtypes.BoolType(not equal(a, b))),
    "_<_": _comparison("<", lambda a, b: a < b),
    "_<=_": _comparison("<=", lambda a, b: a <= b),
    "_>_": _comparison(">", lambda a, b: a > b),
    "_>=_": _comparison(">=", lambda a, b: a >= b),
    **{name: _arithmetic(name) for name in ("_+_", "_-_", "_*_", "_/_", "_%_")},
    "_in_": _strict(_in),
    "_[_]": _strict(_index),
    "_&&_": _logical(absorbing=False),
    "_||_": _logical(absorbing=True),
    "!_": _strict(_not),
    "-_": _only("-_", "int", "double"),
    "size": _only("size", "string", "bytes", "list", "map"),
    **{name: _text(name) for name in ("contains", "startsWith", "endsWith", "matches")},
    "int": _only("int", "int", "uint", "double", "string", "timestamp", "duration"),
    "uint": _only("uint", "int", "uint", "double", "string"),
    "double": _only("double", "int", "uint", "double", "string"),
    "bool": _only("bool", "bool", "string"),
    "bytes": _only("bytes", "bytes", "string"),
    "duration": _only("duration", "string", "duration", "int"),
    "timestamp": _only("timestamp", "string", "timestamp", "int"),
    "string": _strict(_string),
}
# A conversion function and its type share their name, as in ``type(1) == int``.
_TYPE_NAMES = {name: base_functions[name] for name in ("int", "uint", "double", "bool", "bytes", "string")}
_CHAINS = {
    "expr",
    "conditionalor",
    "conditionaland",
    "relation",
    "addition",
    "multiplication",
    "unary",
    "member",
    "paren_expr",
}
_TRUE = celtypes.BoolType(True)


def parse(text: str) -> lark.Tree[Any]:
    """The syntax tree of ``text``, with chains of single children collapsed. Raises ``celpy.CELParseError``."""
    return _shorten(CELParser().parse(text))


def _shorten(tree: lark.Tree[Any]) -> lark.Tree[Any]:
    while (
        len(tree.children) == 1
        and isinstance(tree.children[0], lark.Tree)
        and (tree.data in _CHAINS or (tree.data == "primary" and tree.children[0].data == "paren_expr"))
    ):
        tree = tree.children[0]
    tree.children = [_shorten(c) if isinstance(c, lark.Tree) else c for c in tree.children]
    return tree


def selected_fields(tree: lark.Tree[Any]) -> frozenset[tuple[str, ...]] | None:
    """The fields of ``spec`` that the expression selects; None if it uses ``spec`` in any other way."""
    chain = _chain(tree)
    if chain is not None:
        return frozenset({chain}) if chain else None
    fields: set[tuple[str, ...]] = set()
    for child in tree.children:
        if isinstance(child, lark.Tree):
            nested = selected_fields(child)
            if nested is None:
                return None
            fields |= nested
    return frozenset(fields)


def _chain(tree: lark.Tree[Any]) -> tuple[str, ...] | None:
    """``("engine", "type")`` for ``spec.engine.type``, empty for ``spec``, None for anything else."""
    match tree.data, tree.children:
        case "primary", [lark.Tree(data="ident", children=["spec"])]:
            return ()
        case "member_dot", [lark.Tree() as target, name]:
            chain = _chain(target)
            return None if chain is None else (*chain, str(name))
    return None


class RuleEvaluator(Evaluator):
    """cel-python's ``Evaluator`` with cel-go's has(), type names, indexing and macros."""

    def sub_evaluator(self, ast: lark.Tree[Any]) -> "RuleEvaluator":
        """An evaluator of the same class for the body of a macro."""
        return RuleEvaluator(ast, activation=self.activation)

    def _visit_tree(self, tree: lark.Tree[Any]) -> Any:
        spend()
        return getattr(self, tree.data)(tree)

    def ident_value(self, name: str, root_scope: bool = False) -> Any:
        """A variable's value, or the type that ``name`` names."""
        value = super().ident_value(name, root_scope)
        return _TYPE_NAMES[name] if name in _TYPE_NAMES and value is FUNCTIONS[name] else value

    def macro_has_eval(self, exprlist: lark.Tree[Any]) -> Any:
        """Whether the parent has the field; it must be a map, and an error in it is returned."""
        selection = cast(lark.Tree[Any], exprlist.children[0])
        target, name = selection.children
        parent = self.visit(cast(lark.Tree[Any], target))
        if isinstance(parent, CELEvalError):
            return parent
        if kind(parent) != "map":
            return CELEvalError(f"has() on a {kind(parent)}", TypeError, None, tree=selection)
        return celtypes.BoolType(cast(lark.Token, name).value in parent)

    def member_dot_arg(self, tree: lark.Tree[Any]) -> Any:
        """A method call, or one of the five standard macros."""
        name = cast(lark.Token, tree.children[1]).value
        if name not in ("all", "exists", "exists_one", "filter", "map"):
            return super().member_dot_arg(tree)
        target = cast(Any, self.visit(cast(lark.Tree[Any], tree.children[0])))
        if isinstance(target, CELEvalError):
            return target
        if kind(target) not in ("list", "map"):
            return CELEvalError(f"{name}() on a {kind(target)}", TypeError, None, tree=tree)
        arguments = cast(lark.Tree[Any], tree.children[2]).children
        variable = str(next(iter(cast(lark.Tree[Any], arguments[0]).find_data("ident"))).children[0])
        steps = [self._step(variable, cast(lark.Tree[Any], body)) for body in arguments[1:]]
        return (
            self._quantify(name, steps[0], target) if name in ("all", "exists") else self._collect(name, steps, target)
        )

    def _step(self, variable: str, body: lark.Tree[Any]) -> Callable[[Any], Any]:
        nested = self.sub_evaluator(body)

        def step(value: Any) -> Any:
            try:
                return nested.evaluate({variable: value})
            except CELEvalError as error:
                return error

        return step

    def _quantify(self, name: str, step: Callable[[Any], Any], target: Any) -> Any:
        absorbing = name == "exists"
        combine = _logical(absorbing)
        result: Any = celtypes.BoolType(not absorbing)
        for element in target:
            try:
                result = combine(result, step(element))
            except TypeError as error:
                result = CELEvalError(str(error), TypeError, error.args)
        return result

    def _collect(self, name: str, steps: list[Callable[[Any], Any]], target: Any) -> Any:
        predicate = steps[0] if name != "map" or len(steps) == 2 else None
        transform = steps[-1] if name == "map" else None
        result: list[Any] = []
        for element in target:
            included = predicate(element) if predicate else _TRUE
            if kind(included) != "bool":
                return (
                    included
                    if isinstance(included, CELEvalError)
                    else CELEvalError(f"{name}() needs a bool", TypeError, None)
                )
            if included:
                value = transform(element) if transform else element
                if isinstance(value, CELEvalError):
                    return value
                result.append(value)
        return celtypes.BoolType(len(result) == 1) if name == "exists_one" else celtypes.ListType(result)


class RuleRunner(celpy.InterpretedRunner):
    """Runs a shortened tree with ``RuleEvaluator`` and ``FUNCTIONS``."""

    def evaluate(self, context: Any) -> Any:
        """The value of the expression. Raises ``CELEvalError`` and ``CostLimitError``."""
        begin_evaluation()
        return RuleEvaluator(ast=self.ast, activation=self.new_activation()).evaluate(context)


_ENVIRONMENT = celpy.Environment(runner_class=RuleRunner)


def program(tree: lark.Tree[Any]) -> celpy.Runner:
    """``tree`` ready for evaluation, any number of times."""
    return _ENVIRONMENT.program(tree, functions=FUNCTIONS)
