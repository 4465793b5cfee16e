"""The console's pages without a socket, as a browser asks for them, and the projects that are edited by them."""

import asyncio
import html
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from airunway.console.app import Console
from airunway.console.project import Project
from airunway.console.security import Guard, cookie_of
from tests.graph.projects import write_project

HOST = "127.0.0.1:1234"
COOKIE = cookie_of(HOST)


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Console(Project(write_project(tmp_path, [{"name": "one", "model": {"id": "org/m"}}])), "own").app([HOST])


class Browser:
    """Requests as a browser sends them to the console, its cookie kept.

    ``raises`` lets a page's exceptions through, which the server would print.
    """

    def __init__(self, guard: Guard, *, admitted: bool = True, raises: bool = True) -> None:
        self.guard, self.raises = guard, raises
        self.cookies: dict[str, str] = {}
        if admitted:
            result = re.match(
                rf"{COOKIE}=([^;]+); HttpOnly; Path=/; SameSite=strict",
                self.get(f"/?token={guard.token}").headers["set-cookie"],
            )
            assert result
            self.cookies = {COOKIE: result[1]}

    def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, content: Any = None
    ) -> httpx.Response:
        async def act() -> httpx.Response:
            transport = httpx.ASGITransport(self.guard, raise_app_exceptions=self.raises)
            async with httpx.AsyncClient(
                transport=transport, base_url=f"http://{HOST}", cookies=self.cookies
            ) as client:
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(act())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.send("GET", path, headers)

    def post(self, path: str, form: dict[str, str], origin: str | None = f"http://{HOST}") -> httpx.Response:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Origin": origin} if origin else {})
        return self.send("POST", path, headers, str(httpx.QueryParams(form)))


FILED = """# yaml-language-server: $schema=../stacks/deployments.schema.json
# The chat models.

- name: chat   # the first
  model:
    id: org/chat
- name: other
  model: {id: org/other}
"""


@pytest.fixture
def filed(guard: Guard, tmp_path: Path) -> Path:
    """The project, whose stack has two deployment files and a manifest too."""
    (tmp_path / "deployments").mkdir()
    (tmp_path / "deployments" / "chat.yaml").write_text(FILED)
    (tmp_path / "deployments" / "none.yaml").write_text("# Nothing yet.\n[]\n")
    document = {
        "apiVersion": "airunway.ai/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "manifest"},
        "spec": {},
    }
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(document | {"spec": {"model": {"id": "org/m"}}}))
    (tmp_path / "stacks" / "Pulumi.own.yaml").write_text(
        "# Kept.\nconfig:\n  airunway:cluster: {context: x}\n  airunway:deploymentFiles: [deployments/*.yaml]\n"
        "  airunway:manifests: [manifest.yaml]\n  airunway:deployments:\n    - name: one\n      model: {id: org/m}\n"
    )
    return tmp_path


def hidden(page: httpx.Response) -> dict[str, str]:
    """What the page of a review sends when it is saved."""
    assert page.status_code in (200, 409), page.text
    return {key: html.unescape(value) for key, value in re.findall(r'name="(change|read)" value="([^"]*)"', page.text)}


def texts(project: Path) -> dict[str, str]:
    return {str(path.relative_to(project)): path.read_text() for path in sorted(project.glob("*/*.yaml"))}
