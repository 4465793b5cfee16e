"""A model that answers what it was told, over the OpenAI API, and counts its tokens for Prometheus.

It stands in for vLLM's server, of which it has the addresses, and the names and labels of the metrics (vllm 0.33.0,
vllm/v1/metrics/loggers.py); Prometheus' own client writes them, as it does for vLLM.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

from tests.cluster.serving import serving


class Model(ThreadingHTTPServer):
    """It answers on a port of 127.0.0.1. To what begins with ``slowly`` it writes until its client leaves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Any] = []
        self.left = threading.Event()
        """Set when a client left before the end of its answer."""
        self.polls, self.has_metrics = 0, True
        self.answer = ""
        """What it says to every question; if empty, the question."""
        self.registry = CollectorRegistry()
        labels = {"model_name": "echo", "engine": "0"}
        names = list(labels)
        self.running, self.waiting, self.cache = (
            Gauge(name, name, names, registry=self.registry).labels(**labels)
            for name in ("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc")
        )
        self.generated, self.prompted = (
            Counter(name, name, names, registry=self.registry).labels(**labels)
            for name in ("vllm:generation_tokens", "vllm:prompt_tokens")
        )
        success = Counter("vllm:request_success", "", [*names, "finished_reason"], registry=self.registry)
        self.answered = success.labels(**labels, finished_reason="stop")


class _Handler(BaseHTTPRequestHandler):
    server: Model

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self.server.polls += 1
            if self.server.has_metrics:
                self._answer(CONTENT_TYPE_LATEST, generate_latest(self.server.registry).decode())
            else:
                self._answer("text/plain", "not found", 404)
            return
        self._answer(
            "application/json",
            json.dumps({"object": "list", "data": [{"id": "echo", "object": "model", "created": 0, "owned_by": "t"}]}),
        )

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        if asked["model"] != "echo":
            self._answer("application/json", json.dumps({"error": {"message": f"no model {asked['model']}"}}), 404)
            return
        if asked["messages"][-1]["content"].startswith("refuse"):
            self._answer("application/json", json.dumps({"error": {"message": "the context is too long"}}), 400)
            return
        if asked["messages"][-1]["content"].startswith("slowly"):
            self._answer_slowly()
            return
        words = (self.server.answer or f"\x1b[31myou said: {asked['messages'][-1]['content']}").split(" ")
        chunks = [_chunk({"content": word if index == 0 else f" {word}"}) for index, word in enumerate(words)]
        self._answer("text/event-stream", "".join(f"data: {json.dumps(c)}\n\n" for c in chunks) + "data: [DONE]\n\n")

    def _answer(self, kind: str, text: str, status: int = 200) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer_slowly(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.server.running.inc()
        try:
            while True:
                self.wfile.write(f"data: {json.dumps(_chunk({'content': 'on and '}))}\n\n".encode())
                self.server.generated.inc()
                time.sleep(0.05)
        except OSError:
            self.server.left.set()
        finally:
            self.server.running.dec()

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


def _chunk(delta: dict[str, str]) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "echo", "choices": [choice]}


@contextmanager
def model_server() -> Iterator[Model]:
    """A model that runs meanwhile."""
    with serving(Model()) as server:
        yield server


@contextmanager
def openai_server() -> Iterator[int]:
    """The port of 127.0.0.1 on which it answers."""
    with model_server() as server:
        yield server.server_port
