"""The command `airunway rbac`; imported only when it runs."""

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airunway.cli.previews import load_previews, record_stack
from airunway.cli.streams import read_text
from airunway.report.chart_objects import chart_objects, object_problems
from airunway.report.helm import stack_releases, template_command
from airunway.report.preview_document import preview_document
from airunway.report.rbac import rbac_objects
from airunway.report.rights import Release
from airunway.text.problems import InputError, Problem, suggest_name
from airunway.text.terminal import console
from airunway.text.yaml_writing import to_documents


def show_rbac(
    root: Path,
    stack: str,
    account: tuple[str, str],
    charts: Sequence[tuple[str, str]] = (),
    against: str | None = None,
    *,
    operate: bool = False,
) -> None:
    """Print the RBAC objects that an update of ``stack`` needs.

    ``charts`` are pairs of a release and a file with the output of `helm template`. ``against`` is a revision or saved
    preview whose objects the update may delete. With ``operate``, what the console needs for running deployments is
    added.
    """
    documents = load_previews(root, stack, against)[0] if against else (preview_document(record_stack(root, stack)),)
    resources = [r for document in documents for r in document["resources"]]
    releases = stack_releases(resources)
    objects = _chart_objects(charts, releases)
    deletable, retained = _objects(resources)
    problems = [
        p.under(f"{m['kind']} {m['metadata']['name']}") for m in (*deletable, *retained) for p in object_problems(m)
    ]
    if problems:
        raise InputError(problems)
    chart_releases = [Release(name, release["namespace"], objects.get(name, ())) for name, release in releases.items()]
    objects_to_apply = rbac_objects(
        deletable, stack, account, retained=retained, releases=chart_releases, operate=operate
    )
    sys.stdout.write(to_documents(objects_to_apply))
    command = [
        "airunway",
        "rbac",
        "--stack",
        stack,
        "--service-account",
        "/".join(account),
        *(["--against", against] if against else []),
        *(["--operate"] if operate else []),
    ]
    for release, file in [
        *charts,
        *((name, f"{name}.yaml") for name in releases if name not in objects),
    ]:
        command += ["--manifests", f"{release}={file}"]
    for note in _notes(releases, objects, shlex.join(command)):
        console(stderr=True).print(f"note: {note}", soft_wrap=True, markup=False, highlight=False)


def _objects(resources: Iterable[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Return the Kubernetes objects that an update may delete, and those that it retains.

    Of duplicates the last counts. A resource whose object changes its name or namespace counts as two objects.
    """
    last_by_identity = {_identity(r["inputs"]): r for r in resources if {"apiVersion", "kind"} <= r["inputs"].keys()}
    return [r["inputs"] for r in last_by_identity.values() if not r.get("retained")], [
        r["inputs"] for r in last_by_identity.values() if r.get("retained")
    ]


def _identity(manifest: Mapping[str, Any]) -> tuple[str, str, str, str]:
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def _chart_objects(charts: Sequence[tuple[str, str]], releases: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Read the objects in the files, by release. Raises ``InputError``, also for unknown releases."""
    objects: dict[str, list[dict[str, Any]]] = {}
    problems: list[Problem] = []
    for release, file in charts:
        if release not in releases:
            problems.append(
                Problem(
                    "--manifests",
                    f"no release '{release}'; {suggest_name(release, releases) if releases else 'the stack has none'}",
                )
            )
            continue
        try:
            objects.setdefault(release, []).extend(chart_objects(read_text(file), "stdin" if file == "-" else file))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return objects


def _notes(
    releases: Mapping[str, Mapping[str, Any]],
    objects: Mapping[str, Sequence[Mapping[str, Any]]],
    command: str,
) -> Iterator[str]:
    """What to know of the rights that releases take before granting them; ``command`` is the command with no chart left
    out.
    """
    if releases:
        namespaces = ", ".join(sorted({str(release["namespace"]) for release in releases.values()}))
        yield (
            f"the account can read and write every Secret in {namespaces}: Helm stores its release records"
            " there and finds them by label."
        )
    for name, manifests in objects.items():
        if roles := [f"{m['kind']} {m['metadata']['name']}" for m in manifests if m["kind"] in ("Role", "ClusterRole")]:
            yield f"the account holds all rights that {name} grants, as it can grant no others: {', '.join(roles)}."
    if missing := [name for name in releases if name not in objects]:
        yield "\n".join(
            [
                (
                    f"the rights to the objects of the charts {', '.join(missing)} are missing. Render them in the"
                    " project folder:"
                ),
                *(f"  {template_command(releases[name])} > {name}.yaml" for name in missing),
                f"  {command}",
                "Or have an administrator install the operators and set installation: existing.",
            ]
        )
