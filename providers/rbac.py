"""The rights that an update of a stack needs, as Kubernetes RBAC objects and nothing beyond."""

from collections.abc import Iterable, Mapping
from typing import Any

from providers.rendering import MANAGED, given
from providers.resource_names import defined_names, plural

_WRITE = ["get", "list", "watch", "create", "patch", "delete"]
_READ = ["get", "list", "watch"]
# What Pulumi's Kubernetes provider reads to tell why a Deployment or a Job is not ready.
_OBSERVED = [("", ["events", "pods"]), ("apps", ["replicasets"])]


def rbac_objects(manifests: Iterable[Mapping[str, Any]], stack: str, account: tuple[str, str]) -> list[dict[str, Any]]:
    """Namespaces, ServiceAccount, roles and bindings for ``account`` (namespace, name), in the order to apply them.

    ``manifests`` are the objects of the stack. Namespaces are part of the answer: a role lies in its namespace, and the stack
    takes existing ones over, so that it needs no right to create any. Raises ``InputError`` for a kind whose resource name is not known.
    """
    manifests = list(manifests)
    defined = defined_names(manifests)
    namespaces: set[str] = {account[0]}
    shared: dict[tuple[str, str], list[str]] = {}
    kinds: dict[str, dict[str, set[str]]] = {}
    for manifest in manifests:
        metadata = manifest["metadata"]
        if manifest["kind"] == "Namespace":
            namespaces.add(metadata["name"])
            continue
        group = str(manifest["apiVersion"]).rpartition("/")[0]
        if "namespace" not in metadata:
            shared.setdefault((group, plural(str(manifest["kind"]), defined)), []).append(metadata["name"])
            continue
        namespaces.add(metadata["namespace"])
        kinds.setdefault(metadata["namespace"], {}).setdefault(group, set()).add(plural(str(manifest["kind"]), defined))
    subject = {"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}
    name = f"airunway-{stack}"
    listed = sorted(namespaces)
    watched = {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": listed, "verbs": ["get", "list", "watch", "patch"]}
    objects = [_object("v1", "Namespace", n) for n in listed]
    objects.append(_object("v1", "ServiceAccount", account[1], account[0]))
    objects.append(_object("rbac.authorization.k8s.io/v1", "ClusterRole", name, rules=[watched, *_cluster_wide(shared)]))
    objects.append(_binding("ClusterRole", name, subject))
    for namespace, groups in sorted(kinds.items()):
        rules = [{"apiGroups": [group], "resources": sorted(resources), "verbs": _WRITE} for group, resources in sorted(groups.items())]
        rules += [{"apiGroups": [group], "resources": resources, "verbs": _READ} for group, resources in _OBSERVED]
        objects.append(_object("rbac.authorization.k8s.io/v1", "Role", name, namespace, rules=rules))
        objects.append(_binding("Role", name, subject, namespace))
    return objects


def _cluster_wide(shared: Mapping[tuple[str, str], list[str]]) -> Iterable[dict[str, Any]]:
    """Rules for objects without a namespace. Names can't restrict who creates or lists."""
    for (group, resource), names in sorted(shared.items()):
        where = {"apiGroups": [group], "resources": [resource]}
        yield {**where, "verbs": ["create", "list", "watch"]}
        yield {**where, "resourceNames": sorted(names), "verbs": ["get", "patch", "delete"]}


def _object(version: str, kind: str, name: str, namespace: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **given(namespace=namespace), "labels": MANAGED}, **fields}


def _binding(role: str, name: str, subject: dict[str, str], namespace: str | None = None) -> dict[str, Any]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name}
    return _object("rbac.authorization.k8s.io/v1", f"{role}Binding", name, namespace, roleRef=reference, subjects=[subject])
