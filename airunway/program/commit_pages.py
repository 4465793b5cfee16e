"""The pages of commits on the forge that they were pushed to."""

from collections.abc import Sequence

from airunway.program.branch import push_remote
from airunway.program.forge import commit_page
from airunway.program.git import Git, GitError


def commit_pages(git: Git, commits: Sequence[str]) -> dict[str, str]:
    """The page of each commit, by its id; none for one that is not on the remote, as far as this clone knows."""
    remote = push_remote(git.folder)
    address = git.line("remote", "get-url", remote) if remote and commits else ""
    if not remote or not address or not git.line("for-each-ref", "--count=1", f"refs/remotes/{remote}"):
        return {}
    try:
        elsewhere = set(git("rev-list", *commits, "--not", f"--remotes={remote}").split())
    except GitError:
        return {}
    pages = {commit: commit_page(address, commit) for commit in commits if commit not in elsewhere}
    return {commit: page for commit, page in pages.items() if page}
