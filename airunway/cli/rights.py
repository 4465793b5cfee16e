"""What `airunway rbac` does; imported only when it runs."""

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airunway.cli.previews import previews_of, recorded
from airunway.cli.streams import text_of
from airunway.report.chart_objects import chart_objects, object_problems
from airunway.report.helm import releases, template_command
from airunway.report.preview_document import preview_document
from airunway.report.rbac import rbac_objects
from airunway.report.rights import Release
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import console
from airunway.text.yaml_writing import to_documents


def show_rbac(
    root: Path, stack: str, account: tuple[str, str], charts: Sequence[tuple[str, str]] = (), against: str | None = None
) -> None:
    """Print the rights that an update of ``stack`` needs.

    ``charts`` are files with what `helm template` prints, by release; ``against`` is a revision whose objects the
    update may remove.
    """
    documents = previews_of(root, stack, against)[0] if against else (preview_document(recorded(root, stack)),)
    resources = [r for document in documents for r in document["resources"]]
    known = releases(resources)
    objects = _chart_objects(charts, known)
    removed, kept = _objects(resources)
    problems = [p.under(f"{m['kind']} {m['metadata']['name']}") for m in (*removed, *kept) for p in object_problems(m)]
    if problems:
        raise InputError(problems)
    held = [Release(name, release["namespace"], objects.get(name, ())) for name, release in known.items()]
    sys.stdout.write(to_documents(rbac_objects(removed, stack, account, kept=kept, releases=held)))
    again = [
        "airunway",
        "rbac",
        "--stack",
        stack,
        "--service-account",
        "/".join(account),
        *(["--against", against] if against else []),
    ]
    for release, file in [*charts, *((name, f"{name}.yaml") for name in known if name not in objects)]:
        again += ["--manifests", f"{release}={file}"]
    for note in _notes(known, objects, shlex.join(again)):
        console(stderr=True).print(f"note: {note}", soft_wrap=True, markup=False, highlight=False)


def _objects(resources: Iterable[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The Kubernetes objects among ``resources`` that an update may delete, and those that it never does.

    One that stands twice is as the last says. A resource whose object has another name or namespace than before counts
    as two.
    """
    last = {_identity(r["inputs"]): r for r in resources if {"apiVersion", "kind"} <= r["inputs"].keys()}
    return [r["inputs"] for r in last.values() if not r.get("retained")], [
        r["inputs"] for r in last.values() if r.get("retained")
    ]


def _identity(manifest: Mapping[str, Any]) -> tuple[str, str, str, str]:
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def _chart_objects(charts: Sequence[tuple[str, str]], known: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What the files hold, by release. Raises ``InputError``, also for a release that the stack does not have."""
    objects: dict[str, list[dict[str, Any]]] = {}
    problems: list[Problem] = []
    for release, file in charts:
        if release not in known:
            problems.append(
                Problem(
                    "--manifests",
                    f"no release '{release}'; {suggest_name(release, known) if known else 'the stack has none'}",
                )
            )
            continue
        try:
            objects.setdefault(release, []).extend(chart_objects(text_of(file), "stdin" if file == "-" else file))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return objects


def _notes(
    known: Mapping[str, Mapping[str, Any]], objects: Mapping[str, Sequence[Mapping[str, Any]]], again: str
) -> Iterator[str]:
    """What to know of the rights that releases take before granting them; ``again`` is the command with no chart left
    out.
    """
    if known:
        namespaces = ", ".join(sorted({str(release["namespace"]) for release in known.values()}))
        yield (
            f"the account can read and write every Secret in {namespaces}: Helm keeps its records there and finds them"
            " by label."
        )
    for name, manifests in objects.items():
        if roles := [f"{m['kind']} {m['metadata']['name']}" for m in manifests if m["kind"] in ("Role", "ClusterRole")]:
            yield f"the account holds the rights that {name} grants, or it could not grant them: {', '.join(roles)}."
    if missing := [name for name in known if name not in objects]:
        yield "\n".join(
            [
                (
                    f"the rights to what the charts of {', '.join(missing)} hold are missing. Render them in the"
                    " project folder:"
                ),
                *(f"  {template_command(known[name])} > {name}.yaml" for name in missing),
                f"  {again}",
                "Or install the operators as an administrator and set installation: existing.",
            ]
        )
