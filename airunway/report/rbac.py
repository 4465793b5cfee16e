"""The RBAC objects that grant exactly the rights an update of a stack needs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airunway.live.missing_rights import Access
from airunway.planning.cluster_identity import IDENTITY
from airunway.planning.controller_delivery import KIND
from airunway.provider.labels import MANAGED
from airunway.report.rights import (
    RBAC_GROUP,
    Kinds,
    Release,
    ResourceAttributes,
    Right,
    bind_rights,
    chart_rights,
    object_rights,
    operating_rights,
    record_rights,
)
from airunway.text.merge import non_empty
from airunway.text.problems import InputError, Problem
from providers import PROVIDERS

_VERB_ORDER = ("get", "list", "watch", "create", "update", "patch", "delete", "bind")
_BUILT_IN_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def rbac_objects(
    manifests: Iterable[Mapping[str, Any]],
    stack: str,
    account: tuple[str, str],
    *,
    retained: Iterable[Mapping[str, Any]] = (),
    releases: Sequence[Release] = (),
    operate: bool = False,
) -> list[dict[str, Any]]:
    """Return namespaces, ServiceAccount, roles and bindings for ``account`` (namespace, name), in the order to apply.

    ``manifests`` are objects that the stack may delete, ``retained`` those that it never does. Namespaces are included
    because roles need them, and so the account needs no right to create any. The rules of the stack's own roles are
    granted too: the API server only lets an account write a role whose rights it holds, and the verb ``escalate``
    would let it write any role. With ``operate`` it may also read pods, events and logs of the deployments, and forward
    ports to them, as the console does. Raises ``InputError`` for a kind without a known resource name.
    """
    manifests, retained = list(manifests), list(retained)
    kinds = Kinds([*manifests, *retained, *(m for release in releases for m in release.objects)])
    stack_objects = [(m, kinds.attributes(m, "default")) for m in (*manifests, *retained)]
    chart_objects = [(m, _chart_attributes(m, release, kinds)) for release in releases for m in release.objects]
    rights = {Right("", "", "namespaces", "get", IDENTITY)}
    for index, (manifest, attributes) in enumerate(stack_objects):
        rights |= set(object_rights(manifest, attributes, retained=index >= len(manifests)))
    if operate:
        for namespace in {a.namespace for m, a in stack_objects if m["kind"] == KIND or PROVIDERS.for_object(m)}:
            rights |= set(operating_rights(namespace))
    for manifest, attributes in chart_objects:
        rights |= set(chart_rights(manifest, attributes))
    for manifest, attributes in (*stack_objects, *chart_objects):
        rights |= set(bind_rights(manifest, attributes))
    for release in releases:
        rights |= set(record_rights(release))
    rules = {namespace: rules_of(namespace_rights) for namespace, namespace_rights in _by_namespace(rights).items()}
    for manifest, attributes in (*stack_objects, *chart_objects):
        if manifest["kind"] in ("Role", "ClusterRole"):
            rules.setdefault(attributes.namespace, []).extend(manifest.get("rules") or [])
    created = {str(m["metadata"]["name"]) for m, _ in stack_objects if m["kind"] == "Namespace"}  # Helm creates its own
    return _objects(rules, created, f"airunway-{stack}", account)


def _chart_attributes(manifest: Mapping[str, Any], release: Release, kinds: Kinds) -> ResourceAttributes:
    try:
        return kinds.attributes(manifest, release.namespace)
    except InputError as error:
        fix = "add its CustomResourceDefinition, as `helm template --include-crds` does"
        raise InputError(
            [Problem(f"{release.name}: kind {manifest['kind']}", f"its resource name is unknown; {fix}")]
        ) from error


def rules_of(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """Return the fewest rules that grant exactly ``rights``, which are all of one namespace or cluster-wide."""
    verbs: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for right in rights:
        verbs[right.group, right.resource, right.name].add(right.verb)
    unnamed: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    named: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, name), granted in sorted(verbs.items()):
        remaining = granted - verbs.get((group, resource, ""), set()) if name else granted
        ordered_verbs = tuple(verb for verb in _VERB_ORDER if verb in remaining)
        if name and ordered_verbs:
            named[group, resource, ordered_verbs].append(name)
        elif ordered_verbs:
            unnamed[group, ordered_verbs].append(resource)
    return [
        *({"apiGroups": [g], "resources": resources, "verbs": [*v]} for (g, v), resources in unnamed.items()),
        *(
            {"apiGroups": [g], "resources": [r], "resourceNames": names, "verbs": [*v]}
            for (g, r, v), names in named.items()
        ),
    ]


def rule_for(access: Access) -> dict[str, Any]:
    """Return the rule of a Role that gives ``access``."""
    (rule,) = rules_of(operating_rights("", (access,)))
    return rule


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
        for n in sorted({account[0], *namespaces, *filter(None, rules)} - {*_BUILT_IN_NAMESPACES})
    ]
    objects.append(_object("v1", "ServiceAccount", account[1], account[0]))
    for namespace, role_rules in sorted(rules.items()):
        role = "Role" if namespace else "ClusterRole"
        objects.append(_object(f"{RBAC_GROUP}/v1", role, name, namespace, rules=role_rules))
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
