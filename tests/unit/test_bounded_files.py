"""Unit (files, pipes and devices of the machine): whatever a person names is read or refused at once, in one line."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airunway.cli.streams import read_text as read_option
from airunway.console.file_edit import read_text as read_edited
from airunway.live.api_server.kubeconfig import read_context
from airunway.planning.settings import Cluster
from airunway.program.project_files import read_files
from airunway.program.saved_preview import saved_preview
from airunway.program.stack_file import read_stack
from airunway.text.bounded_files import MAX_TEXT, UnreadableFileError, read_text_file
from airunway.text.problems import InputError
from tests.command import run


def _stack(path: Path) -> Any:
    (path.parent / "Pulumi.yaml").write_text("name: airunway")
    (path.parent / "Pulumi.dev.yaml").symlink_to(path)
    return read_stack(path.parent, "dev")


def _named(path: Path) -> Any:
    _, problems = read_files(path.parent, [str(path)]).select_texts("x", [str(path)])
    raise InputError(problems)


def _kubeconfig(path: Path) -> Any:
    return read_context(Cluster(kubeconfig=str(path), context="x"), path.parent, {})


READERS = {
    "a stack file": _stack,
    "a file that a setting names": _named,
    "a file of an option": lambda path: read_option(str(path)),
    "a saved preview": saved_preview,
    "a kubeconfig": _kubeconfig,
    "a file that the console edits": read_edited,
}


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)


ODD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "pipe": (os.mkfifo, "is not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
    "sparse": (_sparse, r"has more than [0-9,]+ bytes, the most that is read"),
    "folder": (Path.mkdir, "is a folder"),
    "latin": (lambda path: path.write_bytes(b"\xff\xfe"), "is not UTF-8: invalid start byte at byte 0"),
}


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """What waits for a pipe's writer is interrupted, not only found to be slow."""
    signal.setitimer(signal.ITIMER_REAL, 20)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_text_of_a_regular_file_is_refused_at_once(reader: str, kind: str, tmp_path: Path) -> None:
    make, output = ODD[kind]
    make(tmp_path / "odd.yaml")
    with pytest.raises(InputError, match=output) as refused:
        READERS[reader](tmp_path / "odd.yaml")
    assert len(str(refused.value).splitlines()) == 1


def test_what_the_kernel_has_not_yet_is_not_waited_for() -> None:
    with contextlib.suppress(InputError):  # only root may read it
        assert isinstance(read_edited(Path("/proc/kmsg")), str)


def test_a_text_is_read_up_to_the_last_byte_with_its_line_endings(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a\r\n" * 3 + b"x" * (MAX_TEXT - 9))
    assert read_text_file(file) == "a\r\n" * 3 + "x" * (MAX_TEXT - 9)
    with file.open("ab") as more:
        more.write(b"x")
    with pytest.raises(UnreadableFileError, match=rf"has more than {MAX_TEXT:,} bytes"):
        read_text_file(file)


def test_standard_input_is_read_no_further(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "select", "-f", "-", stdin="#" * (MAX_TEXT + 1)) == 1
    assert "error: stdin: has more than 16,777,216 bytes" in capsys.readouterr().err
