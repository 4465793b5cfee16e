"""Unit (pure): what a type token of Pulumi means is said in one place. Tokens are those of the recorded state of
release 0.1.0.
"""

import json
import re
from pathlib import Path

import pytest

from airunway.program.type_token import is_component, is_provider, kind_of

ROOT = Path(__file__).parents[2]
STATE = json.loads((ROOT / "tests" / "upgrade" / "0.1.0.json").read_text())
TOKENS = set(re.findall(r'"type": "([^"]*:[^"]*:[^"]*)"', json.dumps(STATE)))
READS_A_TOKEN = re.compile(r"[.\"']type[\"'\]]*\)?\.(r?split|r?partition|startswith|endswith|removeprefix)\(")


def test_every_token_of_a_state_is_a_provider_a_component_or_of_a_package() -> None:
    assert {kind_of(t) for t in TOKENS if is_component(t)} >= {
        "Platform",
        "ModelDeployment",
        "InferenceProvider",
        "ImageRegistry",
    }
    assert {t for t in TOKENS if is_provider(t)} == {"pulumi:providers:kubernetes"}
    kinds = {kind_of(t) for t in TOKENS if not is_component(t) and not is_provider(t)}
    assert kinds >= {"Stack", "Release", "Namespace", "Workspace", "PersistentVolumeClaim"}


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("kubernetes:helm.sh/v3:Release", "Release"),
        ("kubernetes:core/v1:Namespace", "Namespace"),
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", "Role"),
        ("airunway:index:Platform", "Platform"),
        ("pulumi:providers:kubernetes", "kubernetes"),
        ("odd", "odd"),
    ],
)
def test_the_kind_is_the_last_part(token: str, kind: str) -> None:
    assert kind_of(token) == kind


def test_no_other_module_takes_a_token_apart() -> None:
    sources = {p: p.read_text() for p in (ROOT / "airunway").rglob("*.py") if p.name != "type_token.py"}
    assert [f"{p.relative_to(ROOT)}: {m[0]}" for p, text in sources.items() for m in READS_A_TOKEN.finditer(text)] == []
