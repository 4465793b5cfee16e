"""Small plots of what a running model does: requests, KV cache and tokens, as its server told from poll to poll."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from starlette.requests import Request
from starlette.responses import Response

from airunway.console.cluster_reading import read_in_time
from airunway.console.detail_page import planned_deployment
from airunway.console.form_requests import named_stack
from airunway.console.project import Project
from airunway.live.api_server.connection import connect
from airunway.live.deployment_metrics import DeploymentMetrics, deployment_metrics
from airunway.live.engine_metrics import Metrics

_KEPT, _PAUSE, _SHORTEST = 90, 60.0, 0.5
"""Polls that a plot shows, the seconds after which an earlier one is no longer part of it, and those that a rate takes:
two windows with the page may poll at once."""
_STOP_POLLING = 286
"""The status that tells htmx (2.0) not to ask again."""
WIDTH, HEIGHT = 180, 40
"""Of a plot, in the units of its drawing."""


@dataclass(frozen=True)
class Poll:
    """What was read at a time of the monotonic clock, in seconds."""

    at: float
    metrics: Metrics


@dataclass(frozen=True)
class Plot:
    """One small plot: its last value and its largest in words, the points of its lines, and of the areas below."""

    label: str
    now: str
    most: str
    lines: tuple[str, ...]
    areas: tuple[str, ...]


class MetricsPage:
    """The polls of each deployment since its page was opened, as plots."""

    def __init__(self, project: Project, render: Callable[..., Response]) -> None:
        self._project, self._render = project, render
        self._polls: dict[tuple[str, str], deque[Poll]] = {}

    async def show(self, request: Request) -> Response:
        """Read the metrics once more and show them, or why they can't be read."""
        stack, name = named_stack(request, self._project), str(request.path_params["name"])
        planned = planned_deployment(self._project, stack, name)

        async def read() -> DeploymentMetrics:
            async with connect(self._project.plan(stack).settings.cluster, self._project.root) as connection:
                return await deployment_metrics(connection, planned)

        reading = await read_in_time(read())
        told = reading.value or DeploymentMetrics(None, answers=True)
        metrics = told.metrics
        polls = self._polls.setdefault((stack, name), deque(maxlen=_KEPT))
        if metrics:
            poll = Poll(time.monotonic(), metrics)
            if polls and poll.at - polls[-1].at > _PAUSE:
                polls.clear()
            polls.append(poll)
        return self._render(
            request,
            "metrics.html",
            status=200 if told.answers else _STOP_POLLING,
            reading=reading,
            told=told,
            plots=plots(polls) if metrics else (),
            minutes=round((polls[-1].at - polls[0].at) / 60) if polls else 0,
            now_is=time.strftime("%H:%M:%S"),
            width=WIDTH,
            height=HEIGHT,
        )


def plots(polls: Iterable[Poll]) -> list[Plot]:
    """The plots of what was told; none of what the server doesn't tell. A rate needs two polls of one server."""
    polls = list(polls)
    rows = [
        ("Requests running", [(p.at, p.metrics.running) for p in polls], _count),
        ("Requests waiting", [(p.at, p.metrics.waiting) for p in polls], _count),
        ("KV cache in use", [(p.at, p.metrics.cache) for p in polls], _percent),
        ("Requests/s", _rates([(p.at, p.metrics.answered) for p in polls]), _count),
        ("Tokens/s written", _rates([(p.at, p.metrics.generated) for p in polls]), _count),
        ("Tokens/s read", _rates([(p.at, p.metrics.prompted) for p in polls]), _count),
    ]
    return [_plot(label, values, words) for label, values, words in rows if any(v is not None for _, v in values)]


_Points = Sequence[tuple[float, float | None]]


def _rates(points: _Points) -> list[tuple[float, float | None]]:
    """The growth per second between polls; None where the server began again or another one answered."""
    return [
        (at, (value - before) / (at - since) if value is not None and before is not None and value >= before else None)
        for (since, before), (at, value) in pairwise(points)
        if at - since >= _SHORTEST
    ]


def _plot(label: str, points: _Points, words: Callable[[float], str]) -> Plot:
    known = [value for _, value in points if value is not None]
    most, last = max(known), points[-1][1]
    start, length = points[0][0], max(points[-1][0] - points[0][0], 1e-9)
    scale = 1.0 if words is _percent else max(most, 1.0)
    lines: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is None:
            lines.append([])
        else:
            lines[-1].append(((at - start) / length * WIDTH, HEIGHT - 2 - min(value / scale, 1) * (HEIGHT - 4)))
    drawn = [line for line in lines if line]
    areas = [[(line[0][0], float(HEIGHT)), *line, (line[-1][0], float(HEIGHT))] for line in drawn]
    now = "–" if last is None else words(last)
    return Plot(label, now, words(most), tuple(map(_points, drawn)), tuple(map(_points, areas)))


def _points(line: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in line)


def _count(value: float) -> str:
    return f"{value:,.1f}" if 0 < value < 10 and value != int(value) else f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{value:.0%}"
