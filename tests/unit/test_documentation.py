"""Unit (files of the project): README is short, links lead somewhere, every page is in the site, what is generated is
current, and every example is read.
"""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from airunway.cli.main import app
from airunway.cli.reference import reference
from airunway.cli.schema import deployments_schema, stack_schema

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
TASKS = [page for page in PAGES if page.parent != DOCS / "decisions"]
PROGRAM: Any = typer.main.get_command(app)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^( *)```.*?^\1```", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text: str, *languages: str) -> list[str]:
    """The blocks of code of a page that are in one of the languages."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```", text, flags=re.MULTILINE | re.DOTALL)
    return [
        re.sub(f"^{indent}", "", code, flags=re.MULTILINE) for indent, language, code in found if language in languages
    ]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", prose(page.read_text()), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def broken(page: Path) -> Iterator[str]:
    """The relative links of a page that lead to no file, or to no heading of it."""
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            yield link


def in_nav(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    for inner in entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ():
        yield from in_nav(inner)


def test_the_readme_has_at_most_600_words() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 600


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert list(broken(page)) == []


@pytest.mark.parametrize("link", ["gone.md", "#nowhere", "page.md#nowhere", "../page.md#a-heading"])
def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, link: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        f"# A *heading*\n\n[good](#a-heading) [good](page.md#a-heading) [bad]({link})\n\n```\n# b\n[no](no)\n```\n"
    )
    assert list(broken(page)) == [link]


def test_every_page_is_in_the_navigation_of_the_site_once() -> None:
    listed = list(in_nav(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_the_index_leads_to_every_page_about_a_task() -> None:
    text = (DOCS / "index.md").read_text()
    assert [page.name for page in DOCS.glob("*.md") if page.name != "index.md" and f"]({page.name})" not in text] == []


def test_the_reference_is_current() -> None:
    assert (DOCS / "reference.md").read_text() == reference(), "`make reference` rewrites it"


def test_the_reference_has_every_setting_and_every_command_that_is_shown() -> None:
    text = reference()
    settings = stack_schema()["properties"]["config"]["properties"]
    assert [key for key in settings if f"| `{key}` |" not in text] == []
    shown = [key for key, command in PROGRAM.commands.items() if not command.hidden]
    assert [key for key in shown if f"\n### airunway {key}\n" not in text] == []
    assert "### airunway policy test\n" in text
    assert "### airunway schema" not in text


@pytest.mark.parametrize("page", TASKS, ids=name)
def test_every_command_of_ours_in_an_example_is_one(page: Path) -> None:
    """Its name, options and arguments are read; nothing is run."""
    lines = [line for code in blocks(page.read_text(), "sh") for line in code.splitlines()]
    for line in lines:
        words = shlex.split(line.partition(" > ")[0], comments=True)
        if not words or words[0].rpartition("/")[2] != "airunway":
            continue
        command: Any = PROGRAM
        arguments = words[1:]
        while arguments and arguments[0] in getattr(command, "commands", {}):
            command = command.commands[arguments.pop(0)]
        assert command is not PROGRAM, line
        command.make_context("airunway", arguments)


@pytest.mark.parametrize("page", TASKS, ids=name)
def test_every_target_of_make_in_an_example_is_there(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
    assert [target for target in named if target not in targets] == []


def settings(code: str) -> Any:
    """What a stack file would have of an example, and the schema of it; None where an example is of something else."""
    read = yaml.safe_load(code)
    if isinstance(read, dict) and read.keys() == {"config"}:
        return read
    if isinstance(read, dict) and all(key.startswith("airunway:") for key in read):
        return {"config": read}
    if isinstance(read, dict) and read.keys() == {"overrides"}:
        return {"config": {"airunway:deployments": [{"name": "a", "model": {"id": "a"}, "provider": read}]}}
    if isinstance(read, dict) and read.keys() == {"model"}:
        return {"config": {"airunway:deployments": [{"name": "a", **read}]}}
    of_list = {"model": "deployments", "nodes": "nodePools", "expression": "policies"}
    key = next(key for word, key in of_list.items() if word in read[0])
    return {"config": {f"airunway:{key}": read}}


EXAMPLES = [(page, code) for page in TASKS for code in blocks(page.read_text(), "yaml")]


@pytest.mark.parametrize(("page", "code"), EXAMPLES, ids=[f"{name(p)}-{c.split()[0]}" for p, c in EXAMPLES])
def test_every_example_in_yaml_fits_the_schema_of_stack_files(page: Path, code: str) -> None:
    document = settings(code)
    jsonschema.validate(document, stack_schema())
    if "yaml-language-server: $schema=../stacks/deployments" in code:
        jsonschema.validate(yaml.safe_load(code), deployments_schema())


def test_every_test_that_the_checklists_name_is_there() -> None:
    named = re.findall(r"`(?:tests/\w+/)?(test_\w+\.py)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert len(named) > 20
    assert [test for test in named if not list((ROOT / "tests").glob(f"*/{test}"))] == []


def test_neither_a_preview_nor_a_test_installs_what_builds_the_documentation() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", requirement) for requirement in extras["docs"])
    tools = [requirement.partition("==")[0] for requirement in extras["docs"]]
    for file in ("requirements.txt", "requirements-dev.txt", "components/requirements.txt"):
        text = (ROOT / file).read_text()
        assert [tool for tool in tools if re.search(rf"^{tool}==", text, flags=re.MULTILINE)] == []
    locked = (ROOT / "requirements-docs.txt").read_text()
    assert [requirement for requirement in extras["docs"] if f"\n{requirement} \\\n    --hash=" not in locked] == []


def test_an_option_is_the_same_only_where_an_argument_is_there() -> None:
    commands = (ROOT / "docs" / "reference.md").read_text().split("\n### ")
    same = [command for command in commands if "Same, as an option" in command]
    assert same
    assert [command.splitlines()[0] for command in same if "[STACK]" not in command] == []
