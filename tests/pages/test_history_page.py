"""Pages (real Chromium, a console in a process of its own, real git): the history on a deployment's page as a person
looks at it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import NEEDS_CHROMIUM, console, new_context
from tests.graph.entry_repository import EntryRepository, entry
from tests.graph.projects import copy_program
from tests.graph.test_branch import git
from tests.pages.console_tab import DESKTOP, PHONE
from tests.pages.test_console_pages import serious

pytestmark = NEEDS_CHROMIUM

HEAD = "config:\n  airunway:cluster: {context: nowhere}\n  airunway:deployments:\n"
LONG = "Split it, as " + "x" * 120 + " ran out of memory"


@pytest.fixture(scope="module")
def history(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page of a deployment with a commit on a known forge, another one, and a change that is not committed."""
    root = tmp_path_factory.mktemp("history")
    repository = EntryRepository(root, "stacks/Pulumi.own.yaml").begin()
    copy_program(root)
    with pytest.MonkeyPatch.context() as patched:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patched.setenv(name, "")  # which commits set, put back after them
        for replicas, subject in ((1, "Serve it"), (2, LONG), (3, "")):
            written = entry("chat", replicas, resources="{gpu: {count: 1}}", annotations=f"{{note: {'y' * 90}}}")
            repository.write(HEAD + "".join(f"    {line}\n" for line in written.splitlines()))
            if subject:
                repository.commit(subject)
    git(root, "remote", "add", "origin", "git@github.com:team/models.git")
    git(root, "update-ref", "refs/remotes/origin/main", "HEAD~1")
    with console(root) as url, new_context(browser, viewport=DESKTOP) as context:
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda said: page.problems.append(said.text) if said.type in ("error", "warning") else None)
        page.goto(url)
        page.goto(f"{url.split('?')[0]}deployments/chat")
        page.wait_for_selector(".history")
        yield page


@pytest.fixture
def page(history: Any) -> Any:
    history.emulate_media(color_scheme="light")
    history.set_viewport_size(DESKTOP)
    for opened in history.locator(".history details").all():
        opened.evaluate("element => { element.open = false }")
    return history


def test_what_is_not_committed_comes_first_and_each_change_unfolds_by_keyboard(page: Any) -> None:
    rows = page.locator(".history > li")
    assert [row.locator(".mark").inner_text() for row in rows.all()] == ["Not committed yet", LONG, "Serve it"]
    first = rows.first
    assert not first.locator("pre").is_visible()
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    first.locator("pre").wait_for(state="visible")
    assert first.locator(".removed").inner_text().strip() == "-   scaling: {replicas: 2}"
    assert first.locator(".added").inner_text().strip() == "+   scaling: {replicas: 3}"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "PRE"
    assert page.problems == []


def test_only_a_commit_on_the_remote_is_linked(page: Any) -> None:
    (link,) = page.locator(".history a").all()
    assert link.get_attribute("href").startswith("https://github.com/team/models/commit/")
    assert page.locator(".history > li:has(a)").locator(".mark").inner_text() == "Serve it"


@pytest.mark.parametrize("size", [DESKTOP, {"width": 390, "height": 800}, PHONE], ids=lambda size: str(size["width"]))
def test_axe_finds_nothing_serious_in_light_and_dark_and_nothing_is_cut_off(size: dict[str, int], page: Any) -> None:
    page.set_viewport_size(size)
    for folded in page.locator(".history details").all():
        folded.evaluate("element => { element.open = true }")
    found = serious(page, "light")
    page.emulate_media(color_scheme="dark")
    found |= serious(page, "dark", runOnly=["color-contrast"])
    assert found == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    for row in page.locator(".history > li").all():
        box = row.bounding_box()
        assert box["x"] + box["width"] <= size["width"]


def test_a_project_without_a_repository_says_so_in_a_line(browser: Any, tmp_path: Path) -> None:
    (copy_program(tmp_path) / "stacks" / "Pulumi.own.yaml").write_text(
        HEAD + "    - {name: chat, model: {id: org/m}}\n"
    )
    with console(tmp_path) as url, new_context(browser, viewport=DESKTOP) as context:
        opened = context.new_page()
        opened.goto(url)
        opened.goto(f"{url.split('?')[0]}deployments/chat")
        opened.wait_for_selector("text=The history is not read: Pulumi.own.yaml: is in no git repository")
