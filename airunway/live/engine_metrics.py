"""What a model server tells Prometheus about its work, read through a port forward."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from airunway.spec.model import Engine
from airunway.text.bounded_streams import AS_IT_IS
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import load_data

_DATA = load_data(Path(__file__).with_suffix(".yaml"))
_SERVERS: list[dict[str, Any]] = _DATA["servers"]
_NOTES: dict[str, str] = _DATA["notes"]
_BYTES = int(load_data(Path(__file__).with_name("limits.yaml"))["metricsBytes"])
_SECONDS = 10
_OK, _NONE = 200, (404, 501)
"""What a server without metrics answers: 501 is llama.cpp's without its argument for them."""


@dataclass(frozen=True)
class Metrics:
    """The work of one server at one moment; a value that it doesn't tell is None.

    ``running`` and ``waiting`` are requests, ``cache`` is the part of the KV cache in use; ``generated`` and
    ``prompted`` are tokens, ``answered`` requests since its start.
    """

    server: str
    running: float | None = None
    waiting: float | None = None
    cache: float | None = None
    generated: float | None = None
    prompted: float | None = None
    answered: float | None = None


_VALUES = tuple(field.name for field in fields(Metrics) if field.name != "server")


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
            if response.status_code in _NONE:
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
    wanted = {name for server in _SERVERS for name, _ in _names(server).values()}
    lines = (line for line in text.splitlines() if re.split(r"[{\s]", line, maxsplit=1)[0] in wanted)
    samples: dict[str, list[_Sample]] = {}
    try:
        for family in text_string_to_metric_families("\n".join(lines) + "\n"):
            for sample in family.samples:
                if math.isfinite(float(sample.value)):
                    samples.setdefault(sample.name, []).append((sample.labels, float(sample.value)))
    except ValueError:
        return None
    return next((metrics for server in _SERVERS if (metrics := _metrics(server, samples))), None)


def completed(metrics: Metrics | None, other: Metrics | None) -> Metrics | None:
    """``metrics`` with those values of ``other`` that it lacks; ``server`` names both where both tell."""
    if metrics is None or other is None:
        return metrics or other
    more = {name: getattr(other, name) for name in _VALUES if getattr(metrics, name) is None}
    more = {name: value for name, value in more.items() if value is not None}
    return replace(metrics, server=f"{metrics.server} and {other.server}", **more) if more else metrics


def metrics_note(engine: Engine, metrics: Metrics | None) -> str:
    """How an engine's server comes to tell what it doesn't tell; "" if it tells all, or that is not known."""
    lacks = metrics is None or any(getattr(metrics, name) is None for name in _VALUES)
    return _NOTES.get(engine, "") if lacks else ""


_Sample = tuple[Mapping[str, str], float]
_Counted = tuple[str, Mapping[str, list[str]]]
"""The name of a metric, and the values of its labels that count."""


def _names(server: Mapping[str, Any]) -> dict[str, _Counted]:
    """The metrics of a server by what they tell."""
    written = {key: server[key] for key in _VALUES if key in server}
    return {key: (name, {}) if isinstance(name, str) else _counted(name) for key, name in written.items()}


def _counted(written: Mapping[str, Any]) -> _Counted:
    return written["name"], {label: values for label, values in written.items() if label != "name"}


def _metrics(server: Mapping[str, Any], samples: Mapping[str, list[_Sample]]) -> Metrics | None:
    told: dict[str, float] = {}
    for key, (name, labels) in _names(server).items():
        if name in samples:
            told[key] = _combined(key, _values(samples[name], labels))
    return Metrics(server["server"], **told) if told else None


def _values(samples: Iterable[_Sample], labels: Mapping[str, list[str]]) -> Iterator[float]:
    return (value for given, value in samples if all(given.get(label) in values for label, values in labels.items()))


def _combined(key: str, values: Iterable[float]) -> float:
    """One value of those of a server's models and engines: the fullest cache, and the sum of all else."""
    return max(values, default=0.0) if key == "cache" else sum(values)
