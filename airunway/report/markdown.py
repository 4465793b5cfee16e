"""Previews and differences as Markdown, for a pull request's comment."""

import re
from collections.abc import Sequence

from airunway.program.record import Preview
from airunway.report.compare import REPLACE, Difference
from airunway.report.difference_text import SYMBOLS, field_sentence, selection_sentence, summary
from airunway.report.preview_text import why
from airunway.text.terminal import escape_invisible, printable

LIMIT = 65_536
"""Longest comment that GitHub takes, in characters."""

_RESERVED = 300


def preview_markdown(preview: Preview) -> str:
    """The selection table and the resources of a stack."""
    rows = ["| deployment | engine | provider | rule | why |", "|---|---|---|---|---|"]
    for planned in preview.plan.deployments:
        selection = planned.request.selection
        rule = f"{_code_in_cell(selection.rule.condition)} ({selection.rule.priority})" if selection.rule else "–"
        rows.append(
            f"| {_text(planned.name)} | {selection.engine} | {_text(selection.provider)} | {rule} |"
            f" {_text(why(planned))} |"
        )
    resources = [f"- {_code(r.name)} {_text(r.kind)}" for r in preview.resources if r.custom and not r.is_provider]
    warnings = [f"> **Warning:** {_text(w)}" for w in preview.plan.warnings]
    head = [
        f"### airunway: stack {_code(preview.stack)}",
        "",
        *warnings,
        *rows,
        "",
        f"<details><summary>{len(resources)} resources</summary>",
        "",
    ]
    return _fitted(head, [[r] for r in resources], ["", "</details>", ""])


def differences_markdown(differences: Sequence[Difference]) -> str:
    """What changes, stack by stack; replacements and decisions first."""
    head = ["### airunway: what changes", ""]
    for difference in differences:
        head.append(f"- {_code(difference.stack)}: {summary(difference)}")
    blocks: list[list[str]] = []
    for difference in differences:
        if not difference:
            continue
        block = ["", f"#### {_code(difference.stack)}", ""]
        block += [f"- **{_text(selection_sentence(s))}**" for s in difference.selections]
        block += [f"- {_text(sentence)}" for sentence in difference.operators]
        blocks.append([*block, ""])
        for change in sorted(difference.resources, key=lambda c: c.operation != REPLACE):
            lines = [escape_invisible(f"{SYMBOLS[change.operation]} {change.operation} {change.name} {change.kind}")]
            lines += [f"    {field_sentence(f, change)}" for f in change.fields]
            fence = "`" * max(3, _longest_ticks("\n".join(lines)) + 1)
            blocks.append([fence, *lines, fence])
    return _fitted(head, blocks, [""])


def _text(text: str) -> str:
    """``text`` as it is, in a line or a cell of a table: neither markup nor a mention of somebody."""
    marked = re.sub(r"([\\`*_\[\]|~])", r"\\\1", re.sub(r"&(?=#?\w+;)", "&amp;", _line(text)))
    return re.sub(r"^(\d*)([-+#>=.)])", r"\1\\\2", marked).replace("<", "&lt;").replace("@", "&#64;")


def _code(text: str) -> str:
    """``text`` as code in a line."""
    line = _line(text)
    ticks, blank = "`" * (_longest_ticks(line) + 1), " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{blank}{line}{blank}{ticks}"


def _line(text: str) -> str:
    return " ".join(printable(" ".join(text.split())).split()) or "–"


def _code_in_cell(text: str) -> str:
    """``text`` as code in a cell of a table, which a bar would end."""
    # A bar after a backslash ends it however it is escaped.
    return f"<code>{_text(text)}</code>" if "\\|" in text else _code(text).replace("|", "\\|")


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _fitted(head: list[str], blocks: list[list[str]], tail: list[str]) -> str:
    """The blocks that fit into a comment, and how many do not."""
    room = LIMIT - _RESERVED - len("\n".join([*head, *tail]))
    kept: list[str] = []
    for index, block in enumerate(blocks):
        room -= len("\n".join(block)) + 1
        if room < 0:
            left = len(blocks) - index
            kept.append(
                f"\n**{left} more, left out because a comment holds {LIMIT:,} characters.** Run `airunway diff` to see"
                " them all."
            )
            break
        kept += block
    return "\n".join([*head, *kept, *tail])
