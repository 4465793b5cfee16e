"""The rights that an update of a stack needs, as Kubernetes RBAC objects and nothing beyond."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airunway.planning.cluster_identity import IDENTITY
from airunway.provider.labels import MANAGED
from airunway.report.rights import (
    RBAC_GROUP,
    Kinds,
    Place,
    Release,
    Right,
    bind_rights,
    chart_rights,
    object_rights,
    record_rights,
)
from airunway.text.merge import non_empty
from airunway.text.problems import InputError, Problem

_ORDER = ("get", "list", "watch", "create", "update", "patch", "delete", "bind")
_ALWAYS_THERE = ("default", "kube-node-lease", "kube-public", "kube-system")


def rbac_objects(
    manifests: Iterable[Mapping[str, Any]],
    stack: str,
    account: tuple[str, str],
    *,
    kept: Iterable[Mapping[str, Any]] = (),
    releases: Sequence[Release] = (),
) -> list[dict[str, Any]]:
    """Namespaces, ServiceAccount, roles and bindings for ``account`` (namespace, name), in the order to apply them.

    ``manifests`` are the objects of the stack, ``kept`` those that it never deletes. Namespaces are part of the answer:
    a role lies in its namespace, and the stack takes existing ones over, so that it needs no right to create any. What
    the roles among the objects allow is part of it too: the API server lets nobody write a role with rights that they
    don't hold, and the verb ``escalate`` would let the account write any. Raises ``InputError`` for a kind whose
    resource name is not known.
    """
    manifests, kept = list(manifests), list(kept)
    kinds = Kinds([*manifests, *kept, *(m for release in releases for m in release.objects)])
    ours = [(m, kinds.place(m, "default")) for m in (*manifests, *kept)]
    theirs = [(m, _chart_place(m, release, kinds)) for release in releases for m in release.objects]
    rights = {Right("", "", "namespaces", "get", IDENTITY)}
    for index, (manifest, place) in enumerate(ours):
        rights |= set(object_rights(manifest, place, kept=index >= len(manifests)))
    for manifest, place in theirs:
        rights |= set(chart_rights(manifest, place))
    for manifest, place in (*ours, *theirs):
        rights |= set(bind_rights(manifest, place))
    for release in releases:
        rights |= set(record_rights(release))
    rules = {namespace: rules_of(some) for namespace, some in _by_namespace(rights).items()}
    for manifest, place in (*ours, *theirs):
        if manifest["kind"] in ("Role", "ClusterRole"):
            rules.setdefault(place.namespace, []).extend(manifest.get("rules") or [])
    created = {str(m["metadata"]["name"]) for m, _ in ours if m["kind"] == "Namespace"}  # Helm wants to make its own
    return _objects(rules, created, f"airunway-{stack}", account)


def _chart_place(manifest: Mapping[str, Any], release: Release, kinds: Kinds) -> Place:
    try:
        return kinds.place(manifest, release.namespace)
    except InputError as error:
        way_out = "add its CustomResourceDefinition, as `helm template --include-crds` does"
        raise InputError(
            [Problem(f"{release.name}: kind {manifest['kind']}", f"its resource name is not known; {way_out}")]
        ) from error


def rules_of(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """The fewest rules that grant ``rights``, which are of one namespace or of the whole cluster, and no others."""
    verbs: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for right in rights:
        verbs[right.group, right.resource, right.name].add(right.verb)
    on_all: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    on_named: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, name), some in sorted(verbs.items()):
        left = some - verbs.get((group, resource, ""), set()) if name else some
        ordered = tuple(verb for verb in _ORDER if verb in left)
        if name and ordered:
            on_named[group, resource, ordered].append(name)
        elif ordered:
            on_all[group, ordered].append(resource)
    return [
        *({"apiGroups": [g], "resources": resources, "verbs": [*v]} for (g, v), resources in on_all.items()),
        *(
            {"apiGroups": [g], "resources": [r], "resourceNames": names, "verbs": [*v]}
            for (g, r, v), names in on_named.items()
        ),
    ]


def _by_namespace(rights: Iterable[Right]) -> dict[str, list[Right]]:
    grouped: dict[str, list[Right]] = defaultdict(list)
    for right in rights:
        grouped[right.namespace].append(right)
    return dict(grouped)


def _objects(
    rules: Mapping[str, list[dict[str, Any]]], namespaces: Iterable[str], name: str, account: tuple[str, str]
) -> list[dict[str, Any]]:
    subject = {"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}
    objects = [
        _object("v1", "Namespace", n)
        for n in sorted({account[0], *namespaces, *filter(None, rules)} - {*_ALWAYS_THERE})
    ]
    objects.append(_object("v1", "ServiceAccount", account[1], account[0]))
    for namespace, some in sorted(rules.items()):
        role = "Role" if namespace else "ClusterRole"
        objects.append(_object(f"{RBAC_GROUP}/v1", role, name, namespace, rules=some))
        objects.append(_binding(role, name, subject, namespace))
    return objects


def _object(version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, **non_empty(namespace=namespace), "labels": MANAGED},
        **fields,
    }


def _binding(role: str, name: str, subject: dict[str, str], namespace: str) -> dict[str, Any]:
    reference = {"apiGroup": RBAC_GROUP, "kind": role, "name": name}
    return _object(f"{RBAC_GROUP}/v1", f"{role}Binding", name, namespace, roleRef=reference, subjects=[subject])
