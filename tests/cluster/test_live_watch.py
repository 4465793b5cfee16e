"""Cluster (real kube-apiserver; operators stood in for): `status --watch` and `wait` tell each change, and wait for
an API server that is away.
"""

import json
import re
import signal
from pathlib import Path
from typing import IO

import pytest

from airunway.program.stack_plan import stack_plan
from tests.cluster.apiserver import Cluster
from tests.cluster.operator import collection, operator
from tests.cluster.proxy import fault_proxy
from tests.command import airunway, running_airunway


def test_watch_prints_each_change_until_interrupted(cluster: Cluster, deployed: Path) -> None:
    with running_airunway(deployed, "status", "--stack", "own", "--watch") as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        with operator(cluster):
            for line in watching.stdout:
                if "4 of 4 running" in line:
                    break
        watching.send_signal(signal.SIGINT)
        _, stderr = watching.communicate(timeout=20)
    assert "0 of 4 running" in first
    assert "Traceback" not in stderr
    assert watching.returncode == 130


@pytest.mark.parametrize("command", [["status", "--watch"], ["wait", "--timeout", "1m"]], ids=" ".join)
def test_what_goes_on_waits_for_an_api_server_that_is_away_for_a_while(
    cluster: Cluster, deployed: Path, command: list[str]
) -> None:
    with fault_proxy(cluster) as proxy, operator(cluster):
        file = deployed / "stacks" / "Pulumi.own.yaml"
        config = json.loads(file.read_text())
        config["config"]["airunway:cluster"] = {"kubeconfig": str(cluster.kubeconfig(server=proxy.url))}
        resource = next(d.rendered.resource for d in stack_plan(deployed, "own").deployments if d.name == "cpu")
        cluster.session.delete(f"{cluster.url}{collection(resource['kind'], 'live')}/cpu", timeout=30)
        file.write_text(json.dumps(config))
        with running_airunway(deployed, *command, "--stack", "own") as running:
            assert running.stdout is not None
            assert running.stderr is not None
            output = running.stdout if command[0] == "status" else running.stderr
            until_line(output, "not in the cluster")
            proxy.away = True
            until_line(running.stderr, "retrying")
            proxy.away = False
            cluster.send("POST", collection(resource["kind"], "live"), resource)
            until_line(output, "cpu.* Running")
            if command[0] == "status":
                running.send_signal(signal.SIGINT)
            _, stderr = running.communicate(timeout=20)
    assert "Traceback" not in stderr


def until_line(lines: IO[str], pattern: str) -> None:
    """Read until a line matches."""
    read = []
    for line in lines:
        read.append(line)
        if re.search(pattern, line):
            return
    raise AssertionError(f"no {pattern!r} in {read}")


def test_wait_ends_when_all_run_and_tells_each_change(cluster: Cluster, deployed: Path) -> None:
    late = airunway(deployed, "wait", "cpu", "--stack", "own", "--timeout", "1s")
    assert late.returncode == 3
    assert "timed out: cpu  Pending  0/1  no status yet" in late.stderr
    with running_airunway(deployed, "wait", "--stack", "own", "--timeout", "1m") as waiting:
        assert waiting.stderr is not None
        until_line(waiting.stderr, r"\ds  cpu  Pending  0/1  no status yet")
        with operator(cluster):
            _, stderr = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, stderr
    assert re.search(r"\ds  cpu  Running  1/1\n", stderr)
