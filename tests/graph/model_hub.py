"""Stands in for Hugging Face's hub, for its real client (huggingface_hub 2.4.0).

It answers `GET /api/models/ID/revision/REVISION?blobs=True` with the fields that the client's ModelInfo reads, and
refuses with the header X-Error-Code, as the client's hf_raise_for_status takes it. It answers `HEAD` and `GET
/ID/resolve/COMMIT/config.json` with the headers that the client's hf_hub_download reads. It answers `GET
/api/models?search=` with those of its list whose id contains the words, the most downloaded first, `limit` of them and
the address of the next page, each with the fields that `expand` names: so it is in public recordings of the hub.
"""

import contextlib
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

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


def listed(model_id: str, downloads: int, *tags: str, **fields: Any) -> dict[str, Any]:
    """What the hub lists of a model; ``fields`` are such as ``safetensors``, ``gguf`` and ``gated``."""
    found = {"_id": "6" * 24, "id": model_id, "downloads": downloads, "tags": list(tags), "gated": False}
    return found | {"pipeline_tag": "text-generation", "lastModified": "2026-05-04T08:00:00.000Z"} | fields


class ModelHub(ThreadingHTTPServer):
    """``models`` are what is there, by id and revision; ``configs`` are the configurations, by id;
    ``files`` are other files, by id and path; ``list`` is what can be searched; ``refusal`` is an error code for all.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models: dict[tuple[str, str], Any] = {}
        self.configs: dict[str, Any] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        self.list: Any = []
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
        if urlsplit(self.path).path == "/api/models" and not hub.refusal:
            return self._search()
        path = urlsplit(self.path).path.removeprefix("/api/models/")
        model_id, _, revision = path.partition("/revision/")
        if hub.refusal:
            return self._reply(hub.refusal[0], {"error": "no"}, hub.refusal[1])
        if (model_id, unquote(revision)) in hub.models:
            return self._reply(200, hub.models[model_id, unquote(revision)])
        known = any(model_id == key[0] for key in hub.models)
        return self._reply(404, {"error": "no"}, "RevisionNotFound" if known else "RepoNotFound")

    def _search(self) -> None:
        hub, query = self.server, parse_qs(urlsplit(self.path).query)
        if not isinstance(hub.list, list):
            self._reply(200, hub.list)
            return
        words, fields = query["search"][0].lower(), {"_id", "id", *query.get("expand", ())}
        found = [m for m in hub.list if not isinstance(m, dict) or words in str(m.get("id", "")).lower()]
        found.sort(key=lambda m: m.get("downloads", 0) if isinstance(m, dict) else 0, reverse=True)
        limit = int(query["limit"][0])
        shown = [{k: v for k, v in m.items() if k in fields} if isinstance(m, dict) else m for m in found[:limit]]
        self._reply(200, shown, link=f'<{hub.url}{self.path}&cursor=x>; rel="next"' if len(found) > limit else "")

    def _reply(self, status: int, body: Any, code: str = "", commit: str = "", link: str = "") -> None:
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
        if link:
            self.send_header("Link", link)
        if commit:
            self.send_header("X-Repo-Commit", commit)
            # Files of large-file storage are known by their SHA-256, others by git's digest.
            digest = hashlib.sha256(text) if self.path.endswith(".safetensors") else hashlib.sha1(text)
            self.send_header("ETag", f'"{digest.hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(text)


QWEN_8B, QWEN_8B_GGUF, LLAMA_8B = "Qwen/Qwen3-8B", "unsloth/Qwen3-8B-GGUF", "meta-llama/Llama-3.1-8B-Instruct"


def fill_hub(hub: ModelHub) -> None:
    """Let ``hub`` have models to search for: in safetensors, in GGUF files, gated, and one of another task."""
    count = 8_190_735_360
    hub.list = [
        listed("someone/qwen3-draft", 12),
        listed(QWEN_8B, 4_812_345, "license:apache-2.0", safetensors={"parameters": {"BF16": count}, "total": count}),
        listed(
            QWEN_8B_GGUF,
            123_456,
            "gguf",
            "license:apache-2.0",
            gguf={"total": count, "architecture": "qwen3", "context_length": 40960, "chat_template": "{{ x }}"},
        ),
        listed(LLAMA_8B, 6_900_123, "license:llama3.1", gated="manual"),
        listed("Qwen/Qwen3-Embedding-8B", 900_000, "license:apache-2.0", pipeline_tag="feature-extraction"),
    ]
    hub.models[QWEN_8B, "main"] = model(FIRST, ("model.safetensors", 16_381_470_720), ("config.json", 726), BF16=count)
    hub.configs[QWEN_8B] = QWEN_CONFIG | {"num_hidden_layers": 36, "hidden_size": 4096, "num_attention_heads": 32}
    hub.models[QWEN_8B_GGUF, "main"] = model(
        SECOND,
        ("Qwen3-8B-Q8_0.gguf", 8_709_518_112),
        ("Qwen3-8B-Q4_K_M.gguf", 5_027_783_488),
        ("BF16/Qwen3-8B-BF16-00001-of-00002.gguf", 8_000_000_000),
        ("mmproj-F16.gguf", 800_000_000),
        ("README.md", 10),
    )
    hub.models[LLAMA_8B, "main"] = model(
        FIRST, ("model.safetensors", 16_060_556_376), licence="llama3.1", gated="manual"
    )
