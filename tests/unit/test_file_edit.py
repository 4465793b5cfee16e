"""Unit (pure, and files in a temporary folder): a changed file keeps its line ends, its link and its mode, and
somebody else's change is not overwritten.
"""

from pathlib import Path

import pytest

from airunway.console.file_edit import ConflictError, fingerprint, read_text, save
from airunway.console.stack_edit import with_deployment, with_provider, without_deployment
from tests.unit.edited_files import FILE, NEW, TEXT, changed_lines, entries


def test_a_file_that_somebody_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text("theirs")
    with pytest.raises(ConflictError, match=r"stack\.yaml was changed by someone else"):
        save(path, "ours", fingerprint("before"))
    assert path.read_text() == "theirs"
    path.chmod(0o640)
    save(path, "ours", fingerprint("theirs"))
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("ours", 0o640)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_end_as_they_ended(end: str) -> None:
    """As Windows ends them too, so that no other line of the file changes."""
    for text, file in ((TEXT, None), (FILE, "d.yaml")):
        written = text.replace("\n", end)
        added = with_deployment(written, NEW, file=file)
        assert added == with_deployment(text, NEW, file=file).replace("\n", end)
        assert without_deployment(added, "new", file) == written
        changed = with_deployment(written, {"name": "one", "model": {"id": "a/c"}}, "one", file)
        assert changed == with_deployment(text, {"name": "one", "model": {"id": "a/c"}}, "one", file).replace("\n", end)
        assert len(changed_lines(written, changed)[0]) == 1
    assert with_provider(TEXT.replace("\n", end), "kaito", "off") == with_provider(TEXT, "kaito", "off").replace(
        "\n", end
    )


def test_a_file_whose_lines_end_in_two_ways_is_changed_where_it_has_to_be() -> None:
    text = TEXT.replace("# First.\n", "# First.\r\n")
    added = with_deployment(text, NEW)
    assert changed_lines(text, added)[0] == []
    assert entries(added) == [*entries(TEXT), NEW]


def test_what_is_saved_keeps_its_line_ends_and_its_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    path, link = tmp_path / "real" / "stack.yaml", tmp_path / "stack.yaml"
    path.write_bytes(b"a: 1\r\nb: 2\r\n")
    link.symlink_to(path)
    text = read_text(link)
    assert text == "a: 1\r\nb: 2\r\n"
    save(link, text.replace("1", "3"), fingerprint(text))
    assert path.read_bytes() == b"a: 3\r\nb: 2\r\n"
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["real", "stack.yaml", "stack.yaml"]
