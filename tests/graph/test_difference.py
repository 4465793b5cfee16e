"""Graph (recorder): what `airunway diff` says of changes that each touch one thing of a stack, in every format."""

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from airunway.program.checkout import empty_document
from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.report.compare import Difference, compare
from airunway.report.difference_document import difference_document
from airunway.report.difference_text import differences_text
from airunway.report.html import differences_html
from airunway.report.markdown import LIMIT, differences_markdown
from airunway.report.mermaid import differences_mermaid
from airunway.report.preview_document import preview_document
from tests.graph.assessed_changes import ASSESSED_CHANGES, assessed
from tests.graph.changes import CHANGES, base, write
from tests.graph.locked_changes import LOCKED_CHANGES, LOCKED_IMAGES, LOCKED_SETTINGS, lock, write_lock
from tests.graph.projects import copy_program

GOLDEN = Path(__file__).parent / "golden"
Pairs = Any


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pairs]:
    """The two previews of each changed stack, by change: those that the revisions would have, without git between
    them.
    """
    root = copy_program(tmp_path_factory.mktemp("pairs"))

    def preview(config: dict[str, Any]) -> dict[str, Any]:
        write(root, "prod", config)
        return preview_document(record(root, read_stack(root, "prod")))

    result = {}
    with_pools = preview(assessed())
    for change, assessed_edit in ASSESSED_CHANGES.items():
        assessed_edit(config := assessed())
        result[change] = [(with_pools, preview(config))]
    for change, locked_edit in LOCKED_CHANGES.items():
        settings = LOCKED_SETTINGS.get(change, {})
        images = LOCKED_IMAGES.get(change, (None, None))
        write_lock(root, lock(), images[0])
        with_lock = preview(assessed() | settings)
        locked_edit(config := assessed() | settings, models := lock())
        write_lock(root, models, images[1])
        result[change] = [(with_lock, preview(config))]
    write_lock(root, {})
    before = preview(base())
    for change, edit in CHANGES.items():
        config = base()
        if edit:
            edit(config)
            result[change] = [(before, preview(config))]
        else:
            write(root, "edge", config)
            edge = preview_document(record(root, read_stack(root, "edge")))
            result[change] = [(empty_document("edge"), edge), (before, before)]
    return result


def formats(result: Pairs) -> dict[str, str]:
    differences = [compare(old, new) for old, new in result]
    plain = Console(file=io.StringIO(), width=120, highlight=False)
    plain.print(differences_text(differences))
    assert isinstance(plain.file, io.StringIO)
    page = differences_html(differences, result)
    sections = re.findall(r"<section aria-label=\"What changes.*?</section>", page, re.DOTALL)
    return {
        "txt": "\n".join(line.rstrip() for line in plain.file.getvalue().splitlines()) + "\n",
        "json": json.dumps([difference_document(d) for d in differences], indent=1, ensure_ascii=False) + "\n",
        "md": differences_markdown(differences),
        "mmd": differences_mermaid(differences, result),
        "html": "\n".join(sections) + "\n",
    }


@pytest.mark.parametrize("change", [*CHANGES, *ASSESSED_CHANGES, *LOCKED_CHANGES])
def test_golden_differences(change: str, pairs: dict[str, Pairs]) -> None:
    for suffix, text in formats(pairs[change]).items():
        path = GOLDEN / f"{change}.{suffix}"
        if os.environ.get("GOLDEN") == "rewrite":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert path.read_text() == text, "`make golden` rewrites the golden files"


@pytest.mark.parametrize("change", CHANGES)
def test_page_and_flowchart_mark_the_same_parts(change: str, pairs: dict[str, Pairs]) -> None:
    differences = [compare(old, new) for old, new in pairs[change]]
    data = re.search(
        r'<script type="application/json"[^>]*>(.*?)</script>', differences_html(differences, pairs[change]), re.DOTALL
    )
    assert data is not None
    on_page = sorted((node["label"], node["operation"]) for node in json.loads(data[1])["nodes"] if node["operation"])
    chart = differences_mermaid(differences, pairs[change])
    assert on_page == sorted(re.findall(r'\["(.*?)<br/>.*"\]:::(\w+)', chart))
    assert on_page or not any(d.resources for d in differences)


def of(pairs: dict[str, Pairs], change: str) -> Difference:
    return compare(*pairs[change][-1])


def test_a_decision_that_changes_says_why(pairs: dict[str, Pairs]) -> None:
    (moved,) = of(pairs, "gpu-threshold").selections
    assert (moved.name, moved.old, moved.new) == ("chat", "vllm on dynamo", "vllm on kuberay")
    assert (
        moved.because == "rule \"spec.engine.type == 'vllm' && spec.resources.gpu.count > 1\" (priority 80) is now true"
    )
    assert "operator dynamo-platform 1.6.1 is removed" in of(pairs, "gpu-threshold").operators


def test_a_chart_s_new_version_is_one_update_and_a_sentence(pairs: dict[str, Pairs]) -> None:
    difference = of(pairs, "chart-version")
    assert difference.operators == ("operator kaito-workspace: chart 0.12.0 -> 0.13.0",)
    assert [(c.operation, c.name) for c in difference.resources] == [("update", "kaito-workspace")]


def test_a_secret_s_change_is_seen_and_its_text_is_not(pairs: dict[str, Pairs]) -> None:
    (change,) = of(pairs, "secret").resources
    assert (change.operation, change.kind, [f.secret for f in change.fields]) == ("update", "Secret", [True])
    everything = json.dumps(pairs["secret"]) + "".join(formats(pairs["secret"]).values())
    assert "v1:first" not in everything
    assert "v1:second" not in everything


def test_nothing_changes_against_oneself(pairs: dict[str, Pairs]) -> None:
    old, new = pairs["replicas"][0]
    assert not compare(new, new)
    assert compare(old, new).counts == {"create": 0, "update": 1, "replace": 0, "delete": 0, "forget": 0}


def test_a_long_comment_is_cut_honestly() -> None:
    def document(value: str) -> dict[str, Any]:
        resources = [
            {
                "urn": f"u{i}",
                "type": "a:b:Workspace",
                "name": f"n{i}",
                "parent": "",
                "dependencies": [],
                "inputs": {"x": f"{value}{i}" * 20},
            }
            for i in range(900)
        ]
        return {"stack": "s", "deployments": [], "resources": resources}

    text = differences_markdown([compare(document("a"), document("b"))])
    assert len(text) < LIMIT
    left = re.search(r"\*\*(\d+) more omitted", text)
    assert left is not None
    assert text.count("~ update") + int(left[1]) == 900
