"""Helm commands for the releases of a stack."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from airunway.program.type_token import kind_of


def releases(resources: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The inputs of the releases among ``resources``, as Pulumi's ``Release`` takes them, by name; the last of a name
    counts.
    """
    named = {r["inputs"]["name"]: r["inputs"] for r in resources if kind_of(r["type"]) == "Release"}
    return dict(sorted(named.items()))


def template_command(release: Mapping[str, Any]) -> str:
    """The command that prints what Helm would install for ``release``, CRDs and hooks included, run in the project
    folder.

    A flag for each key of the values, as Helm takes them since 3.10.
    """
    repository = (release.get("repositoryOpts") or {}).get("repo")
    arguments = [
        *("helm", "template", release["name"], release["chart"]),
        *(["--repo", repository] if repository else []),
        *(["--version", release["version"]] if release.get("version") else []),
        *("--namespace", release["namespace"], "--include-crds", "--skip-tests"),
    ]
    for key, value in (release.get("values") or {}).items():
        plain = re.sub(r"([.,=[\]\\])", r"\\\1", key)  # Helm reads a path of keys here
        arguments += ["--set-json", f"{plain}={json.dumps(value, ensure_ascii=False)}"]
    return shlex.join(arguments)
