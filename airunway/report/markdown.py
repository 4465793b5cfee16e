"""Previews and differences as Markdown, for a pull request's comment."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airunway.program.record import Preview
from airunway.report.assessment_document import assessed_parts
from airunway.report.assessment_sentences import (
    MEMORY_COLUMNS,
    deployment_rows,
    findings_by_severity,
    memory_rows,
    pool_sentence,
    total_sentence,
)
from airunway.report.compare import Difference
from airunway.report.difference_text import SYMBOLS, field_sentence, summary
from airunway.report.impact import change_groups, deployment_changes
from airunway.report.model_and_gpus import planned_gpus
from airunway.report.preview_text import selection_reason
from airunway.text.problems import Problem
from airunway.text.terminal import printable

LIMIT = 65_536
"""Maximum length of a GitHub comment, in characters."""

_RESERVED = 300
_LINKED = re.compile(r"(?:https?|ftp|mailto|xmpp):|www\.|(?<!&)#(?=\d)|\bGH-(?=\d)|:(?=[\w+-]+:)", re.IGNORECASE)
_COMMIT = re.compile(r"\b[0-9a-f]{7,40}\b", re.IGNORECASE)
"""What GitHub makes a link or an emoji of, unless a zero-width space parts it: it looks at the rendered text.

https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
"""


def preview_markdown(preview: Preview) -> str:
    """Render the selection table and the resources of a stack."""
    rows = ["| deployment | model | GPUs | runs on | why |", "|---|---|---:|---|---|"]
    for planned in preview.plan.deployments:
        selection = planned.request.selection
        gpus = planned_gpus(planned)
        rows.append(
            f"| {_escape(planned.name)} | {_escape(planned.model)} | {gpus} |"
            f" {selection.engine} on {_escape(selection.provider)} | {_code_in_cell(selection_reason(planned))} |"
        )
    resources = [f"- {_code(r.name)} {_escape(r.kind)}" for r in preview.resources if r.custom and not r.is_provider]
    warnings = [f"> **Warning:** {_escape(w)}" for w in preview.plan.warnings]
    known = assessed_parts(preview.assessment)
    head = [
        f"### airunway: stack {_code(preview.stack)}",
        "",
        *_finding_lines(known),
        *warnings,
        *rows,
        "",
        *_assessment_lines(known),
        f"<details><summary>{len(resources)} object{'s' * (len(resources) != 1)}</summary>",
        "",
    ]
    return _fit_comment(head, [[r] for r in resources], ["", "</details>", ""])


def differences_markdown(differences: Sequence[Difference]) -> str:
    """Render what changes by stack: decisions first, then replacements."""
    head = ["### airunway: what changes", ""]
    for difference in differences:
        totals = f"**{_escape(difference.assessment.totals)}**; " if difference.assessment.totals else ""
        head.append(f"- {_code(difference.stack)}: {totals}{summary(difference)}")
        head += [f"  - **stopped:** {_escape(sentence)}" for sentence in difference.assessment.mandatory]
        head += [f"  - advice: {_escape(sentence)}" for sentence in difference.assessment.advisory]
    blocks = [block for difference in differences if difference for block in _difference_blocks(difference)]
    return _fit_comment(head, blocks, [""])


def problems_markdown(stack: str, problems: Sequence[Problem]) -> str:
    """Render why nothing can be said about a stack."""
    head = ["### airunway: what changes", "", f"- {_code(stack)}: **stopped**, as it can't be previewed"]
    return _fit_comment(head, [[f"  - {_escape(str(problem))}"] for problem in problems], [""])


def _difference_blocks(difference: Difference) -> Iterator[list[str]]:
    """Render the decisions of a stack, then its resources, folded: equal changes as one."""
    block = ["", f"#### {_code(difference.stack)}", ""]
    for told in deployment_changes(difference):
        block.append(f"- **{_escape(told.sentence)}**" if told.is_notable else f"- {_escape(told.sentence)}")
    block += [f"- {_escape(sentence)}" for sentence in difference.operators]
    yield [*block, ""]
    for group in change_groups(difference):
        change = group.first
        head = f"{SYMBOLS[change.operation]} {change.operation} {group.names} {change.kind}"
        if not change.fields:
            yield [f"- {_code(head)}"]
            continue
        lines = [field_sentence(f, change) for f in change.fields]
        fence = "`" * max(3, _longest_ticks("\n".join(lines)) + 1)
        title = f"{_escape_html(head)}: {len(lines)} field{'' if len(lines) == 1 else 's'}"
        yield ["", f"<details><summary>{title}</summary>", "", fence, *lines, fence, "", "</details>", ""]


def _finding_lines(document: Mapping[str, Any]) -> list[str]:
    """Render findings, those that stop an update first."""
    mandatory, advisory = findings_by_severity(document)
    lines = [f"> **Stopped:** {_escape(sentence)}" for sentence in mandatory]
    lines += [f"> **Advice:** {_escape(sentence)}" for sentence in advisory]
    return [*lines, ""] if lines else []


def _assessment_lines(document: Mapping[str, Any]) -> list[str]:
    """Render GPUs, cost and memory of deployments; nothing where nothing is known."""
    assessment = document.get("assessment")
    if assessment is None:
        return []
    lines = [*_table(("deployment", "GPUs", "node pool", "per month"), "---:", deployment_rows(document))]
    lines += [_escape(total_sentence(assessment)), ""] if lines else []
    pools = [f"- {_escape(pool_sentence(pool))}" for pool in assessment["pools"]]
    lines += [*pools, ""] if pools else []
    return [*lines, *_table(MEMORY_COLUMNS, "---:|---:|---:|---:", memory_rows(document))]


def _table(columns: Sequence[str], last: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Render a table whose ``last`` columns are numbers; nothing without rows."""
    cells = [" | ".join(map(_escape, row)) for row in rows]
    if cells:
        left = "---|" * (len(columns) - last.count("|") - 1)
        yield from (f"| {' | '.join(columns)} |", f"|{left}{last}|", *(f"| {row} |" for row in cells), "")


def _escape(text: str) -> str:
    """Escape ``text`` for a line or a table cell, so that it is neither markup nor a mention."""
    marked = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", re.sub(r"&(?=#?\w+;)", "&amp;", _one_line(text)))
    marked = re.sub(r"^(\d*)([-+#>=.)])", r"\1\\\2", marked).replace("<", "&lt;").replace("@", "&#64;&#8203;")
    return _parted(marked)


def _parted(marked: str) -> str:
    parted = _LINKED.sub(lambda found: f"{found[0][0]}&#8203;{found[0][1:]}", marked)
    return _COMMIT.sub(lambda found: "&#8203;".join(re.findall(".{1,6}", found[0])), parted)


def _escape_html(text: str) -> str:
    """Escape ``text`` for a line of HTML, so that it is neither markup nor a mention."""
    marked = html.escape(_one_line(text)).replace("@", "&#64;&#8203;")
    return _parted(marked)


def _code(text: str) -> str:
    """Format ``text`` as inline code."""
    line = _one_line(text)
    ticks, blank = "`" * (_longest_ticks(line) + 1), " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{blank}{line}{blank}{ticks}"


def _one_line(text: str) -> str:
    return " ".join(printable(" ".join(text.split())).split()) or "–"


def _code_in_cell(text: str) -> str:
    """Format ``text`` as inline code in a table cell, where a bar would end the cell."""
    # A bar after a backslash can't be escaped.
    return f"<code>{_escape(text)}</code>" if "\\|" in text else _code(text).replace("|", "\\|")


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _fit_comment(head: list[str], blocks: list[list[str]], tail: list[str]) -> str:
    """Join the blocks that fit into a comment, and note how many do not."""
    budget = LIMIT - _RESERVED - len("\n".join([*head, *tail]))
    lines: list[str] = []
    for index, block in enumerate(blocks):
        budget -= len("\n".join(block)) + 1
        if budget < 0:
            omitted = len(blocks) - index
            lines.append(
                f"\n**{omitted} more omitted: comments are limited to {LIMIT:,} characters.** Run `airunway diff` to"
                " see them all."
            )
            break
        lines += block
    return "\n".join([*head, *lines, *tail])
