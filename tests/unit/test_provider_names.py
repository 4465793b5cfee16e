"""Unit (pure): no code outside providers/ names a provider, at its top only the list does, and none names another."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from airunway.provider.contract import is_kubernetes_own
from airunway.spec.model import Engine
from providers import PROVIDERS

ROOT = Path(__file__).parents[2]
SOURCES = [p for d in ("airunway", "components") for p in sorted((ROOT / d).rglob("*.py"))]


def words(source: str) -> Iterator[str]:
    """The names and texts of a module, without comments and docstrings."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    prose = {
        id(n.value) for d in ast.walk(tree) if isinstance(d, documented) for n in d.body if isinstance(n, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value
        elif isinstance(node, ast.Name | ast.Attribute | ast.alias | ast.arg | ast.ImportFrom):
            yield from (str(v) for _, v in ast.iter_fields(node) if isinstance(v, str))


# A provider that is called like an engine, and a kind that Kubernetes has anyway, can't be told by their names. That
# nothing imports a provider but the list is Import Linter's to hold.
TELLING = {p.NAME for p in PROVIDERS} - {*Engine} | {p.KIND for p in PROVIDERS if not is_kubernetes_own(p.API_VERSION)}


def named(path: Path, names: set[str]) -> list[str]:
    """What a module names of ``names``, without addresses."""
    pattern = re.compile("|".join(rf"(?<![a-z]){name}(?![a-z])" for name in names), re.IGNORECASE)
    return [w for w in words(path.read_text()) if pattern.search(w) and "://" not in w]


@pytest.mark.parametrize("path", [*SOURCES, ROOT / "__main__.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_but_the_list_names_a_provider_outside_its_own_modules(path: Path) -> None:
    assert named(path, TELLING) == []


@pytest.mark.parametrize("path", sorted((ROOT / "providers").glob("*/*.py")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_no_provider_names_another(path: Path) -> None:
    others = {name for p in PROVIDERS if path.parent.name != p.NAME for name in (p.NAME, p.KIND)} & TELLING
    assert named(path, others) == []


def test_the_list_is_all_that_names_a_provider_where_it_stands() -> None:
    listed = [
        w for w in words((ROOT / "providers/__init__.py").read_text()) if any(p.NAME in w.lower() for p in PROVIDERS)
    ]
    assert sorted(listed) == sorted([p.NAME for p in PROVIDERS] * 2), "once imported and once in the list"
