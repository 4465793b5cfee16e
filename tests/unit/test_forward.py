"""Unit (pure): from a Service's port to the port of a pod behind it."""

from typing import Any

import pytest

from airunway.live.forward import target_port
from airunway.live.objects import Pod, Service
from airunway.text.problems import InputError

CONTAINERS = [{"name": "side"}, {"ports": [{"name": "http", "containerPort": 5000}]}]
POD = Pod.model_validate({"metadata": {"name": "p"}, "spec": {"containers": CONTAINERS}})


def service(**port: Any) -> Service:
    return Service.model_validate({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 9090}, {"port": 80} | port]}})


@pytest.mark.parametrize(("port", "expected"), [({}, 80), ({"targetPort": 5000}, 5000), ({"targetPort": "http"}, 5000)])
def test_the_target_is_the_port_itself_a_number_or_a_name(port: Any, expected: int) -> None:
    assert target_port(service(**port), 80, POD) == expected


@pytest.mark.parametrize(
    ("of", "output"),
    [
        (service(port=81), "Service s: has no port 80"),
        (service(targetPort="grpc"), "Service s: targets port 'grpc', which pod p does not have"),
        (Service.model_validate({"metadata": {"name": "s"}, "spec": {"ports": None}}), "Service s: has no port 80"),
    ],
)
def test_a_port_that_leads_nowhere_is_told(of: Any, output: str) -> None:
    with pytest.raises(InputError) as raised:
        target_port(of, 80, POD)
    assert str(raised.value) == output
