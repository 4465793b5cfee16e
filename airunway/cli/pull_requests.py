"""`airunway comment`: a pull request's comments on GitHub say what it changes in each stack."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from airunway.cli import github_answers
from airunway.cli.previews import Pair, read_previews
from airunway.live.client_environment import environment_as_input
from airunway.report.compare import compare
from airunway.report.markdown import differences_markdown, problems_markdown
from airunway.report.pull_request_comments import (
    ChangedComment,
    Comment,
    CommentChange,
    NewComment,
    comment_changes,
)
from airunway.text.bounded_streams import AS_IT_IS, UnendingError
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import console, one_line

_MAX_PAGES = 100
_ACTIONS_BOT = "github-actions[bot]"


class PullRequest:
    """The comments of one pull request, by GitHub's REST API (version 2022-11-28)."""

    def __init__(self, client: httpx.Client, repository: str, number: int) -> None:
        self._client = client
        self._issues = f"/repos/{repository}/issues"
        self._number = number

    @property
    def url(self) -> str:
        """Where GitHub's API is."""
        return str(self._client.base_url)

    def author(self) -> str:
        """The account that the token comments as; a job's token may not ask, and is the account of GitHub Actions."""
        response = self._client.get("/user")
        return _ACTIONS_BOT if response.status_code == 403 else str(_json(response)["login"])

    def comments(self) -> Iterator[Comment]:
        """All comments, oldest first."""
        url: str | None = f"{self._issues}/{self._number}/comments?per_page=100"
        for _ in range(_MAX_PAGES):
            if url is None:
                return
            response = self._client.get(url)
            for comment in _json(response):
                yield Comment(comment["id"], (comment["user"] or {}).get("login", ""), comment["body"] or "")
            url = response.links.get("next", {}).get("url")
            if url and self._client.base_url.join(url).netloc != self._client.base_url.netloc:
                raise ValueError("the next page is of another server, which must not get the token")

    def apply(self, change: CommentChange) -> str:
        """Make one change; return what was done."""
        match change:
            case NewComment():
                url = f"{self._issues}/{self._number}/comments"
                return f"created {_json(self._client.post(url, json={'body': change.body}))['html_url']}"
            case ChangedComment():
                url = f"{self._issues}/comments/{change.id}"
                return f"updated {_json(self._client.patch(url, json={'body': change.body}))['html_url']}"
            case _:
                response = self._client.delete(f"{self._issues}/comments/{change.id}")
                if response.status_code != 404:
                    _check(response)
                return "deleted a second comment"


def comment_on_pull_request(
    root: Path, stack: str | None, against: str, number: int, repository: str | None, environment: Mapping[str, str]
) -> bool:
    """Comment on what changes against a revision, each stack in a comment of its own. Raises ``InputError``.

    Return whether something stops an update: what can't be previewed does, and its comment says why.
    """
    with connected(environment) as client:
        pull_request = PullRequest(client, _repository(repository, environment), number)
        said = {name: _comment(name, pair) for name, pair in read_previews(root, stack, against).items()}
        write_comments(pull_request, {name: text for name, (text, _) in said.items()})
    return any(is_stopped for _, is_stopped in said.values())


def _comment(stack: str, pair: Pair | InputError) -> tuple[str | None, bool]:
    """The text of a stack's comment, None if nothing changes, and whether something stops its update."""
    if isinstance(pair, InputError):
        for problem in pair.problems:
            console(stderr=True).print(f"error: {one_line(str(problem))}", markup=False, soft_wrap=True)
        return problems_markdown(stack, pair.problems), True
    difference = compare(*pair)
    is_stopped = bool(difference.assessment.mandatory)
    return differences_markdown([difference]) if difference or is_stopped else None, is_stopped


def write_comments(pull_request: PullRequest, texts: Mapping[str, str | None]) -> None:
    """Make the comments say ``texts``, by stack, and print what was done. Raises ``InputError``."""
    try:
        changes = list(comment_changes(pull_request.comments(), pull_request.author(), texts))
        for change in changes:
            console().print(f"{change.stack}: {pull_request.apply(change)}", markup=False, soft_wrap=True)
    except InputError:
        raise
    except UnendingError as error:
        raise InputError([Problem("GitHub", f"{pull_request.url} does not answer as GitHub does: {error}")]) from error
    except httpx.HTTPError as error:
        message = one_line(str(error)) or type(error).__name__
        raise InputError([Problem("GitHub", f"{pull_request.url} can't be reached: {message}")]) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError([Problem("GitHub", f"{pull_request.url} does not answer as GitHub does")]) from error


def connected(environment: Mapping[str, str]) -> httpx.Client:
    """A client for GitHub's API as the environment of GitHub Actions names it. Raises ``InputError``."""
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN")
    if not token or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise InputError([Problem("GITHUB_TOKEN", "required: a token that may write pull requests' comments")])
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "X-GitHub-Api-Version": "2022-11-28",
        **AS_IT_IS,
    }
    api = environment.get("GITHUB_API_URL") or "https://api.github.com"
    try:
        url = httpx.URL(api)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise InputError([Problem("GITHUB_API_URL", f"{api!r} given, must be a URL such as https://HOST/api/v3")])
    with environment_as_input(httpx.InvalidURL):
        hooks = {"response": [github_answers.bound]}
        return httpx.Client(base_url=url, headers=headers, timeout=30, event_hooks=hooks)


def _repository(repository: str | None, environment: Mapping[str, str]) -> str:
    name = repository or environment.get("GITHUB_REPOSITORY") or ""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name, re.ASCII):
        raise InputError([Problem("--repository", f"{name!r} given, must be OWNER/NAME")])
    return name


def _json(response: httpx.Response) -> Any:
    _check(response)
    return response.json()


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        message = str(response.json()["message"])
    except (KeyError, TypeError, ValueError, RecursionError):
        message = response.reason_phrase
    hint = {
        401: "; is GITHUB_TOKEN still valid?",
        403: "; the job needs `permissions: pull-requests: write`",
        404: "; is there such a pull request, and may the token see it?",
    }.get(response.status_code, "")
    refusal = f"{response.request.method} {response.request.url.path}: {response.status_code} {one_line(message)}{hint}"
    raise InputError([Problem("GitHub", refusal)])
