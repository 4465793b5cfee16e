"""A type checker that refuses what cel-go's refuses: unknown names, wrong arguments, incompatible types.

cel-python evaluates without type checking, so ``true || 1 == 1.0`` is true; cel-go refuses it. The checker covers the
standard library (cel-spec, doc/langdef.md) with one variable, ``spec``, of type dyn, as the KubeAIRunway controller
declares it.
"""

from dataclasses import dataclass
from typing import Any

import lark


@dataclass(frozen=True)
class Type:
    """A CEL type; ``args`` holds the element type of a list, or the key and value types of a map."""

    name: str
    args: tuple["Type", ...] = ()

    def __str__(self) -> str:
        return self.name + (f"({', '.join(map(str, self.args))})" if self.args else "")


DYN, BOOL, INT, UINT, DOUBLE = Type("dyn"), Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES, NULL, TYPE = Type("string"), Type("bytes"), Type("null_type"), Type("type")
DURATION, TIMESTAMP = Type("duration"), Type("timestamp")
LIST, MAP = Type("list", (DYN,)), Type("map", (DYN, DYN))

_NUMBERS = (INT, UINT, DOUBLE)
_ORDERED = (*_NUMBERS, BOOL, STRING, BYTES, DURATION, TIMESTAMP)


def _same(types: tuple[Type, ...]) -> list[tuple[Type, Type, Type]]:
    return [(t, t, t) for t in types]


_TIMES = [(TIMESTAMP, DURATION, TIMESTAMP), (DURATION, TIMESTAMP, TIMESTAMP)]
_BINARY: dict[str, tuple[str, list[tuple[Type, Type, Type]]]] = {
    "addition_add": ("+", [*_same((*_NUMBERS, STRING, BYTES, DURATION, LIST)), *_TIMES]),
    "addition_sub": ("-", [*_same((*_NUMBERS, DURATION)), (TIMESTAMP, TIMESTAMP, DURATION), _TIMES[0]]),
    "multiplication_mul": ("*", _same(_NUMBERS)),
    "multiplication_div": ("/", _same(_NUMBERS)),
    "multiplication_mod": ("%", _same((INT, UINT))),
    "relation_in": ("in", [(DYN, LIST, BOOL), (DYN, MAP, BOOL)]),
    **{
        f"relation_{name}": (symbol, [(t, t, BOOL) for t in _ORDERED])
        for name, symbol in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="))
    },
}

_PARTS = (
    "FullYear",
    "Month",
    "DayOfYear",
    "DayOfMonth",
    "Date",
    "DayOfWeek",
    "Hours",
    "Minutes",
    "Seconds",
    "Milliseconds",
)
_CONVERSIONS: dict[Type, tuple[Type, ...]] = {
    INT: (INT, UINT, DOUBLE, STRING, TIMESTAMP, DURATION),
    UINT: (UINT, INT, DOUBLE, STRING),
    DOUBLE: (DOUBLE, INT, UINT, STRING),
    STRING: (STRING, BOOL, BYTES, INT, UINT, DOUBLE, TIMESTAMP, DURATION),
    BYTES: (BYTES, STRING),
    BOOL: (BOOL, STRING),
    DURATION: (DURATION, STRING, INT),
    TIMESTAMP: (TIMESTAMP, STRING, INT),
}
_SIZED = (STRING, BYTES, LIST, MAP)
# Function name -> overloads (argument types, result); methods take their target as the first argument.
FUNCTIONS: dict[str, list[tuple[tuple[Type, ...], Type]]] = {
    "size": [((t,), INT) for t in _SIZED],
    "type": [((DYN,), TYPE)],
    "dyn": [((DYN,), DYN)],
    "matches": [((STRING, STRING), BOOL)],
    **{result.name: [((t,), result) for t in sources] for result, sources in _CONVERSIONS.items()},
}
METHODS: dict[str, list[tuple[tuple[Type, ...], Type]]] = {
    "size": FUNCTIONS["size"],
    **{name: [((STRING, STRING), BOOL)] for name in ("contains", "startsWith", "endsWith", "matches")},
    **{f"get{part}": [((TIMESTAMP,), INT), ((TIMESTAMP, STRING), INT)] for part in _PARTS},
}
for _part in ("Hours", "Minutes", "Seconds", "Milliseconds"):
    METHODS[f"get{_part}"].append(((DURATION,), INT))
MACROS = ("all", "exists", "exists_one", "filter", "map")
_TYPE_NAMES = {"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"}
_LITERALS = {
    "INT_LIT": INT,
    "UINT_LIT": UINT,
    "FLOAT_LIT": DOUBLE,
    "STRING_LIT": STRING,
    "MLSTRING_LIT": STRING,
    "BYTES_LIT": BYTES,
    "BOOL_LIT": BOOL,
    "NULL_LIT": NULL,
}
_RESERVED = set(
    "as break const continue else for function if import let loop package namespace return var void while".split()
)


class CheckError(Exception):
    """An expression that cel-go would not compile, with the 1-based line and column of the error."""

    def __init__(self, message: str, node: Any) -> None:
        super().__init__(message)
        position = node.meta if isinstance(node, lark.Tree) else node
        self.line: int = getattr(position, "line", 1) or 1
        self.column: int = getattr(position, "column", 1) or 1


def is_assignable(a: Type, b: Type) -> bool:
    """Whether a value of type ``a`` can be used where ``b`` is expected."""
    if DYN in (a, b) or (a == NULL and b in (TIMESTAMP, DURATION)):
        return True
    return a.name == b.name and all(is_assignable(x, y) for x, y in zip(a.args, b.args, strict=True))


def _join(types: list[Type]) -> Type:
    return types[0] if types and all(t == types[0] for t in types) else DYN


class Checker:
    """Infers the type of a parsed expression, or raises ``CheckError`` at the first thing cel-go would refuse."""

    def __init__(self, variables: dict[str, Type]) -> None:
        self.scope = dict(variables)

    def check(self, tree: lark.Tree[Any]) -> Type:
        """The type of ``tree``, parsed by ``celpy``, with or without chains of single children."""
        method = getattr(self, f"_{tree.data}", None)
        if method is None:
            return self.check(_tree(tree.children[0]))
        result: Type = method(tree)
        return result

    def _operands(self, tree: lark.Tree[Any]) -> tuple[str, Type, Type]:
        operator, right = tree.children
        left = _tree(operator).children[0]
        return str(operator.data), self.check(_tree(left)), self.check(_tree(right))

    def _binary(self, tree: lark.Tree[Any]) -> Type:
        if len(tree.children) == 1:
            return self.check(_tree(tree.children[0]))
        name, left, right = self._operands(tree)
        if name in ("relation_eq", "relation_ne"):
            if not is_assignable(left, right):
                raise CheckError(f"can't compare {left} with {right}", tree)
            return BOOL
        symbol, overloads = _BINARY[name]
        results = [result for a, b, result in overloads if is_assignable(left, a) and is_assignable(right, b)]
        if name == "relation_in" and right.args and not is_assignable(left, right.args[0]):
            results = []
        if not results:
            raise CheckError(f"'{symbol}' does not take {left} and {right}", tree)
        return (
            _join(results) if DYN in (left, right) or len(results) > 1 else (left if results[0] == LIST else results[0])
        )

    _relation = _addition = _multiplication = _binary

    def _logical(self, tree: lark.Tree[Any]) -> Type:
        if len(tree.children) == 1:
            return self.check(_tree(tree.children[0]))
        for child in tree.children:
            self._expect(_tree(child), BOOL)
        return BOOL

    _conditionalor = _conditionaland = _logical

    def _expect(self, tree: lark.Tree[Any], expected: Type) -> None:
        actual = self.check(tree)
        if not is_assignable(actual, expected):
            raise CheckError(f"must be {expected}, not {actual}", tree)

    def _expr(self, tree: lark.Tree[Any]) -> Type:
        if len(tree.children) == 1:
            return self.check(_tree(tree.children[0]))
        self._expect(_tree(tree.children[0]), BOOL)
        true_type, false_type = (self.check(_tree(c)) for c in tree.children[1:])
        if not is_assignable(true_type, false_type):
            raise CheckError(f"'?:' yields {true_type} or {false_type}", tree)
        return _join([true_type, false_type])

    def _unary(self, tree: lark.Tree[Any]) -> Type:
        if len(tree.children) == 1:
            return self.check(_tree(tree.children[0]))
        operator, operand = tree.children
        operand_type = self.check(_tree(operand))
        allowed = (BOOL,) if operator.data == "unary_not" else (INT, DOUBLE)
        if not any(is_assignable(operand_type, t) for t in allowed):
            raise CheckError(f"'{'!' if allowed == (BOOL,) else '-'}' does not take {operand_type}", tree)
        return operand_type if operand_type != DYN else _join(list(allowed))

    def _member_dot(self, tree: lark.Tree[Any]) -> Type:
        target, name = tree.children
        target_type = self.check(_tree(target))
        if not is_assignable(target_type, MAP):
            raise CheckError(f"{target_type} has no field '{name}'", name)
        return target_type.args[1] if target_type.args else DYN

    def _member_index(self, tree: lark.Tree[Any]) -> Type:
        target, index = (self.check(_tree(c)) for c in tree.children)
        if target == DYN:
            return DYN
        if target.name == "list" and is_assignable(index, INT):
            return target.args[0]
        if target.name == "map" and is_assignable(index, target.args[0]):
            return target.args[1]
        raise CheckError(f"{target} can't be indexed by {index}", tree)

    def _member_object(self, tree: lark.Tree[Any]) -> Type:
        raise CheckError("no message type of that name", tree)

    def _member_dot_arg(self, tree: lark.Tree[Any]) -> Type:
        target, name = tree.children[:2]
        args = _arguments(tree.children[2:])
        if name in MACROS and len(args) == (3 if name == "map" and len(args) == 3 else 2):
            return self._macro(str(name), _tree(target), args)
        if name not in METHODS:
            raise CheckError(f"no method '{name}'; known: {', '.join(sorted({*METHODS, *MACROS}))}", name)
        return self._overload(name, METHODS[str(name)], [self.check(_tree(a)) for a in (target, *args)])

    def _macro(self, name: str, target: lark.Tree[Any], args: list[lark.Tree[Any]]) -> Type:
        target_type = self.check(target)
        if not (is_assignable(target_type, LIST) or is_assignable(target_type, MAP)):
            raise CheckError(f"{target_type} can't be iterated", target)
        variable = _identifier(args[0])
        if variable is None:
            raise CheckError(f"the first argument of {name}() must be a name", args[0])
        outer = dict(self.scope)
        self.scope[variable] = target_type.args[0] if target_type.args else DYN
        try:
            for predicate in args[1:2] if len(args) == 3 or name != "map" else []:
                self._expect(predicate, BOOL)
            result = self.check(args[-1])
        finally:
            self.scope = outer
        if name == "map":
            return Type("list", (result,))
        return Type("list", (target_type.args[0] if target_type.args else DYN,)) if name == "filter" else BOOL

    def _overload(self, name: Any, overloads: list[tuple[tuple[Type, ...], Type]], arguments: list[Type]) -> Type:
        results = [
            result
            for parameters, result in overloads
            if len(parameters) == len(arguments) and all(map(is_assignable, arguments, parameters))
        ]
        if not results:
            raise CheckError(f"{name}() does not take ({', '.join(map(str, arguments))})", name)
        return _join(results)

    def _ident_arg(self, tree: lark.Tree[Any]) -> Type:
        name, args = tree.children[0], _arguments(tree.children[1:])
        if name == "has":
            if len(args) != 1 or _bare(args[0]).data != "member_dot":
                raise CheckError("has() takes one field selection, as in has(spec.resources)", tree)
            return self.check(args[0]) and BOOL
        if name not in FUNCTIONS:
            raise CheckError(f"no function '{name}'; known: {', '.join(sorted({*FUNCTIONS, 'has'}))}", name)
        return self._overload(name, FUNCTIONS[str(name)], [self.check(a) for a in args])

    _dot_ident_arg = _ident_arg

    def _ident(self, tree: lark.Tree[Any]) -> Type:
        name = tree.children[0]
        if name in _RESERVED:
            raise CheckError(f"'{name}' is a reserved word", name)
        if name in self.scope:
            return self.scope[str(name)]
        if name in _TYPE_NAMES:
            return TYPE
        raise CheckError(f"unknown name '{name}'; the only variable is {', '.join(sorted(self.scope))}", name)

    _dot_ident = _ident

    def _list_lit(self, tree: lark.Tree[Any]) -> Type:
        return Type("list", (_join([self.check(e) for e in _arguments(tree.children)]),))

    def _map_lit(self, tree: lark.Tree[Any]) -> Type:
        types = [self.check(e) for e in _arguments(tree.children)]
        return Type("map", (_join(types[0::2]), _join(types[1::2])))

    def _literal(self, tree: lark.Tree[Any]) -> Type:
        token = tree.children[0]
        assert isinstance(token, lark.Token)  # noqa: S101 what the grammar says
        literal_type = _LITERALS[token.type]
        if literal_type == UINT and token.startswith("-"):
            raise CheckError("'-' does not take uint", token)
        if literal_type == INT and not -(2**63) <= int(token, 0 if "0x" in token else 10) < 2**63:
            raise CheckError("the number does not fit an int (64 bits)", token)
        if literal_type == UINT and int(token[:-1], 0 if "0x" in token else 10) >= 2**64:
            raise CheckError("the number does not fit a uint (64 bits)", token)
        return literal_type


def _tree(node: Any) -> lark.Tree[Any]:
    assert isinstance(node, lark.Tree)  # noqa: S101 what the grammar says
    return node


def _arguments(children: list[Any]) -> list[lark.Tree[Any]]:
    return list(_tree(children[0]).children) if children and children[0] is not None else []


def _bare(tree: lark.Tree[Any]) -> lark.Tree[Any]:
    """``tree`` without wrappers and redundant parentheses."""
    while len(tree.children) == 1 and isinstance(tree.children[0], lark.Tree):
        tree = tree.children[0]
    return tree


def _identifier(tree: lark.Tree[Any]) -> str | None:
    bare = _bare(tree)
    return str(bare.children[0]) if bare.data == "ident" else None
