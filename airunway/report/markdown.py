"""Previews and differences as Markdown, for a pull request's comment."""

from collections.abc import Sequence

from airunway.program.record import Preview
from airunway.report.compare import REPLACE, Difference
from airunway.report.difference_text import SYMBOLS, field_sentence, selection_sentence, summary
from airunway.report.preview_text import why

LIMIT = 65_536
"""Longest comment that GitHub takes, in characters."""

_RESERVED = 300


def preview_markdown(preview: Preview) -> str:
    """The selection table and the resources of a stack."""
    rows = ["| deployment | engine | provider | rule | why |", "|---|---|---|---|---|"]
    for planned in preview.plan.deployments:
        selection = planned.request.selection
        rule = f"`{_cell(selection.rule.condition)}` ({selection.rule.priority})" if selection.rule else "–"
        rows.append(f"| {planned.name} | {selection.engine} | {selection.provider} | {rule} | {_cell(why(planned))} |")
    resources = [f"- `{r.name}` {r.kind}" for r in preview.resources if r.custom and not r.is_provider]
    warnings = [f"> **Warning:** {w}" for w in preview.plan.warnings]
    head = [
        f"### airunway: stack `{preview.stack}`",
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
        head.append(f"- `{difference.stack}`: {summary(difference)}")
    blocks: list[list[str]] = []
    for difference in differences:
        if not difference:
            continue
        block = ["", f"#### `{difference.stack}`", ""]
        block += [f"- **{_cell(selection_sentence(s))}**" for s in difference.selections]
        block += [f"- {_cell(sentence)}" for sentence in difference.operators]
        blocks.append([*block, ""])
        for change in sorted(difference.resources, key=lambda c: c.operation != REPLACE):
            lines = [f"{SYMBOLS[change.operation]} {change.operation} {change.name} {change.kind}"]
            lines += [f"    {field_sentence(f, change)}" for f in change.fields]
            fence = "```" if not any("```" in line for line in lines) else "````"
            blocks.append([fence, *lines, fence])
    return _fitted(head, blocks, [""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _fitted(head: list[str], blocks: list[list[str]], tail: list[str]) -> str:
    """The blocks that fit into a comment, and how many do not."""
    room = LIMIT - _RESERVED - len("\n".join([*head, *tail]))
    kept: list[str] = []
    for index, block in enumerate(blocks):
        room -= len("\n".join(block)) + 1
        if room < 0:
            left = len(blocks) - index
            kept.append(f"\n**{left} more, left out because a comment holds {LIMIT:,} characters.** Run `airunway diff` to see them all.")
            break
        kept += block
    return "\n".join([*head, *kept, *tail])
