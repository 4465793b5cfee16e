"""What the commands do that run the program; imported only when one runs."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airunway.cli.options import Format, PreviewFormat
from airunway.cli.streams import print_json
from airunway.program.record import Preview, record
from airunway.program.stack_file import read_stack, stack_names
from airunway.report.preview_document import preview_document
from airunway.text.config_text import size_warnings
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import console


def recorded(root: Path, stack: str) -> Preview:
    """The preview of ``stack``."""
    return record(root, read_stack(root, stack))


def show_preview(root: Path, stack: str, format: PreviewFormat) -> None:
    """Print the preview of ``stack``."""
    preview = recorded(root, stack)
    if format in (PreviewFormat.JSON, PreviewFormat.MERMAID):  # which have no place for warnings
        _warn_of_size(root, stack)
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


def _warn_of_size(root: Path, stack: str) -> None:
    for warning in size_warnings(read_stack(root, stack).without_secrets):
        console(stderr=True).print(f"warning: {warning}", markup=False, soft_wrap=True)


def show_difference(root: Path, stack: str | None, against: str, format: PreviewFormat) -> bool:
    """Print what changes in one stack or in all of them, and say whether anything does."""
    from airunway.report.compare import compare

    pairs = previews_of(root, stack, against)
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
    return any(differences)


def previews_of(root: Path, stack: str | None, against: str) -> Sequence[tuple[dict[str, Any], dict[str, Any]]]:
    """The other preview and today's, for each stack. A stack that is gone is an empty one today."""
    from airunway.program.checkout import empty_document, preview_at, saved_preview, worktree

    here = stack_names(root)
    if Path(against).is_file():
        saved = saved_preview(Path(against))
        name = stack or str(saved["stack"])
        return [(saved, _today(root, name))]
    with worktree(root, against) as there:
        names = [stack] if stack else sorted({*here, *(stack_names(there) if (there / "Pulumi.yaml").exists() else [])})
        if stack and stack not in here and stack not in stack_names(there):
            raise InputError(
                [Problem("--stack", f"no stack '{stack}', here or at {against}; {suggest_name(stack, here)}")]
            )
        old = {name: preview_at(there, name) for name in names}
    new = {name: _today(root, name) if name in here else empty_document(name) for name in names}
    return [(old[name], new[name]) for name in names]


def _today(root: Path, stack: str) -> dict[str, Any]:
    document = preview_document(recorded(root, stack))
    _warn_of_size(root, stack)
    return document


def show_explanation(root: Path, stack: str, name: str, format: Format) -> None:
    """Print why the deployment ``name`` has its provider."""
    from airunway.report.explain import explanation_document, explanation_text

    planned = {p.name: p for p in recorded(root, stack).plan.deployments}
    if name not in planned:
        known = suggest_name(name, planned) if planned else "it has none"
        raise InputError([Problem("NAME", f"no deployment '{name}' in stack {stack}; {known}")])
    if format is Format.JSON:
        print_json(explanation_document(planned[name]))
    else:
        console().print(explanation_text(planned[name]))


def write_stack(root: Path, stack: str, folder: Path) -> None:
    """Write the Kubernetes objects of ``stack`` as files to ``folder``."""
    from airunway.report.manifests import manifest_files, write_manifests

    files = manifest_files(recorded(root, stack))
    gone = write_manifests(files, folder)
    note = f", {len(gone)} that are no longer needed removed" if gone else ""
    console(stderr=True).print(f"{len(files)} files written to {folder}{note}.", soft_wrap=True)
