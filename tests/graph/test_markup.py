"""Graph (recorder; markdown-it-py reads the Markdown, html.parser the HTML): no text of a stack changes what a table,
chart or page is.
"""

import io
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from airunway.program.record import record
from airunway.program.stack_file import read_stack
from airunway.report.compare import Difference, ResourceChange, SelectionChange
from airunway.report.difference_text import differences_text, field_sentence
from airunway.report.difference_text import value_text as shown_value
from airunway.report.field_changes import FieldChange
from airunway.report.html import differences_html, preview_html
from airunway.report.markdown import differences_markdown, preview_markdown
from airunway.report.mermaid import differences_mermaid, preview_mermaid
from airunway.report.preview_document import preview_document
from airunway.text.terminal import console, escape_invisible, one_line, printable
from tests.graph.projects import copy_program, write_project, write_stack

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
EVIL = [
    "</script><script>window.evil = 1</script><img src=x onerror='window.evil=1'>",
    "a\r````\r<b>not code</b>",
    "x | y || z",
    "ends with \\",
    "a \\| b",
    "`` ` ``",
    "```",
    "`````",
    "**bold** _em_ ~~gone~~ [link](https://evil.example) ![image](x) <https://a.example>",
    "&lt;b&gt; &#60; &copy;",
    "@everyone look",
    'a"]\nend\nclick n0 href "javascript:alert(1)"',
    "\u2028\u2029\x85\x0b\x0c\r\n::error::forged",
    "\x1b]0;owned\x07\x9b31m",
    "\u202egnp.exe",
    "# heading",
    "- item",
    "1. first",
    "> quoted",
    "===",
    "| a | b |\n|---|---|",
    "<!-- -->",
    "{{ 7 * 7 }}{% raw %}",
    "'; onload=alert(1) x='",
]
texts = st.sampled_from(EVIL) | st.text(
    st.sampled_from("ab `|\\*_[]()<>&#;@~!\"'\n\r\x1b\u2028{}") | st.characters(codec="utf-8"), min_size=1, max_size=25
)


def tokens(text: str) -> list[Token]:
    """Every block and every part of a line that GitHub's Markdown would see."""
    return [inner for token in READER.parse(text) for inner in (token, *(token.children or ()))]


def kinds(text: str) -> Counter[str]:
    """What there is besides text, and how often. A text's line breaks and backslashes are text."""
    return Counter(t.type for t in tokens(text) if t.type not in ("text", "text_special", "inline", "softbreak"))


def observed(text: str) -> str:
    """What a reader sees of the Markdown, code included."""
    parts = [t.content for t in tokens(text) if t.type in ("text", "text_special", "code_inline", "fence")]
    return "".join(parts).replace("\u200b", "")  # has no width


def words(text: str) -> str:
    """``text`` as it may be shown in a line: what can't be seen left out, blanks as they come."""
    return "".join(printable(" ".join(text.splitlines())).split())


def difference(text: str) -> Difference:
    """One in which ``text`` stands wherever a stack's own words do."""
    change = FieldChange(text, text, {text: text})
    resource = ResourceChange("update", "u", text, text, (change, FieldChange("secret", None, None, secret=True)))
    return Difference(text, (SelectionChange(text, text, text, text),), (text,), (resource,), 1)


@given(texts)
@example("a\r````\r<b>x</b>")
@example("a|b\\|c")
def test_no_text_changes_what_a_comment_is_made_of(text: str) -> None:
    plain = kinds(differences_markdown([difference("plain")]))
    comment = differences_markdown([difference(text)])
    assert kinds(comment) == plain
    assert plain["fence"] == 1


def test_a_comment_mentions_nobody() -> None:
    decided = SelectionChange("one", "vllm on @team", "vllm on b", "rule \"x == '@everyone'\"")
    comment = differences_markdown([Difference("s", (decided,), ("operator @org/x 1.0 is removed",), (), 0)])
    assert "@" not in comment
    assert "rule \"x == '@everyone'\"" in observed(comment)


LINKS = re.compile(
    r"(?:https?|ftp)://|www\.|(?:mailto|xmpp):|#\d|\bGH-\d|:[\w+-]+:|\b[0-9a-f]{7,40}\b|@\w", re.IGNORECASE
)
"""What GitHub makes more of than text, in what Markdown has rendered."""


@pytest.mark.parametrize(
    "text",
    [
        "see https://evil.example/x",
        "HTTP://evil.example",
        "www.evil.example",
        "WWW.evil.example",
        "mailto:a@b.example",
        "xmpp:a@b.example",
        "#12",
        "a #12",
        "GH-1",
        "gh-1",
        "org/repo#3",
        ":+1:",
        "a :tada: b :smile::smile:",
        "$x$ and $$y$$",
        "a5c3785ed8d6a35868bc169f07e40e889087fd2e",
        "org/repo@a5c3785",
    ],
)
def test_no_text_is_a_link_an_emoji_or_a_formula_on_github(text: str) -> None:
    decided = SelectionChange("one", text, "b", text)
    comment = differences_markdown([Difference("s", (decided,), (f"operator {text} is removed",), (), 0)])
    rendered = "".join(t.content for t in tokens(comment) if t.type in ("text", "text_special"))
    assert LINKS.search(rendered) is None
    assert re.search(r"(?<!\\)\$", comment) is None
    assert observed(comment).count(text) >= 3


@given(texts)
def test_a_reader_of_a_comment_sees_the_text(text: str) -> None:
    read = "".join(observed(differences_markdown([difference(text)])).split())
    assert words(text) in read


@given(texts.filter(lambda text: text.strip() != ""))
def test_no_text_ends_a_label_of_a_chart_or_adds_a_line(text: str) -> None:
    def document(name: str) -> dict[str, Any]:
        resource = {"urn": "u", "type": f"a:b:{name}", "name": name, "parent": "", "dependencies": [], "inputs": {}}
        return {"stack": name, "deployments": [], "resources": [resource]}

    plain = preview_mermaid(document("plain")).splitlines()
    chart = preview_mermaid(document(text.replace(":", ""))).splitlines()
    assert len(chart) == len(plain)
    for line, usual in zip(chart, plain, strict=True):
        assert line.count('"') == usual.count('"')
        label = re.fullmatch(r'( *(?:subgraph s0|n0))\["([^"<>`]*(?:<br/>[^"<>`]*)?)"\]', line)
        assert label or line == usual
    both = differences_mermaid([difference("plain")], [(document("plain"), document(text.replace(":", "")))])
    assert all(line.count('"') in (0, 2) for line in both.splitlines())


@given(st.text(max_size=20), st.sampled_from(["", "x", "a b"]))
def test_a_field_s_line_is_one_line_that_a_terminal_takes_no_command_from(text: str, name: str) -> None:
    change = FieldChange(text, {"k": text}, text)
    line = field_sentence(change, ResourceChange("update", "u", "K", name, (change,)))
    assert line.splitlines() in ([line], [])
    assert printable(line) == line
    assert "\n" not in line
    assert "\t" not in line


@given(st.text(max_size=30))
def test_a_value_is_shown_so_that_two_different_ones_never_look_alike(text: str) -> None:
    line = shown_value(text)
    if line.startswith('"') and line.endswith('"') and len(line) > 1 and line != text:
        assert json.loads(line) == text
    else:
        assert line == text


@pytest.mark.parametrize("text", EVIL)
def test_what_is_printed_holds_no_command_of_a_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console().print(differences_text([difference(text)]))
    output = capsys.readouterr().out
    assert printable(output) == output
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(output)


def test_a_line_that_is_folded_begins_with_no_command_of_a_runner(capsys: pytest.CaptureFixture[str]) -> None:
    for length in range(80, 125):
        console().print(differences_text([difference("x" * length + " ::error file=a::forged ::notice::y")]))
    lines = capsys.readouterr().out.splitlines()
    assert any("forged" in line for line in lines)
    assert [line for line in lines if re.match(r"\s*::[a-z-]+(\s.*)?::", line)] == []


def test_colours_are_kept_where_the_text_s_own_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    created = console()
    created.file = io.StringIO()
    created.print(differences_text([difference("evil\x1b[2J")]))
    assert isinstance(created.file, io.StringIO)
    output = created.file.getvalue()
    assert "\x1b[" in output
    assert "\x1b[2J" not in output


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    for clean in (printable, escape_invisible, one_line):
        assert clean(clean(text)) == clean(text)
    assert escape_invisible(text).isprintable() or "\xa0" in text
    assert not one_line(text).startswith("\n")


RULE = "spec.model.id != 'a`b|c\\\\|d <b>&amp;@team* _x_ [l](u)\x1b[31m'"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The preview of a stack whose rule and environment hold whatever they may."""
    root = copy_program(tmp_path_factory.mktemp("odd"))
    entry = {
        "name": "one",
        "model": {"id": "org/m"},
        "env": [{"name": f"E{i}", "value": text} for i, text in enumerate(EVIL)],
    }
    write_stack(
        root,
        deployments=[entry],
        providers={"kaito": {"spec": {"selectionRules": [{"condition": RULE, "priority": 7}]}}},
    )
    return record(root, read_stack(root, "own"))


def test_a_rule_stands_in_its_cell_whatever_it_says(odd: Any) -> None:
    text = preview_markdown(odd)
    plain = preview_markdown(record(Path(__file__).parents[2], read_stack(Path(__file__).parents[2], "airgapped")))
    (row,) = (line for line in text.splitlines() if line.startswith("| one "))
    parsed = READER.parse("\n".join(["| a | b | c | d | e |", "|---|---|---|---|---|", row]))
    cells = [t for t in parsed if t.type == "inline"]
    assert [c.content for c in cells[5:9]] == ["one", "org/m", "–", "llamacpp on kaito"]
    assert words(RULE) in words("".join(c.content for c in cells[9].children or ()))
    assert {t.type for t in parsed} == {t.type for t in tokens(plain)} & {t.type for t in parsed}


def test_a_rule_is_shown_and_printed_without_its_commands(odd: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from airunway.report.explain import explanation_text
    from airunway.report.preview_text import preview_text

    for width in (80, 160):
        console().print(preview_text(odd, width))
    console().print(explanation_text(odd.plan.deployments[0]))
    output = capsys.readouterr().out
    assert "[31m" in output
    assert "\x1b" not in output


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text of what is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)


def test_no_text_of_a_stack_makes_an_element_of_the_page(odd: Any, tmp_path: Path) -> None:
    plain = record(write_project(tmp_path, [{"name": "one", "model": {"id": "org/m"}}]), read_stack(tmp_path, "own"))
    page, usual = (Page(preview_html(p, preview_document(p))) for p in (odd, plain))
    assert page.elements["script"] == usual.elements["script"]
    assert page.elements["img"] == usual.elements["img"] == 0
    assert page.attributes == usual.attributes
    assert not {name for name in page.attributes if name.startswith("on")}


def test_no_text_makes_an_element_of_a_page_of_differences() -> None:
    def page(names: list[str]) -> Page:
        documents = []
        for name in names:
            resource = {
                "urn": "u",
                "type": f"a:b:{name}",
                "name": name,
                "parent": "",
                "dependencies": [],
                "inputs": {name: name},
            }
            documents.append({"stack": name, "deployments": [], "resources": [resource]})
        return Page(differences_html([difference(name) for name in names], [(d, d) for d in documents]))

    odd_ones, usual = page(EVIL), page(["plain"] * len(EVIL))
    assert odd_ones.elements == usual.elements
    assert odd_ones.attributes == usual.attributes
