"""Cluster (real kube-apiserver): names, pages and pages that expire, as the API server has them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from airunway.live.api_server.connection import Connection, connect
from airunway.live.api_server.resource_names import plural, table
from airunway.live.api_server.session import Session
from airunway.planning.settings import Cluster as Settings
from providers import PROVIDERS
from tests.cluster.apiserver import Cluster


def read(cluster: Cluster, work: Callable[[Connection], Awaitable[Any]]) -> Any:
    async def reading() -> Any:
        async with connect(Settings(kubeconfig=str(cluster.kubeconfig())), Path("/")) as connection:
            return await work(connection)

    return asyncio.run(reading())


def test_the_table_names_kinds_as_the_api_server_does(cluster: Cluster) -> None:
    versions = [
        "/api/v1",
        *(f"/apis/{v['groupVersion']}" for g in cluster.get("/apis")["groups"] for v in g["versions"]),
    ]
    served: dict[str, dict[str, str]] = {}
    for path in versions:
        group = path.removeprefix("/apis/").rpartition("/")[0] if path != "/api/v1" else ""
        named = {
            r["kind"]: r["name"]
            for r in cluster.get(path)["resources"]
            if "/" not in r["name"] and "list" in r["verbs"]
        }
        served.setdefault(group, {}).update(named)
    known = {group: kinds for group, kinds in table().items() if group in served}
    assert {*known} >= {
        "",
        "apps",
        "batch",
        "networking.k8s.io",
        "rbac.authorization.k8s.io",
        "kaito.sh",
        "nvidia.com",
        "ray.io",
    }
    assert known == {group: {kind: served[group].get(kind) for kind in kinds} for group, kinds in known.items()}


def test_discovery_gives_the_names_of_our_kinds(cluster: Cluster) -> None:
    async def names(connection: Connection) -> list[tuple[str, str]]:
        result = [await connection.resource(provider.API_VERSION, provider.KIND) for provider in PROVIDERS]
        return [(r.kind, r.name) for r in result if r is not None]

    assert read(cluster, names) == [(provider.KIND, plural(provider.KIND)) for provider in PROVIDERS]


def test_a_kind_or_group_that_is_not_served_has_no_objects(cluster: Cluster) -> None:
    assert read(cluster, lambda c: c.items("nowhere.example/v1", "Thing")) is None
    assert read(cluster, lambda c: c.items("apps/v1", "Thing")) is None
    assert read(cluster, lambda c: c.object("apps/v1", "Deployment", "default", "gone")) is None


@pytest.fixture
def events(cluster: Cluster) -> list[str]:
    """Names of five Events in a namespace of their own. The API server reads them from etcd itself, not from its
    cache.
    """
    cluster.namespace("pages")
    names = [f"event-{index}" for index in range(5)]
    for name in names:
        if not cluster.get(f"/api/v1/namespaces/pages/events/{name}"):
            about = {
                "involvedObject": {"kind": "Pod", "name": "x", "namespace": "pages"},
                "reason": "Test",
                "type": "Normal",
            }
            cluster.send("POST", "/api/v1/namespaces/pages/events", {"metadata": {"name": name}} | about)
    return names


async def _event_names(connection: Connection) -> list[str]:
    return [item["metadata"]["name"] for item in await connection.items("v1", "Event", "pages") or []]


def test_a_list_is_whole_however_many_pages_it_has(
    cluster: Cluster, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.live.api_server.connection._PAGE_SIZE", 2)
    assert read(cluster, _event_names) == events


def test_a_list_whose_pages_expire_is_whole(
    cluster: Cluster, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send, codes = Session.send, list[int]()

    async def late(self: Session, method: str, path: str, query: dict[str, str], headers: Any) -> Any:
        """The request, before whose continuation etcd throws away all old states."""
        if "continue" in query:
            cluster.send(
                "PATCH", "/api/v1/namespaces/pages/events/event-4", {"reason": "Later"}, "application/merge-patch+json"
            )
            cluster.etcd("kv/compaction", {"revision": cluster.etcd("maintenance/status", {})["header"]["revision"]})
        answer = await send(self, method, path, query, headers)
        codes.append(answer.status_code)
        return answer

    monkeypatch.setattr(Session, "send", late)
    monkeypatch.setattr("airunway.live.api_server.connection._PAGE_SIZE", 2)
    assert read(cluster, _event_names) == events
    assert codes[-3:] == [200, 410, 200]
