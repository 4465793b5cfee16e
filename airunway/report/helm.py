"""Helm commands for the releases of a stack."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from airunway.program.type_token import kind_of


def stack_releases(resources: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the inputs of the Helm releases among ``resources``, by release name; of duplicates the last counts."""
    inputs_by_name = {r["inputs"]["name"]: r["inputs"] for r in resources if kind_of(r["type"]) == "Release"}
    return dict(sorted(inputs_by_name.items()))


def template_command(release: Mapping[str, Any]) -> str:
    """Return the command that prints what Helm would install for ``release``, including CRDs and hooks.

    Run it in the project folder. Values are passed with ``--set-json``, which needs Helm 3.10.
    """
    repository = (release.get("repositoryOpts") or {}).get("repo")
    arguments = [
        *("helm", "template", release["name"], release["chart"]),
        *(["--repo", repository] if repository else []),
        *(["--version", release["version"]] if release.get("version") else []),
        *("--namespace", release["namespace"], "--include-crds", "--skip-tests"),
    ]
    for key, value in (release.get("values") or {}).items():
        escaped_key = re.sub(r"([.,=[\]\\])", r"\\\1", key)  # Helm splits the key at these
        arguments += ["--set-json", f"{escaped_key}={json.dumps(value, ensure_ascii=False)}"]
    return shlex.join(arguments)
