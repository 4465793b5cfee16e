"""Charts of our own in place of the catalog's, which can't be fetched here: the same names and versions, one Deployment
each.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from airunway.selection.provider_config import load_config
from providers import PROVIDERS

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


# What operators' charts bring beside it: accounts, roles of both kinds, a binding to a role of others', a Secret, a
# Service and a hook.
OPERATOR = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: {{ .Release.Name }}}
rules:
  - {apiGroups: [""], resources: [nodes], verbs: [get, list, watch]}
  - {apiGroups: [example.test], resources: ["*"], verbs: ["*"]}
  - {nonResourceURLs: [/metrics], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: {{ .Release.Name }}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ .Release.Name }}}
subjects: [{kind: ServiceAccount, name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: leader}
rules: [{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: leader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: leader}
subjects: [{kind: ServiceAccount, name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: {{ .Release.Name }}, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader}
subjects: [{kind: ServiceAccount, name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}]
---
apiVersion: v1
kind: Secret
metadata: {name: webhook}
stringData: {replicas: {{ .Values.replicas | default 1 | quote }}}
---
apiVersion: v1
kind: Service
metadata: {name: webhook}
spec: {ports: [{port: 443}], selector: {app: {{ .Release.Name }}}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: before
  annotations:
    helm.sh/hook: "pre-install,pre-upgrade"
    helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"
spec: {template: {spec: {restartPolicy: Never, containers: [{name: check, image: "registry.test/check:1"}]}}}
"""


def write_chart(
    folder: Path,
    name: str,
    version: str,
    definitions: Iterable[Path] = (),
    location: str = "crds",
    more: str | None = None,
) -> Path:
    """A chart at ``folder`` with the files ``definitions`` in ``place``: ``crds``, which an uninstall leaves, or
    ``templates``.

    ``more`` is a further template.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": name, "version": version}))
    (folder / "templates" / "deployment.yaml").write_text(_DEPLOYMENT)
    if more:
        (folder / "templates" / "more.yaml").write_text(more)
    (folder / location).mkdir(exist_ok=True)
    for path in definitions:
        # Descriptions hold braces, which a template would read.
        text = path.read_text() if location == "crds" else "{{`" + path.read_text().replace("`", "'") + "`}}"
        (folder / location / path.name).write_text(text)
    return folder


def local_charts(
    folder: Path, root: Path | None = None, definitions: Iterable[Path] = (), more: str | None = None
) -> dict[str, Any]:
    """The setting ``providers`` of a stack whose operators come from charts in ``folder``, which are written there.

    They are named by their paths from ``root`` if there is one, such as a project. Each has the CRDs ``definitions``,
    and ``more`` as a further template.
    """
    settings: dict[str, Any] = {}
    for name, body in PROVIDERS.documents.items():
        charts = []
        for chart in load_config(body, name).spec.installation.helm_charts:
            version = str(chart.version)
            location = write_chart(folder / chart.name, chart.chart.rsplit("/", 1)[-1], version, definitions, more=more)
            charts.append({"name": chart.name, "chart": f"./{location.relative_to(root)}" if root else str(location)})
        settings[name] = {"spec": {"installation": {"helmCharts": charts}}}
    return settings
