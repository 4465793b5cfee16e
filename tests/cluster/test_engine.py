"""Cluster (real gRPC and Pulumi's own channels): what runs of the program share when they run in the tests' process."""

import socket
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from pulumi.runtime import settings
from pulumi.runtime.proto import resource_pb2, resource_pb2_grpc

import tests.cluster.engine  # noqa: F401  (sets the options of channels)

QUESTION = resource_pb2.SupportsFeatureRequest(id="secrets")


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """A monitor that supports every feature."""

    def SupportsFeature(self, request: object, context: object) -> resource_pb2.SupportsFeatureResponse:
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_run_reaches_a_monitor_on_a_port_where_an_earlier_run_found_nobody(free_port: int) -> None:
    address = f"127.0.0.1:{free_port}"
    earlier = settings.Settings("airunway", "dev", monitor=address).monitor
    with pytest.raises(grpc.RpcError) as refused:
        earlier.SupportsFeature(QUESTION, timeout=5)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE

    server = grpc.server(ThreadPoolExecutor(1))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(), server)
    assert server.add_insecure_port(address) == free_port
    server.start()
    try:
        later = settings.Settings("airunway", "dev", monitor=address).monitor
        assert later.SupportsFeature(QUESTION, timeout=5).hasSupport
    finally:
        server.stop(None).wait()
