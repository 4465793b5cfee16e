"""The registry for built images as Kubernetes objects.

Two containers serve one volume. The one that can write asks for a login and is reached through a ClusterIP by the
builder alone. The other, which nodes pull from through a port on each of them, is read-only: kube-proxy may translate
addresses before NetworkPolicies are applied, so whoever reaches a node's port may pull.
"""

from typing import Any

from airunway.planning.image_build import (
    BUILDER,
    LOGIN_SECRET,
    PUSH_SERVICE,
    REGISTRY,
    restricted_container,
    restricted_pod,
    system_labels,
)
from airunway.planning.settings import BUILD_DATA, ManagedRegistry
from airunway.planning.system_objects import (
    claimed_volume,
    config_map,
    ingress_policy,
    object_metadata,
    single_pod_deployment,
    volume_claim,
)
from airunway.text.yaml_writing import to_yaml

PUSH_PORT, PULL_PORT = 5000, 5001
HTPASSWD = "htpasswd"
"""Key of the login's Secret, and name of its file in the registry's container."""
_DATA, _LOGIN, _CONFIGURATION = "/var/lib/registry", "/etc/registry-login", "/etc/registry-configuration"
_PUSH, _PULL = "push.yaml", "pull.yaml"


def registry_objects(managed: ManagedRegistry) -> list[dict[str, Any]]:
    """Volume claim, NetworkPolicy, ConfigMap, Deployment and Services of the registry, in creation order.

    The Deployment mounts the Secret ``LOGIN_SECRET``, which is not among them.
    """
    defaults = BUILD_DATA["registry"]
    labels = system_labels(REGISTRY, "restricted")
    image = managed.image or defaults["image"]
    nodes = [{"ipBlock": {"cidr": cidr}} for cidr in managed.node_cidrs]
    ingress = [
        {
            "from": [{"podSelector": {"matchLabels": {"app": BUILDER}}}],
            "ports": [{"port": PUSH_PORT, "protocol": "TCP"}],
        },
        {"from": nodes, "ports": [{"port": PULL_PORT, "protocol": "TCP"}]},
    ]
    login = {"secretName": LOGIN_SECRET, "items": [{"key": HTPASSWD, "path": HTPASSWD}]}
    volumes = [
        claimed_volume("data", REGISTRY),
        {"name": "login", "secret": login},
        {"name": "configuration", "configMap": {"name": REGISTRY}},
    ]
    configurations = _configurations()
    containers = [_push(image), _pull(image)]
    return [
        volume_claim(REGISTRY, managed.storage or defaults["storage"], managed.storage_class, labels),
        ingress_policy(REGISTRY, labels, ingress),
        config_map(REGISTRY, labels, configurations),
        single_pod_deployment(
            REGISTRY, labels, containers, volumes, restricted_pod(), "".join(configurations.values())
        ),
        _service(REGISTRY, labels, PULL_PORT, nodePort=managed.node_port or defaults["nodePort"]),
        _service(PUSH_SERVICE, labels, PUSH_PORT),
    ]


def _configurations() -> dict[str, str]:
    """The configuration files of the two containers; what an image brings may ask for a login, or for none."""
    health = {"storagedriver": {"enabled": True, "interval": "10s", "threshold": 3}}
    shared = {"version": "0.1", "log": {"fields": {"service": "registry"}}, "health": health}
    files = {"filesystem": {"rootdirectory": _DATA}}
    read_only = {"readonly": {"enabled": True}, "uploadpurging": {"enabled": False}}
    login = {"htpasswd": {"realm": REGISTRY, "path": f"{_LOGIN}/{HTPASSWD}"}}
    push = {"storage": files | {"delete": {"enabled": True}}, "http": _http(PUSH_PORT), "auth": login}
    pull = {"storage": files | {"maintenance": read_only}, "http": _http(PULL_PORT)}
    return {_PUSH: to_yaml(shared | push), _PULL: to_yaml(shared | pull)}


def _http(port: int) -> dict[str, Any]:
    return {"addr": f":{port}", "headers": {"X-Content-Type-Options": ["nosniff"]}}


def _push(image: str) -> dict[str, Any]:
    """The container that takes pushes; its probe is the one path that asks for no login."""
    login = {"name": "login", "mountPath": _LOGIN, "readOnly": True}
    return _container("registry", image, PUSH_PORT, "/", _PUSH, [{"name": "data", "mountPath": _DATA}, login])


def _pull(image: str) -> dict[str, Any]:
    """The container that nodes pull from."""
    data = {"name": "data", "mountPath": _DATA, "readOnly": True}
    return _container("pull", image, PULL_PORT, "/v2/", _PULL, [data])


def _container(
    name: str, image: str, port: int, path: str, configuration: str, mounts: list[dict[str, Any]]
) -> dict[str, Any]:
    probe = {"httpGet": {"path": path, "port": port}}
    return {
        "name": name,
        "image": image,
        "args": ["serve", f"{_CONFIGURATION}/{configuration}"],
        "ports": [{"name": name, "containerPort": port}],
        # 3.x sends traces to localhost unless it is told not to, and logs each failure (observed with 3.1.2).
        "env": [{"name": "OTEL_TRACES_EXPORTER", "value": "none"}],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}},
        "livenessProbe": probe | {"initialDelaySeconds": 5, "periodSeconds": 10},
        "readinessProbe": probe | {"initialDelaySeconds": 2, "periodSeconds": 5},
        "securityContext": restricted_container(),
        "volumeMounts": [*mounts, {"name": "configuration", "mountPath": _CONFIGURATION, "readOnly": True}],
    }


def _service(name: str, labels: dict[str, str], target: int, **ports: int) -> dict[str, Any]:
    """A Service on port 5000 that leads to the container port ``target``; with a ``nodePort``, on each node too."""
    port = {"name": "registry", "port": 5000, "targetPort": target, **ports, "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": object_metadata(name, labels),
        "spec": {
            "type": "NodePort" if ports else "ClusterIP",
            "selector": {"app": REGISTRY},
            "ports": [port],
        },
    }
