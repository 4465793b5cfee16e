"""Unit (pure, and files in a temporary folder): a changed file keeps its line ends, its link and its mode, and
somebody else's change is not overwritten.
"""

import errno
import os
import stat
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


def test_what_is_saved_stays_one_file_under_each_of_its_names(tmp_path: Path) -> None:
    path, other = tmp_path / "stack.yaml", tmp_path / "other.yaml"
    path.write_text("a: long value\n")
    other.hardlink_to(path)
    save(path, "a: 1\n", fingerprint("a: long value\n"))
    assert other.read_text() == "a: 1\n"
    assert path.samefile(other)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_what_is_saved_keeps_its_owner_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text("a: 1\n")
    os.chown(path, 1000, 1001)
    path.chmod(0o2640)
    save(path, "a: 2\n", fingerprint("a: 1\n"))
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1000, 1001, 0o2640)


@pytest.mark.parametrize("refused", ["fchown", "mkstemp"])
def test_an_owner_that_can_not_be_given_is_kept_by_writing_in_place(
    refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(f"airunway.text.atomic_files.{'tempfile' if refused == 'mkstemp' else 'os'}.{refused}", refuse)
    path = tmp_path / "stack.yaml"
    path.write_text("a: long value\n")
    number = path.stat().st_ino
    save(path, "a: 1\n", fingerprint("a: long value\n"))
    assert (path.read_text(), path.stat().st_ino) == ("a: 1\n", number)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("linked", [False, True])
def test_a_disk_that_fails_leaves_the_file_as_it_was(
    linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stack.yaml"
    path.write_text("a: long value\n")
    if linked:
        (tmp_path / "other.yaml").hardlink_to(path)
    failures = [OSError(28, "No space left on device")]
    synced: list[int] = []

    def fail_once(handle: int) -> None:
        if failures:
            raise failures.pop()
        synced.append(handle)

    monkeypatch.setattr("airunway.console.file_edit.os.fsync", fail_once)
    names = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="No space left"):
        save(path, "a: 1\n", fingerprint("a: long value\n"))
    assert path.read_text() == "a: long value\n"
    assert sorted(tmp_path.iterdir()) == names
    synced.clear()
    save(path, "a: 1\n", fingerprint("a: long value\n"))
    assert len(synced) == (1 if linked else 2)  # the file, and the folder that names a new one


def test_a_folder_that_cannot_be_synced_does_not_undo_a_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text("old\n")

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("airunway.console.file_edit.os.fsync", fsync)
    save(path, "new\n", fingerprint("old\n"))
    assert path.read_text() == "new\n"
