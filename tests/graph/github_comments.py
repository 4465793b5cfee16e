"""Stands in for GitHub's REST API, for comments of a pull request.

It does what docs.github.com says of comments of issues, version 2022-11-28: pages by the header Link, 403 for a job's
token that asks for its user, 404 for what a token may not see.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT, TOKEN = "github-actions[bot]", "ghs_only_the_header_has_this"


class GitHub(ThreadingHTTPServer):
    """Comments of pull request 7 of org/models, two to a page."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.login: str | None = None
        self.refusal: int | None = None
        self.text: bytes | None = None
        self.pieces: Callable[[], Iterator[bytes]] | None = None
        self.encoding = self.next_page = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, login: str, body: str) -> dict[str, Any]:
        number = max((c["id"] for c in self.comments), default=0) + 1
        url = f"https://github.example/org/models/pull/7#issuecomment-{number}"
        self.comments.append({"id": number, "user": {"login": login}, "body": body, "html_url": url})
        return self.comments[-1]


class Handler(BaseHTTPRequestHandler):
    server: GitHub

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self) -> None:
        github = self.server
        github.requests.append(f"{self.command} {self.path}")
        if github.text is not None:
            return self.reply(200, github.text)
        if github.pieces is not None:
            return self.stream(github.pieces())
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.reply(401, {"message": "Bad credentials"})
        if github.refusal and self.command != "GET":
            return self.reply(github.refusal, {"message": "Resource not accessible by integration"})
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length))["body"] if length else ""
        one = re.fullmatch(r"/repos/org/models/issues/comments/(\d+)", self.path)
        if self.path == "/user":
            mine = github.login
            return self.reply(200, {"login": mine}) if mine else self.reply(403, {"message": "not accessible"})
        if one and self.command in ("PATCH", "DELETE"):
            (comment,) = [c for c in github.comments if c["id"] == int(one[1])]
            if self.command == "DELETE":
                github.comments.remove(comment)
                return self.reply(204, b"")
            comment["body"] = body
            return self.reply(200, comment)
        if self.path.startswith("/repos/org/models/issues/7/comments"):
            if self.command == "POST":
                return self.reply(201, github.add(github.login or BOT, body))
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
            more = f"{github.url}/repos/org/models/issues/7/comments?per_page=100&page={page + 1}"
            link = f'<{more}>; rel="next", <{more}>; rel="last"' if page * 2 < len(github.comments) else ""
            return self.reply(200, github.comments[page * 2 - 2 : page * 2], github.next_page or link)
        return self.reply(404, {"message": "Not Found"})

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  what http.server calls

    def stream(self, pieces: Iterator[bytes]) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has had enough
            for piece in pieces:
                self.wfile.write(piece)

    def reply(self, status: int, body: Any, link: str = "") -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if self.server.encoding:
            self.send_header("Content-Encoding", self.server.encoding)
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(text)
