"""A stand-in for Pulumi's Kubernetes provider plugin, where that can't be had: the engine's own gRPC interface, a real API server.

It has what the tests need of the real plugin's behaviour: check, diff, create and update by server-side apply with strict field
validation, dry run in preview, read, delete, waiting for Deployments, Jobs and ``pulumi.com/waitFor``, and upserts. A Helm
release is recorded without its chart. The engine attaches to it through PULUMI_DEBUG_PROVIDERS.
"""

import base64
import re
import time
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import requests
import yaml
from google.protobuf import any_pb2, empty_pb2, json_format, struct_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

RELEASE = "kubernetes:helm.sh/v3:Release"
MANAGER = "pulumi-kubernetes"
_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


class _Failed(Exception):
    """What the engine is told; with ``created``, the object is there but did not get ready."""

    def __init__(self, message: str, created: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.created = created


class _NoKind(_Failed):
    """There is no such kind (yet)."""


class Client:
    """The API server as one provider resource sees it."""

    def __init__(self, kubeconfig: str, upsert: bool) -> None:
        config = yaml.safe_load(Path(kubeconfig).read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url, self.upsert = cluster["server"], upsert
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy on the way to loopback
        self.session.headers["Authorization"] = f"Bearer {user['token']}"
        self.session.verify = cluster.get("certificate-authority", True)
        retry = Retry(
            total=8, connect=8, status=8, backoff_factor=0.3, status_forcelist=(429, 503), allowed_methods=None, raise_on_status=False
        )
        for prefix in ("http://", "https://"):
            self.session.mount(prefix, HTTPAdapter(max_retries=retry))
        self._resources: dict[tuple[str, str], tuple[str, bool]] = {}

    def path(self, obj: dict[str, Any]) -> str:
        version, kind, metadata = obj["apiVersion"], obj["kind"], obj["metadata"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self._resources:
            found = self.call("GET", base).get("resources", [])
            self._resources |= {(version, r["kind"]): (r["name"], r["namespaced"]) for r in found if "/" not in r["name"]}
        if (version, kind) not in self._resources:
            raise _NoKind(f"apiVersion {version} for kind {kind} does not exist")
        plural, namespaced = self._resources[version, kind]
        scope = f"/namespaces/{metadata.get('namespace', 'default')}" if namespaced else ""
        return f"{base}{scope}/{plural}/{metadata['name']}"

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        kind = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        answer = self.session.request(method, self.url + path, json=body, params=query, headers={"Content-Type": kind}, timeout=60)
        if answer.status_code == 404:
            return {}
        if not answer.ok:
            raise _Failed(f"{method} {path}: {answer.status_code} {answer.json().get('message', answer.text)[:1500]}")
        return answer.json()


def _inputs(struct: struct_pb2.Struct) -> dict[str, Any]:
    found: dict[str, Any] = _whole(json_format.MessageToDict(struct))
    return found


def _whole(value: Any) -> Any:
    """Plain values: protobuf's numbers are doubles, and secrets come wrapped."""
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _whole(value["value"])
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _struct(value: dict[str, Any]) -> struct_pb2.Struct:
    """``value`` for the engine; as with the real plugin, what a Secret holds is secret."""
    if value.get("kind") == "Secret":
        value = {k: {_SIGNATURE: _SECRET, "value": v} if k in ("data", "stringData") else v for k, v in value.items()}
    return json_format.ParseDict(value, struct_pb2.Struct())


def _changed(old: Any, new: Any, path: str = "") -> list[str]:
    """Paths at which two values differ, as the engine writes them."""
    if isinstance(old, dict) and isinstance(new, dict):
        steps = {key: (f"{path}.{key}" if path else key) if re.fullmatch(r"\w+", key) else f'{path}["{key}"]' for key in {*old, *new}}
        return [found for key in sorted(steps) for found in _changed(old.get(key), new.get(key), steps[key])]
    return [] if old == new else [path]


def seen(wanted: Any, live: Any) -> Any:
    """``live`` as far as ``wanted`` says anything about it."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        return {k: seen(v, live[k]) for k, v in wanted.items() if k in live}
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [seen(w, a) for w, a in zip(wanted, live, strict=True)]
    return live


def observed(wanted: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """The live object in the shape of the inputs; a Secret's texts come back from its data."""
    result: dict[str, Any] = seen(wanted, live)
    if "stringData" in wanted:
        data = live.get("data", {})
        result["stringData"] = {k: base64.b64decode(data[k]).decode() for k in wanted["stringData"] if k in data}
    return result


def ready(obj: dict[str, Any]) -> tuple[bool, str]:
    """Whether ``obj`` is as its annotations or its kind want it, and what is wrong otherwise."""
    annotations = obj["metadata"].get("annotations") or {}
    status = obj.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    wait = annotations.get("pulumi.com/waitFor")
    if wait is not None:
        if wait.startswith("condition="):
            name, _, value = wait.removeprefix("condition=").partition("=")
            found = conditions.get(name, {}).get("status")
            return found == (value or "True"), f"condition {name} is {found}"
        path, value = re.fullmatch(r"jsonpath=\{\.(.+)\}=(.+)", wait).groups()  # type: ignore[union-attr]
        current: Any = obj
        for part in path.split("."):
            current = current.get(part) if isinstance(current, dict) else None
        return current == value, f"{path} is {current!r}, wanted {value!r}"
    if obj["kind"] == "Deployment":
        current = (
            status.get("observedGeneration") == obj["metadata"]["generation"] and conditions.get("Available", {}).get("status") == "True"
        )
        return current, "Deployment is not available"
    if obj["kind"] == "CustomResourceDefinition":
        return conditions.get("Established", {}).get("status") == "True", "definition is not established"
    if obj["kind"] == "Job":
        if "Failed" in conditions:
            raise _Failed(f"Job failed: {conditions['Failed'].get('message')}", obj)
        return "Complete" in conditions, "Job is not complete"
    return True, ""


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """The provider; one server serves every provider resource, told apart by their connections."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.cancelled = False
        self.server = grpc.server(futures.ThreadPoolExecutor(32))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="4.34.2")

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        self.cancelled = True
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        self.cancelled = False
        values = {k.removeprefix("kubernetes:config:"): v for k, v in request.variables.items()}
        self.clients[context.peer()] = Client(values["kubeconfig"], values.get("upsertExistingObjects") == "true")
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=True)

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = _inputs(request.old_inputs or request.olds), _inputs(request.news)
        if old == new:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        keys = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
        named = [(o.get("metadata") or {}).get(k) for o in (old, new) for k in ("name", "namespace")]
        moved = named[:2] != named[2:] or (new.get("kind") == "Job" and "spec" in keys)
        kind = provider_pb2.PropertyDiff.UPDATE_REPLACE if moved else provider_pb2.PropertyDiff.UPDATE
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=keys,
            replaces=keys if moved else [],
            deleteBeforeReplace=moved,
            hasDetailedDiff=True,
            detailedDiff={path: provider_pb2.PropertyDiff(kind=kind, inputDiff=True) for path in _changed(old, new)},
        )

    def Create(self, request: Any, context: Any) -> Any:
        return self._answer(context, lambda: self._create(request, context))

    def Update(self, request: Any, context: Any) -> Any:
        def update() -> Any:
            inputs = _inputs(request.news)
            if RELEASE in request.urn:
                return provider_pb2.UpdateResponse(properties=_struct(inputs))
            live = self._apply(context, inputs, request.preview, request.timeout)
            return provider_pb2.UpdateResponse(properties=_struct(observed(inputs, live)))

        return self._answer(context, update)

    def Read(self, request: Any, context: Any) -> Any:
        def read() -> Any:
            wanted = _inputs(request.inputs)
            if RELEASE in request.urn:
                return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
            client = self.clients[context.peer()]
            live = client.call("GET", client.path(wanted))
            if not live:
                return provider_pb2.ReadResponse()
            found = _struct(observed(wanted, live))
            return provider_pb2.ReadResponse(id=request.id, properties=found, inputs=found)

        return self._answer(context, read)

    def Delete(self, request: Any, context: Any) -> Any:
        def delete() -> Any:
            wanted = _inputs(request.old_inputs) or _inputs(request.properties)
            if RELEASE not in request.urn:
                client = self.clients[context.peer()]
                path = client.path(wanted)
                client.call("DELETE", path, {"propagationPolicy": "Background"})
                deadline = time.monotonic() + (request.timeout or 60)
                while client.call("GET", path):
                    if time.monotonic() > deadline:
                        raise _Failed(f"{path} is still there")
                    time.sleep(0.1)
            return empty_pb2.Empty()

        return self._answer(context, delete)

    def _create(self, request: Any, context: Any) -> Any:
        inputs = _inputs(request.properties)
        if RELEASE in request.urn:
            where = f"{inputs.get('namespace')}/{inputs.get('name')}"
            return provider_pb2.CreateResponse(id=where, properties=_struct(inputs))
        client = self.clients[context.peer()]
        if not request.preview and not client.upsert and client.call("GET", client.path(inputs)):
            raise _Failed(f"resource {client.path(inputs)} already exists")
        metadata = inputs["metadata"]
        identifier = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
        try:
            live = self._apply(context, inputs, request.preview, request.timeout)
        except _Failed as failure:
            if failure.created is not None:
                failure.created = {"id": identifier, "inputs": inputs, "live": failure.created}
            raise
        return provider_pb2.CreateResponse(id="" if request.preview else identifier, properties=_struct(observed(inputs, live)))

    def _apply(self, context: Any, inputs: dict[str, Any], preview: bool, timeout: float) -> dict[str, Any]:
        client = self.clients[context.peer()]
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"} | ({"dryRun": "All"} if preview else {})
        annotations = inputs["metadata"].get("annotations") or {}
        query |= {"force": "true"} if annotations.get("pulumi.com/patchForce") == "true" else {}
        try:
            path = self._path(client, inputs, 0 if preview else 20)
        except _NoKind:
            if preview:
                return inputs  # its definition is yet to come
            raise
        live = client.call("PATCH", path, inputs, **query)
        if not live:
            if preview:
                return inputs  # its namespace is yet to come
            raise _Failed(f"{path}: not found")
        if preview or annotations.get("pulumi.com/skipAwait") == "true":
            return dict(live)
        deadline = time.monotonic() + (timeout or 600)
        while True:
            live = client.call("GET", path)
            done, wrong = ready(live)
            if done:
                return dict(live)
            if self.cancelled:
                raise _Failed("cancelled", live)
            if time.monotonic() > deadline:
                raise _Failed(f"timed out waiting for {inputs['kind']} {path}: {wrong}", live)
            time.sleep(0.1)

    @staticmethod
    def _path(client: Client, inputs: dict[str, Any], seconds: float) -> str:
        """The object's path; a definition that was just made takes a moment to be served."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return client.path(inputs)
            except _NoKind:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _answer(self, context: Any, act: Any) -> Any:
        try:
            return act()
        except _Failed as failure:
            created = failure.created
            if created is None or "id" not in created:
                context.abort(grpc.StatusCode.UNKNOWN, str(failure))
                return None
            detail = any_pb2.Any()
            found = _struct(observed(created["inputs"], created["live"]))
            detail.Pack(
                provider_pb2.ErrorResourceInitFailed(
                    id=created["id"], properties=found, inputs=_struct(created["inputs"]), reasons=[str(failure)]
                )
            )
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure), details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, str(failure))
        except requests.RequestException as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
