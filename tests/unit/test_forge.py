"""Unit (pure): where a forge lets people open a pull request, and where it shows a commit. Answers of forges to a push
are as their own documentation and code word them; none was asked.
"""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.program.forge import Remote, commit_page, offered_page, parse_remote, pull_request_page

BRANCH = "airunway/dev-chat-1a2b3c4d"


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/org/models.git",
        "https://github.com/org/models/",
        "https://user:secret@github.com/org/models.git",
        "https://x-access-token:secret@github.com:443/org/models",
        "git@github.com:org/models.git",
        "github.com:org/models",
        "ssh://git@github.com/org/models.git",
        "ssh://git@github.com:22/org/models.git",
        "git+ssh://git@GitHub.com/org/models.git",
    ],
)
def test_every_form_of_an_address_is_the_same_repository(address: str) -> None:
    assert parse_remote(address) == Remote("github.com", "org/models")


@pytest.mark.parametrize(
    "address",
    ["", "/srv/models.git", "../models", "file:///srv/models.git", "https://", "https://[::1", "ftp://host/x", "host:"],
)
def test_a_folder_or_no_address_is_no_repository_on_a_host(address: str) -> None:
    assert parse_remote(address) is None
    assert pull_request_page(address, BRANCH, "main") is None


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("git@github.com:org/models.git", f"https://github.com/org/models/compare/main...{BRANCH}?expand=1"),
        (
            "git@github.example.com:org/models.git",
            f"https://github.example.com/org/models/compare/main...{BRANCH}?expand=1",
        ),
        (
            "https://gitlab.com/group/sub/models.git",
            "https://gitlab.com/group/sub/models/-/merge_requests/new?merge_request%5Bsource_branch%5D="
            f"{BRANCH}&merge_request%5Btarget_branch%5D=main",
        ),
        (
            "git@bitbucket.org:team/models.git",
            f"https://bitbucket.org/team/models/pull-requests/new?source={BRANCH}&dest=main",
        ),
        ("https://codeberg.org/org/models.git", f"https://codeberg.org/org/models/compare/main...{BRANCH}"),
        (
            "ssh://git@gitea.example.com:2222/org/models",
            f"https://gitea.example.com/org/models/compare/main...{BRANCH}",
        ),
        (
            "git@ssh.dev.azure.com:v3/org/project/models",
            f"https://dev.azure.com/org/project/_git/models/pullrequestcreate?sourceRef={BRANCH}&targetRef=main",
        ),
        (
            "https://org@dev.azure.com/org/project/_git/models",
            f"https://dev.azure.com/org/project/_git/models/pullrequestcreate?sourceRef={BRANCH}&targetRef=main",
        ),
    ],
)
def test_a_known_forge_has_a_page(address: str, page: str) -> None:
    assert pull_request_page(address, BRANCH, "main") == page


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("git@github.com:org/models.git", "https://github.com/org/models/commit/0a1b"),
        ("https://gitlab.com/group/sub/models.git", "https://gitlab.com/group/sub/models/-/commit/0a1b"),
        ("git@bitbucket.org:team/models.git", "https://bitbucket.org/team/models/commits/0a1b"),
        ("https://codeberg.org/org/models.git", "https://codeberg.org/org/models/commit/0a1b"),
        ("git@ssh.dev.azure.com:v3/org/project/models", "https://dev.azure.com/org/project/_git/models/commit/0a1b"),
        ("https://org@dev.azure.com/org/a%20b/_git/c%20d", "https://dev.azure.com/org/a%20b/_git/c%20d/commit/0a1b"),
        ("git@ssh.dev.azure.com:v3/org/a%20b/c%20d", "https://dev.azure.com/org/a%20b/_git/c%20d/commit/0a1b"),
        ("git@git.example.com:org/models.git", None),
        ("/srv/models.git", None),
    ],
)
def test_a_commit_has_a_page_on_a_known_forge(address: str, page: str | None) -> None:
    assert commit_page(address, "0a1b") == page


def test_without_a_base_the_forge_takes_its_own_where_it_can() -> None:
    assert pull_request_page("github.com:o/m", BRANCH, None) == f"https://github.com/o/m/compare/{BRANCH}?expand=1"
    assert pull_request_page("codeberg.org:o/m", BRANCH, None) is None


@pytest.mark.parametrize(
    "address", ["git@git.example.com:org/m.git", "https://notgithub.com/o/m", "git@mygitlab.net:o/m"]
)
def test_an_unknown_forge_has_none(address: str) -> None:
    assert pull_request_page(address, BRANCH, "main") is None


@given(
    st.sampled_from(["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "dev.azure.com"]),
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/"), min_size=1, max_size=12),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12),
)
def test_the_page_is_on_the_forge_whatever_names_are(host: str, owner: str, base: str) -> None:
    page = pull_request_page(f"https://{host}/{owner}/models", BRANCH, base)
    if page is not None:
        assert urlsplit(page).scheme == "https"
        assert urlsplit(page).netloc == host
        assert page.isascii()
        assert not set(page) & set(" <>\"'\\")


@pytest.mark.parametrize(
    ("said", "page"),
    [
        (
            "remote: \nremote: Create a pull request for 'x' on GitHub by visiting:        \n"
            "remote:      https://github.com/o/m/pull/new/x        \nremote: \nTo github.com:o/m.git\n",
            "https://github.com/o/m/pull/new/x",
        ),
        (
            "remote: \nremote: To create a merge request for x, visit:\n"
            "remote:   https://gitlab.example.com/o/m/-/merge_requests/new?merge_request%5Bsource_branch%5D=x\n",
            "https://gitlab.example.com/o/m/-/merge_requests/new?merge_request%5Bsource_branch%5D=x",
        ),
        (
            "remote: Create pull request for x:\nremote:   https://bitbucket.org/o/m/pull-requests/new?source=x&t=1\n",
            "https://bitbucket.org/o/m/pull-requests/new?source=x&t=1",
        ),
        (
            "remote: Create a new pull request for 'x':\nremote:   https://codeberg.org/o/m/compare/main...x\n",
            "https://codeberg.org/o/m/compare/main...x",
        ),
        ("To github.com:o/m.git\n * [new branch] x -> x\n", None),
        ("remote: see https://example.com/status for news\n", None),
        ("a pull request: https://example.com/x\n", None),
        ("remote: a pull request: javascript:alert(1)\n", None),
        ("", None),
    ],
)
def test_the_page_that_a_forge_offers_is_taken(said: str, page: str | None) -> None:
    assert offered_page(said) == page
