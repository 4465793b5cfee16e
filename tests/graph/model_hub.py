"""Stands in for Hugging Face's hub, for its real client (huggingface_hub 2.4.0).

It answers `GET /api/models/ID/revision/REVISION?blobs=True` with the fields that the client's ModelInfo reads, and
refuses with the header X-Error-Code, as the client's hf_raise_for_status takes it. It answers `HEAD` and `GET
/ID/resolve/COMMIT/config.json` with the headers that the client's hf_hub_download reads.
"""

import contextlib
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

FIRST, SECOND = "a1" * 20, "b2" * 20
"""Two commits."""
QWEN_CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "hidden_size": 1024,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40960,
}
"""What config.json of Qwen3 0.6B says of its cache."""


def model(
    commit: str, *files: tuple[str, int], licence: str = "apache-2.0", gated: Any = False, **weights: int
) -> dict[str, Any]:
    """What the hub says of a model; large files are in large-file storage."""
    siblings = [
        {"rfilename": name, "size": size, "blobId": "0" * 40}
        | ({"lfs": {"sha256": "cd" * 32, "size": size, "pointerSize": 135}} if size > 10_000_000 else {})
        for name, size in files
    ]
    found = {"id": "x/y", "sha": commit, "siblings": siblings, "tags": [f"license:{licence}"], "gated": gated}
    return found | ({"safetensors": {"parameters": weights, "total": sum(weights.values())}} if weights else {})


class ModelHub(ThreadingHTTPServer):
    """``models`` are what is there, by id and revision; ``configs`` are the configurations, by id;
    ``files`` are other files, by id and path; ``refusal`` is an error code for all.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models: dict[tuple[str, str], Any] = {}
        self.configs: dict[str, Any] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.gated_configs: set[str] = set()
        self.refusal: tuple[int, str] | None = None
        self.requests: list[str] = []
        self.encoding = ""
        self.tokens: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: ModelHub

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub = self.server
        model_id, is_file, commit = urlsplit(self.path).path.removeprefix("/").partition("/resolve/")
        if is_file and model_id in hub.gated_configs:
            return self._reply(403, {"error": "no"}, "GatedRepo")
        if is_file:
            revision, _, path = commit.partition("/")
            commit = hub.models.get((model_id, revision), {"sha": revision})["sha"]
            return self._reply(200, hub.files.get((model_id, path)) or hub.configs[model_id], commit=commit)
        hub.requests.append(self.path)
        hub.tokens.add(self.headers["Authorization"])
        path = urlsplit(self.path).path.removeprefix("/api/models/")
        model_id, _, revision = path.partition("/revision/")
        if hub.refusal:
            return self._reply(hub.refusal[0], {"error": "no"}, hub.refusal[1])
        if (model_id, unquote(revision)) in hub.models:
            return self._reply(200, hub.models[model_id, unquote(revision)])
        known = any(model_id == key[0] for key in hub.models)
        return self._reply(404, {"error": "no"}, "RevisionNotFound" if known else "RepoNotFound")

    def _reply(self, status: int, body: Any, code: str = "", commit: str = "") -> None:
        if callable(body):
            self.send_response(status)
            self.end_headers()
            with contextlib.suppress(OSError):  # the client has had enough
                for piece in body():
                    self.wfile.write(piece)
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if self.server.encoding:
            self.send_header("Content-Encoding", self.server.encoding)
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_header("Content-Length", str(len(text)))
        if code:
            self.send_header("X-Error-Code", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
            # Files of large-file storage are known by their SHA-256, others by git's digest.
            digest = hashlib.sha256(text) if self.path.endswith(".safetensors") else hashlib.sha1(text)
            self.send_header("ETag", f'"{digest.hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(text)
