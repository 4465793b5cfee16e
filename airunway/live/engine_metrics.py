"""What a model server tells Prometheus about its work, read through a port forward."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from airunway.text.bounded_streams import AS_IT_IS
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import load_data

_SERVERS: list[dict[str, str]] = load_data(Path(__file__).with_suffix(".yaml"))["servers"]
_BYTES = int(load_data(Path(__file__).with_name("limits.yaml"))["metricsBytes"])
_SECONDS = 10
_OK, _NOT_FOUND = 200, 404


@dataclass(frozen=True)
class Metrics:
    """The work of one server at one moment; a value that it doesn't tell is None.

    ``running`` and ``waiting`` are requests, ``cache`` is the part of the KV cache in use, ``generated`` and
    ``prompted`` are tokens since its start.
    """

    server: str
    running: float | None = None
    waiting: float | None = None
    cache: float | None = None
    generated: float | None = None
    prompted: float | None = None


class NoMetricsError(InputError):
    """The server has no /metrics."""


async def metrics_of(base_url: str) -> Metrics | None:
    """Read the metrics of the server whose API has ``base_url``; None if it tells nothing that is known here.

    Dynamo's frontend tells of a model after its first request, says its catalog of metrics (1.4). Raises
    ``NoMetricsError`` and ``InputError``.
    """
    url = f"{base_url.removesuffix('/v1')}/metrics"
    try:
        async with (
            httpx.AsyncClient(trust_env=False, timeout=_SECONDS) as client,
            client.stream("GET", url, headers=AS_IT_IS) as response,
        ):
            if response.status_code == _NOT_FOUND:
                raise NoMetricsError([Problem("/metrics", "does not exist")])
            if response.status_code != _OK:
                raise InputError([Problem("/metrics", f"answers {response.status_code}")])
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > _BYTES:
                    raise InputError([Problem("/metrics", f"has more than {_BYTES:,} bytes, the most that is read")])
    except httpx.HTTPError as error:
        raise InputError([Problem("/metrics", f"can't be read: {str(error) or type(error).__name__}")]) from error
    return read_metrics(content.decode(errors="replace"))


def read_metrics(text: str) -> Metrics | None:
    """Read Prometheus' text format; None if it is none, or has no names that are known here."""
    wanted = {name for server in _SERVERS for name in server.values()}
    lines = (line for line in text.splitlines() if re.split(r"[{\s]", line, maxsplit=1)[0] in wanted)
    samples: dict[str, list[float]] = {}
    try:
        for family in text_string_to_metric_families("\n".join(lines) + "\n"):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append(float(sample.value))
    except ValueError:
        return None
    finite = {name: [v for v in values if math.isfinite(v)] for name, values in samples.items()}
    return next((metrics for server in _SERVERS if (metrics := _metrics(server, finite))), None)


def _metrics(server: Mapping[str, str], samples: Mapping[str, list[float]]) -> Metrics | None:
    told: dict[str, Any] = {
        key: _combined(key, values)
        for key in ("running", "waiting", "cache", "generated", "prompted")
        if (values := samples.get(server.get(key, "")))
    }
    return Metrics(server["server"], **told) if told else None


def _combined(key: str, values: Iterable[float]) -> float:
    """One value of those of a server's models and engines: the fullest cache, and the sum of all else."""
    return max(values) if key == "cache" else sum(values)
