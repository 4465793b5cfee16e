"""A model that answers what it was told, over the OpenAI API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.cluster.serving import serving


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(
            "application/json",
            json.dumps({"object": "list", "data": [{"id": "echo", "object": "model", "created": 0, "owned_by": "t"}]}),
        )

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] != "echo":
            self._answer("application/json", json.dumps({"error": {"message": f"no model {asked['model']}"}}), 404)
            return
        words = f"\x1b[31myou said: {asked['messages'][-1]['content']}".split(" ")
        chunks = [_chunk({"content": word if index == 0 else f" {word}"}) for index, word in enumerate(words)]
        self._answer("text/event-stream", "".join(f"data: {json.dumps(c)}\n\n" for c in chunks) + "data: [DONE]\n\n")

    def _answer(self, kind: str, text: str, status: int = 200) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


def _chunk(delta: dict[str, str]) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "echo", "choices": [choice]}


@contextmanager
def openai_server() -> Iterator[int]:
    """The port of 127.0.0.1 on which it answers."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Handler)) as server:
        yield server.server_address[1]
