"""Commands that run the Pulumi program; imported only when one of them runs."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airunway.cli.named_deployment import named_deployment
from airunway.cli.options import Format, PreviewFormat
from airunway.cli.streams import print_json
from airunway.program.record import Preview, record
from airunway.program.stack_file import read_stack, stack_names
from airunway.report.preview_document import preview_document
from airunway.text.config_text import size_warnings
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import console

Pair = tuple[dict[str, Any], dict[str, Any]]
"""The old and the current preview of a stack."""


def record_stack(root: Path, stack: str) -> Preview:
    """Run the program for ``stack`` and return its preview."""
    return record(root, read_stack(root, stack))


def show_preview(root: Path, stack: str, format: PreviewFormat) -> bool:
    """Print the preview of ``stack``; return whether something in it stops an update."""
    preview = record_stack(root, stack)
    if format in (PreviewFormat.JSON, PreviewFormat.MERMAID):  # formats that can't hold warnings
        _warn_about_size(root, stack)
    match format:
        case PreviewFormat.JSON:
            print_json(preview_document(preview))
        case PreviewFormat.MARKDOWN:
            from airunway.report.markdown import preview_markdown

            sys.stdout.write(preview_markdown(preview))
        case PreviewFormat.MERMAID:
            from airunway.report.mermaid import preview_mermaid

            sys.stdout.write(preview_mermaid(preview_document(preview)))
        case PreviewFormat.HTML:
            from airunway.report.html import preview_html

            sys.stdout.write(preview_html(preview, preview_document(preview)))
        case _:
            from airunway.report.preview_text import preview_text

            out = console()
            out.print(preview_text(preview, out.width))
    return bool(preview.assessment.mandatory)


def _warn_about_size(root: Path, stack: str) -> None:
    for warning in size_warnings(read_stack(root, stack).without_secrets):
        console(stderr=True).print(f"warning: {warning}", markup=False, soft_wrap=True)


def show_difference(root: Path, stack: str | None, against: str, format: PreviewFormat) -> tuple[bool, bool]:
    """Print what changes in one stack or all; return whether anything does, and whether something stops an update."""
    from airunway.report.compare import compare

    pairs = load_previews(root, stack, against)
    differences = [compare(old, new) for old, new in pairs]
    match format:
        case PreviewFormat.JSON:
            from airunway.report.difference_document import difference_document

            print_json([difference_document(d) for d in differences])
        case PreviewFormat.MARKDOWN:
            from airunway.report.markdown import differences_markdown

            sys.stdout.write(differences_markdown(differences))
        case PreviewFormat.MERMAID:
            from airunway.report.mermaid import differences_mermaid

            sys.stdout.write(differences_mermaid(differences, pairs))
        case PreviewFormat.HTML:
            from airunway.report.html import differences_html

            sys.stdout.write(differences_html(differences, pairs))
        case _:
            from airunway.report.difference_text import differences_text

            console().print(differences_text(differences))
    return any(differences), any(difference.assessment.mandatory for difference in differences)


def load_previews(root: Path, stack: str | None, against: str) -> Sequence[Pair]:
    """Return the old and the current preview of each stack. Raises ``InputError`` with the problems of all of them."""
    pairs = read_previews(root, stack, against).values()
    problems = [problem for pair in pairs if isinstance(pair, InputError) for problem in pair.problems]
    if problems:
        raise InputError(problems)
    return [pair for pair in pairs if not isinstance(pair, InputError)]


def read_previews(root: Path, stack: str | None, against: str) -> Mapping[str, Pair | InputError]:
    """Return the old and the current preview by stack, or why one can't be made; a deleted stack's current is empty.

    Raises ``InputError`` if it is not known which stacks there are.
    """
    from airunway.program.checkout import empty_document, preview_at, stacks_at, worktree
    from airunway.program.saved_preview import saved_preview

    current = stack_names(root)
    if os.path.isfile(against):
        saved = saved_preview(Path(against))
        name = stack or str(saved["stack"])
        return {name: (saved, _current_preview(root, name))}

    def pair(name: str, checkout: Path) -> Pair | InputError:
        try:
            new = _current_preview(root, name) if name in current else empty_document(name)
            return preview_at(checkout, name), new
        except InputError as error:
            return error

    with worktree(root, against) as checkout:
        all_names = sorted({*current, *stacks_at(checkout)})
        if stack and stack not in all_names:
            hint = suggest_name(stack, all_names) if all_names else "the project has no stacks"
            raise InputError([Problem("--stack", f"no stack '{stack}' in the project or at {against}; {hint}")])
        return {name: pair(name, checkout) for name in ([stack] if stack else all_names)}


def _current_preview(root: Path, stack: str) -> dict[str, Any]:
    document = preview_document(record_stack(root, stack))
    _warn_about_size(root, stack)
    return document


def show_explanation(root: Path, stack: str, name: str, format: Format) -> None:
    """Print why the deployment ``name`` got its provider, and what it takes."""
    from airunway.report.explain import explanation_document, explanation_text

    preview = record_stack(root, stack)
    planned = named_deployment(preview.plan, stack, name)
    if format is Format.JSON:
        print_json(explanation_document(planned, preview.assessment))
    else:
        console().print(explanation_text(planned, preview.assessment))


def write_stack(root: Path, stack: str, folder: Path) -> None:
    """Write the Kubernetes objects of ``stack`` as files to ``folder``."""
    from airunway.report.manifests import manifest_files, write_manifests

    preview = record_stack(root, stack)
    if preview.assessment.mandatory:
        raise InputError([Problem(finding.deployment, finding.message) for finding in preview.assessment.mandatory])
    files = manifest_files(preview)
    removed = write_manifests(files, folder)
    note = f", {len(removed)} obsolete ones removed" if removed else ""
    console(stderr=True).print(f"Wrote {len(files)} files to {folder}{note}.", soft_wrap=True)
