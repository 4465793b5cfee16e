"""What MkDocs makes of links from docs/ to files elsewhere in the project: it publishes them too, below project/.

GitHub shows the pages as they are, so their links are the paths of the project.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")
_OUTSIDE = "project/"
_PAGES = ("README.md", "CONTRIBUTING.md", "BENCHMARKS.md")


def on_files(files: Any, config: Any) -> Any:
    """Add the files outside docs/ that a page links to."""
    from mkdocs.structure.files import File

    root = Path(config["config_file_path"]).parent
    pages = [*(root / name for name in _PAGES), *sorted((root / "docs").rglob("*.md"))]
    linked = {target for page in pages for target in _targets(page.relative_to(root).as_posix(), page.read_text())}
    for name in sorted(linked | set(_PAGES)):
        if _published(name).startswith(_OUTSIDE) and (root / name).is_file():
            files.append(File.generated(config, _published(name), abs_src_path=str(root / name)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let the links of a page lead to where the files are published."""
    source = page.file.src_uri
    folder = posixpath.dirname(source)
    origin = source.removeprefix(_OUTSIDE) if source.startswith(_OUTSIDE) else f"docs/{source}"
    return _LINK.sub(lambda link: posixpath.relpath(_published(_target(origin, link[1])), folder or "."), markdown)


def _targets(origin: str, markdown: str) -> list[str]:
    return [_target(origin, link) for link in _LINK.findall(markdown)]


def _target(origin: str, link: str) -> str:
    """The path in the project that a link of the file ``origin`` leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))


def _published(name: str) -> str:
    """The path in the site of a file of the project; MkDocs publishes none whose name begins with a dot."""
    return name.removeprefix("docs/") if name.startswith("docs/") else _OUTSIDE + name.lstrip(".")
