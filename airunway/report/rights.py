"""The rights that an update of a stack needs: verbs on resources, limited to names where Kubernetes supports it.

Taken from the audit log of kube-apiserver 1.36.1 with Pulumi's Kubernetes provider 4.25 (Helm 3.18), and checked
against the source of 4.32. Names can't limit ``create``, and the provider lists and watches whole kinds, never with a
field selector.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airunway.live.api_server.resource_names import defined_names, plural
from airunway.live.missing_rights import OPERATING, Access
from airunway.text.yaml_reading import load_data
from providers import PROVIDERS

RBAC_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Right:
    """One verb on a resource; an empty ``namespace`` means cluster-wide, an empty ``name`` all objects."""

    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""


@dataclass(frozen=True)
class Release:
    """A Helm release of the stack; ``objects`` are those of its chart, including hooks and CRDs."""

    name: str
    namespace: str
    objects: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class ResourceAttributes:
    """How RBAC identifies an object; ``namespace`` is empty for a cluster-scoped one."""

    namespace: str
    group: str
    resource: str
    name: str

    def rights(self, *verbs: str, named: bool = True) -> Iterator[Right]:
        """Yield ``verbs`` on the object or, unless ``named``, on all of its kind in the namespace."""
        return (Right(self.namespace, self.group, self.resource, verb, self.name if named else "") for verb in verbs)


class Kinds:
    """Resource names and scopes of built-in kinds, and of those that the CRDs among ``manifests`` define."""

    def __init__(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        manifest_list = list(manifests)
        self._names = defined_names(manifest_list)
        self._cluster_scoped = {
            (m["spec"].get("group"), kind)
            for m in manifest_list
            for kind in defined_names([m])
            if m["spec"].get("scope") == "Cluster"
        }

    def attributes(self, manifest: Mapping[str, Any], namespace: str) -> ResourceAttributes:
        """Return an object's attributes, by default in ``namespace``. Raises ``InputError`` for an unknown kind."""
        group, kind, metadata = (
            str(manifest["apiVersion"]).rpartition("/")[0],
            str(manifest["kind"]),
            manifest["metadata"],
        )
        is_cluster_scoped = kind in _data()["clusterScoped"].get(group, ()) or (group, kind) in self._cluster_scoped
        return ResourceAttributes(
            "" if is_cluster_scoped else metadata.get("namespace") or namespace,
            group,
            plural(kind, self._names),
            metadata["name"],
        )


def _data() -> dict[str, Any]:
    return load_data(Path(__file__).with_name("rights.yaml"))


def object_rights(manifest: Mapping[str, Any], attributes: ResourceAttributes, *, retained: bool) -> Iterator[Right]:
    """Yield what Pulumi needs to create, update, await and, unless ``retained``, delete an object."""
    kind = str(manifest["kind"])
    yield from attributes.rights("get", "patch")
    if kind == "Namespace":
        return  # created with the roles, and never deleted
    yield from attributes.rights("create", named=False)
    if kind == "CustomResourceDefinition":
        yield from attributes.rights("update")  # changed by update, not patch
    if not retained:
        yield from attributes.rights("delete")
    # Secrets are deleted with their owner: watching one would mean reading all.
    if kind != "Secret" and not retained:
        yield from attributes.rights("list", "watch", named=False)
    if attributes.namespace and (manifest["metadata"].get("annotations") or {}).get("pulumi.com/skipAwait") != "true":
        for group, resources in [("", ["events"]), *_data()["observed"].get(kind, {}).items()]:
            for resource in resources:
                yield from (Right(attributes.namespace, group, resource, verb) for verb in ("list", "watch"))
        provider = PROVIDERS.for_object(manifest)
        if provider:  # asked why they do not start
            yield Right(attributes.namespace, "", "pods", "list")
        if provider and provider.WORKLOAD:  # read after a change
            group, resource = provider.WORKLOAD.api_version.rpartition("/")[0], plural(provider.WORKLOAD.kind)
            yield Right(attributes.namespace, group, resource, "get", attributes.name)
    if kind == "PersistentVolumeClaim":
        # With late binding, a pending claim counts as ready. Without a name, the default class is read, whatever its
        # name.
        storage_class = (manifest.get("spec") or {}).get("storageClassName")
        if storage_class != "":
            yield Right("", "storage.k8s.io", "storageclasses", "get", storage_class or "")


def operating_rights(namespace: str, accesses: Iterable[Access] = OPERATING) -> Iterator[Right]:
    """Yield what the console needs to show pods, events and logs of a namespace, and to ask its models."""
    return (Right(namespace, "", access.resource, verb) for access in accesses for verb in access.verbs)


def record_rights(release: Release) -> Iterator[Right]:
    """Yield what Helm needs for its release records: Secrets in the release's namespace, found by label."""
    return (Right(release.namespace, "", "secrets", verb) for verb in ("create", "delete", "get", "list", "update"))


def chart_rights(manifest: Mapping[str, Any], attributes: ResourceAttributes) -> Iterator[Right]:
    """Yield what Helm needs to install, upgrade, await and uninstall a chart's object; it never deletes CRDs."""
    annotations = manifest["metadata"].get("annotations") or {}
    yield from attributes.rights("create", named=False)
    yield from attributes.rights("get", "patch")
    if annotations.get("helm.sh/resource-policy") != "keep" and manifest["kind"] != "CustomResourceDefinition":
        yield from attributes.rights("delete")
    if manifest["kind"] == "Deployment":
        yield Right(attributes.namespace, "apps", "replicasets", "list")
    if "helm.sh/hook" in annotations:
        yield from attributes.rights("list", "watch")  # with a field selector


def bind_rights(manifest: Mapping[str, Any], attributes: ResourceAttributes) -> Iterator[Right]:
    """Yield the right to bind a role, for role bindings only.

    Without it the API server requires the account to hold all that the role grants, and in a preview the role may not
    exist yet.
    """
    if manifest["kind"] in ("RoleBinding", "ClusterRoleBinding"):
        role = manifest["roleRef"]
        yield Right(attributes.namespace, RBAC_GROUP, plural(role["kind"]), "bind", role["name"])
