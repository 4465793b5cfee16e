"""What an update of a stack asks of the API server: verbs on resources, on named ones wherever Kubernetes can tell
names apart.

Seen in the audit log of kube-apiserver 1.36.1 with Pulumi's Kubernetes provider 4.25 (Helm 3.18), and checked against
the source of 4.32. ``create`` comes before the name, and the provider lists and watches a kind as a whole, never by a
field selector.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airunway.live.api_server.resource_names import defined_names, plural
from airunway.text.yaml_reading import load_data

RBAC_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Right:
    """One verb on a resource: in ``namespace`` or, where that is empty, in the cluster; on ``name`` or, where that is
    empty, on all.
    """

    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""


@dataclass(frozen=True)
class Release:
    """A Helm release of the stack; ``objects`` is what its chart holds, hooks and CRDs included."""

    name: str
    namespace: str
    objects: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Place:
    """Where RBAC finds an object; ``namespace`` is empty for one of the whole cluster."""

    namespace: str
    group: str
    resource: str
    name: str

    def rights(self, *verbs: str, named: bool = True) -> Iterator[Right]:
        """``verbs`` on the object, or on all of its kind there."""
        return (Right(self.namespace, self.group, self.resource, verb, self.name if named else "") for verb in verbs)


class Kinds:
    """Resource names and scopes of kinds: the built-in ones, and those that CustomResourceDefinitions among
    ``manifests`` define.
    """

    def __init__(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        listed = list(manifests)
        self._names = defined_names(listed)
        self._cluster = {
            (m["spec"].get("group"), kind)
            for m in listed
            for kind in defined_names([m])
            if m["spec"].get("scope") == "Cluster"
        }

    def place(self, manifest: Mapping[str, Any], namespace: str) -> Place:
        """The place of an object, which is in ``namespace`` unless it says otherwise. Raises ``InputError`` for an
        unknown kind.
        """
        group, kind, metadata = (
            str(manifest["apiVersion"]).rpartition("/")[0],
            str(manifest["kind"]),
            manifest["metadata"],
        )
        cluster = kind in _data()["clusterScoped"].get(group, ()) or (group, kind) in self._cluster
        return Place(
            "" if cluster else metadata.get("namespace") or namespace,
            group,
            plural(kind, self._names),
            metadata["name"],
        )


def _data() -> dict[str, Any]:
    return load_data(Path(__file__).with_name("rights.yaml"))


def object_rights(manifest: Mapping[str, Any], place: Place, *, kept: bool) -> Iterator[Right]:
    """What Pulumi needs to create, update, await and, unless it is ``kept``, delete an object."""
    kind = str(manifest["kind"])
    yield from place.rights("get", "patch")
    if kind == "Namespace":
        return  # it is there, as the roles lie in it, and stays
    yield from place.rights("create", named=False)
    if kind == "CustomResourceDefinition":
        yield from place.rights("update")  # a changed one is replaced, not patched
    if not kept:
        yield from place.rights("delete")
    # Secrets are deleted with what owns them: to watch one is to read all.
    if kind != "Secret" and not kept:
        yield from place.rights("list", "watch", named=False)
    if place.namespace and (manifest["metadata"].get("annotations") or {}).get("pulumi.com/skipAwait") != "true":
        for group, resources in [("", ["events"]), *_data()["observed"].get(kind, {}).items()]:
            for resource in resources:
                yield from (Right(place.namespace, group, resource, verb) for verb in ("list", "watch"))
    if kind == "PersistentVolumeClaim":
        # A claim of a class that binds late is ready while it is pending. Without a name it is the default's, whatever
        # that is called.
        named = (manifest.get("spec") or {}).get("storageClassName")
        if named != "":
            yield Right("", "storage.k8s.io", "storageclasses", "get", named or "")


def record_rights(release: Release) -> Iterator[Right]:
    """What Helm needs for its own records: Secrets of the release's namespace, which it finds by label."""
    return (Right(release.namespace, "", "secrets", verb) for verb in ("create", "delete", "get", "list", "update"))


def chart_rights(manifest: Mapping[str, Any], place: Place) -> Iterator[Right]:
    """What Helm needs to install, upgrade, await and uninstall an object of a chart; a definition is left when the
    release goes.
    """
    annotations = manifest["metadata"].get("annotations") or {}
    yield from place.rights("create", named=False)
    yield from place.rights("get", "patch")
    if annotations.get("helm.sh/resource-policy") != "keep" and manifest["kind"] != "CustomResourceDefinition":
        yield from place.rights("delete")
    if manifest["kind"] == "Deployment":
        yield Right(place.namespace, "apps", "replicasets", "list")
    if "helm.sh/hook" in annotations:
        yield from place.rights("list", "watch")  # with a field selector


def bind_rights(manifest: Mapping[str, Any], place: Place) -> Iterator[Right]:
    """What it takes to write an object that binds a role; none for any other.

    Without it the API server wants the account to hold all that the role grants, and in a preview the role may not be
    there yet.
    """
    if manifest["kind"] in ("RoleBinding", "ClusterRoleBinding"):
        role = manifest["roleRef"]
        yield Right(place.namespace, RBAC_GROUP, plural(role["kind"]), "bind", role["name"])
