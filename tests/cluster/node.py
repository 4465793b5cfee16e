"""Stands in for scheduler, kubelet and volume controller: pods are bound to a node and run, a Job's pod ends, claims
are bound.
"""

import contextlib
import itertools
import threading
from collections.abc import Callable
from typing import Any

from tests.cluster.apiserver import Cluster, now

DIGEST = "sha256:" + "0123456789abcdef" * 4
"""Digest of every image, unless a test builds one."""


class Node:
    """Scheduler and kubelet of one node, as far as pods and claims show: what is bound runs at once, and a Job's pod
    ends at once.
    """

    NAME = "node-0"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.failing = self.unready = "-"
        """Prefix of the names of pods that fail, and of pods that run and are never ready."""
        self.built: Callable[[Any], str] = lambda _: DIGEST + "\n"
        """Gives the termination message of a Job's pod that ends well, which is the digest of what it built."""
        self._addresses = itertools.count(10)
        self._stop = threading.Event()
        cluster.send("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.NAME}})
        self._thread = threading.Thread(target=self._run_pods, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run_pods(self) -> None:
        while not self._stop.wait(0.1):
            with contextlib.suppress(OSError, AssertionError):  # the server is away, which some tests want
                self._act()

    def _act(self) -> None:
        for claim in self.cluster.items("/api/v1/persistentvolumeclaims"):
            if (claim.get("status") or {}).get("phase") != "Bound":
                bound = {
                    "phase": "Bound",
                    "capacity": claim["spec"]["resources"]["requests"],
                    "accessModes": claim["spec"]["accessModes"],
                }
                self._status("persistentvolumeclaims", claim, bound)
        for pod in self.cluster.items("/api/v1/pods"):
            self._pod(pod)

    def _pod(self, pod: Any) -> None:
        metadata, phase = pod["metadata"], pod.get("status", {}).get("phase", "Pending")
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if "deletionTimestamp" in metadata:
            if phase in (
                "Running",
                "Pending",
            ):  # the Job controller wants to see how its pod ended before it lets go of it
                self._status("pods", pod, {"phase": "Failed"})
            self.cluster.session.delete(self.cluster.url + path, json={"gracePeriodSeconds": 0}, timeout=30)
        elif not pod["spec"].get("nodeName"):
            target = {"apiVersion": "v1", "kind": "Node", "name": self.NAME}
            binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": metadata["name"]}, "target": target}
            self.cluster.send("POST", f"{path}/binding", binding)
        elif pod["spec"]["nodeName"] == self.NAME and phase == "Pending":
            self._status("pods", pod, self._started(pod))

    def _started(self, pod: Any) -> dict[str, Any]:
        """The status of a pod that has started: of a Job, that has ended."""
        owners = [o["kind"] for o in pod["metadata"].get("ownerReferences") or []]
        ended, failed = "Job" in owners, pod["metadata"]["name"].startswith(self.failing)
        code = {
            "exitCode": int(failed),
            "finishedAt": now(),
            "startedAt": now(),
            "message": "no such file: m-Q4_0.gguf" if failed else self.built(pod) if ended else "",
        }
        state = {"terminated": code} if ended or failed else {"running": {"startedAt": now()}}
        names = [c["name"] for c in pod["spec"]["containers"]]
        ready = not (ended or failed or pod["metadata"]["name"].startswith(self.unready))
        base = {"image": "x", "imageID": "x", "restartCount": 0, "lastState": {}}
        statuses = [{"name": n, "ready": ready, "started": ready, "state": state, **base} for n in names]
        conditions = [
            {"type": t, "status": str(ready)} for t in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ]
        address = f"10.1.0.{next(self._addresses) % 250}"
        phase = "Failed" if failed else "Succeeded" if ended else "Running"
        shared = {"startTime": now(), "podIP": address, "podIPs": [{"ip": address}], "containerStatuses": statuses}
        return shared | {"phase": phase, "conditions": conditions}

    def _status(self, plural: str, obj: Any, status: dict[str, Any]) -> None:
        metadata = obj["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}/status"
        answer = self.cluster.session.patch(
            self.cluster.url + path,
            json={"status": status},
            headers={"Content-Type": "application/strategic-merge-patch+json"},
            timeout=30,
        )
        assert answer.ok or answer.status_code in (404, 409), answer.text
