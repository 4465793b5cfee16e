"""Charts of our own in place of the catalog's, which can't be fetched here: the same names and versions, one Deployment each."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from providers.provider_config import builtin_documents, load_config

_DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas | default 1 }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: operator, image: "registry.test/operator:{{ .Chart.Version }}"}]}
"""


def write_chart(folder: Path, name: str, version: str, definitions: Iterable[Path] = (), place: str = "crds") -> Path:
    """A chart at ``folder`` with the files ``definitions`` in ``place``: ``crds``, which an uninstall leaves, or ``templates``."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": name, "version": version}))
    (folder / "templates" / "deployment.yaml").write_text(_DEPLOYMENT)
    (folder / place).mkdir(exist_ok=True)
    for path in definitions:
        # Descriptions hold braces, which a template would read.
        text = path.read_text() if place == "crds" else "{{`" + path.read_text().replace("`", "'") + "`}}"
        (folder / place / path.name).write_text(text)
    return folder


def local_charts(folder: Path, root: Path | None = None) -> dict[str, Any]:
    """The setting ``providers`` of a stack whose operators come from charts in ``folder``, which are written there.

    They are named by their paths from ``root`` if there is one, such as a project.
    """
    settings: dict[str, Any] = {}
    for name, body in builtin_documents().items():
        charts = []
        for chart in load_config(body, name).spec.installation.helm_charts:
            place = write_chart(folder / chart.name, chart.chart.rsplit("/", 1)[-1], str(chart.version))
            charts.append({"name": chart.name, "chart": f"./{place.relative_to(root)}" if root else str(place)})
        settings[name] = {"spec": {"installation": {"helmCharts": charts}}}
    return settings
