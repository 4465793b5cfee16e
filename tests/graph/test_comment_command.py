"""Graph (command line, recorder and git; GitHub's REST API stood in for): `airunway comment` on a pull request."""

import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airunway.cli import github_answers
from airunway.cli.pull_requests import PullRequest, connected, write_comments
from airunway.text.problems import InputError
from tests.command import run
from tests.graph import changes
from tests.graph.github_comments import BOT, TOKEN, GitHub
from tests.graph.projects import ROOT


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stacks, of which one has changed since the last commit."""
    root = tmp_path_factory.mktemp("project")
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, root / name)
    for name in ("airunway", "components", "providers"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "stacks").mkdir()
    config = changes.base()
    for stack in ("dev", "prod"):
        changes.write(root, stack, config)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "base"]):
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", "-C", str(root), *identity, *command], check=True)
    changes.engine(config)
    changes.write(root, "prod", config)
    return root


def comment(monkeypatch: pytest.MonkeyPatch, project: Path, *more: str) -> int:
    return run(monkeypatch, "comment", "7", "--cwd", str(project), *more)


def write(**texts: str | None) -> None:
    """Comment without the previews, which take a second."""
    with connected(os.environ) as client:
        write_comments(PullRequest(client, "org/models", 7), texts)


def refused(action: Callable[[], Any]) -> str:
    with pytest.raises(InputError) as error:
        action()
    (problem,) = error.value.problems
    return str(problem)


def test_each_stack_that_changes_gets_a_comment_which_the_next_run_changes(
    github: GitHub, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert comment(monkeypatch, project) == 0
    assert "prod: created https://github.example/org/models/pull/7#issuecomment-1" in capsys.readouterr().out
    (mine,) = github.comments
    assert "sglang on dynamo" in mine["body"]
    mine["body"] = mine["body"].replace("sglang", "vllm")
    assert comment(monkeypatch, project, "--stack", "prod") == 0
    assert "prod: updated https://github.example/org/models/pull/7#issuecomment-1" in capsys.readouterr().out
    assert "sglang on dynamo" in mine["body"]


def test_the_comment_is_found_on_any_page_among_those_of_others(github: GitHub) -> None:
    others = [github.add("someone", "Looks good"), github.add(BOT, "#### Pulumi: preview of prod"), github.add(BOT, "")]
    before = json.dumps(others)
    write(prod="one", dev=None)
    github.add("someone", github.comments[3]["body"])
    github.requests.clear()
    write(prod="one", dev=None)
    assert {r.split()[0] for r in github.requests} == {"GET"}, "nothing to write"
    write(prod="two", dev=None)
    github.add(BOT, github.comments[3]["body"])
    write(prod="three", dev=None)
    assert [c["user"]["login"] for c in github.comments] == ["someone", BOT, BOT, BOT, "someone"]
    assert "three" in github.comments[3]["body"]
    assert json.dumps(github.comments[:3]) == before


def test_a_token_of_a_person_finds_the_comments_of_that_person(github: GitHub) -> None:
    github.login = "engineer"
    write(prod="one")
    write(prod="two")
    assert [c["user"]["login"] for c in github.comments] == ["engineer"]


@pytest.mark.parametrize(
    ("environment", "arguments", "output"),
    [
        ({"GITHUB_TOKEN": ""}, (), "GITHUB_TOKEN: required"),
        ({"GITHUB_TOKEN": "ghs_an\nother"}, (), "GITHUB_TOKEN: required"),
        ({"GITHUB_REPOSITORY": ""}, (), "--repository: '' given, must be OWNER/NAME"),
        ({}, ("--repository", "org/models/../x"), "must be OWNER/NAME"),
        ({"GITHUB_API_URL": "http://[::1"}, (), "GITHUB_API_URL: 'http://[::1' given"),
        ({"GITHUB_API_URL": "github.example"}, (), "GITHUB_API_URL: 'github.example' given"),
        ({}, ("--against", "nowhere"), "nowhere"),
        ({}, ("--stack", "prd"), "did you mean 'prod'?"),
    ],
    ids=str,
)
def test_wrong_input_is_told_in_a_line(
    environment: dict[str, str],
    arguments: tuple[str, ...],
    output: str,
    github: GitHub,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert comment(monkeypatch, project, *arguments) == 1
    error = capsys.readouterr().err
    assert output in error
    assert len(error.splitlines()) == 2, error
    assert "ghs_" not in error
    assert github.requests == []


def test_what_github_refuses_is_told_with_the_way_out(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    github.refusal = 403
    assert "403 Resource not accessible by integration; the job needs `permissions: pull-requests: write`" in refused(
        lambda: write(prod="one")
    )
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_expired")
    assert refused(lambda: write(prod="one")).endswith("401 Bad credentials; is GITHUB_TOKEN still valid?")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with connected(os.environ) as client:
        missing = PullRequest(client, "org/models", 8)
        assert "404 Not Found; is there such a pull request" in refused(lambda: write_comments(missing, {}))
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    assert "http://127.0.0.1:1 can't be reached" in refused(lambda: write(prod="one"))


@pytest.mark.parametrize(
    ("variable", "value", "output"),
    [
        ("SSL_CERT_FILE", "nowhere.pem", "SSL_CERT_FILE: has no certificates that can be read: No such file"),
        ("SSL_CERT_DIR", "nowhere", ""),
        ("HTTPS_PROXY", "a b", ""),
        ("ALL_PROXY", "ftp://a", "HTTPS_PROXY: only http and https proxies are supported"),
        ("HTTPS_PROXY", "socks5://a", "HTTPS_PROXY: only http and https proxies are supported"),
    ],
)
def test_a_way_to_github_that_is_none_is_told(variable: str, value: str, output: str) -> None:
    environment = {"GITHUB_TOKEN": "t", "GITHUB_API_URL": "https://github.example"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable, value)
        if output:
            assert refused(lambda: connected(environment)).startswith(output)
        else:
            connected(environment).close()


@pytest.mark.parametrize(
    "text", [b"<html>", b"[" * 100_000, b"{}", b"[{}]", b"[null]", b'[{"id": 1, "user": 5, "body": 5}]']
)
def test_what_does_not_answer_as_github_does_is_told(text: bytes, github: GitHub) -> None:
    github.text = text
    assert "does not answer as GitHub does" in refused(lambda: write(prod="one"))


def test_an_answer_without_end_is_read_up_to_a_limit(github: GitHub) -> None:
    github.pieces = lambda: itertools.repeat(b" " * 2**20)
    assert "its answer has more than 67,108,864 bytes, the most that is read" in refused(lambda: write(prod="one"))


def test_an_answer_that_trickles_is_read_for_a_while(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece comes well within the time for one."""

    def trickle() -> Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield b" "

    github.pieces = trickle
    monkeypatch.setattr(github_answers, "MAX_SECONDS", 0.5)
    started = time.monotonic()
    assert "its answer does not end within" in refused(lambda: write(prod="one"))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("encoding", ["gzip", "br", "gzip, gzip", "identity, gzip"])
def test_a_packed_answer_is_not_unpacked(github: GitHub, encoding: str) -> None:
    github.text, github.encoding = b"x", encoding
    assert "its answer has the encoding" in refused(lambda: write(prod="one"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/next", "//elsewhere.example/next", "https://elsewhere.example"])
def test_another_server_does_not_get_the_token(github: GitHub, url: str) -> None:
    github.next_page = f'<{url}>; rel="next"'
    assert "does not answer as GitHub does" in refused(lambda: write(prod="one"))
    assert github.requests == ["GET /user", "GET /repos/org/models/issues/7/comments?per_page=100"]
