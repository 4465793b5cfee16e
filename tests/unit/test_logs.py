"""Unit (pure; logs as the kubelet of Kubernetes 1.36 sends them): a page shows the end of a log, without credentials
and without what a terminal would act upon.
"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.live.logs import BYTES, LINES, Line, read_log
from airunway.text.terminal import as_last_shown

STAMP = "2026-11-27T08:30:00.123456789Z"
TOKEN = "hf_" + "Ab1" * 12


def texts(*written: str) -> list[str]:
    return [line.text for line in read_log("".join(f"{STAMP} {line}\n" for line in written).encode()).lines]


def test_a_line_has_its_time() -> None:
    (line,) = read_log(f"{STAMP} INFO ready\n".encode()).lines
    assert line == Line("2026-11-27", "08:30:00", "INFO ready")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[1;32mINFO\x1b[0m ready", "INFO ready"),
        ("\x1b]0;title\x07ready", "ready"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("  0%\r 50%\r100%\r", "100%"),
        ("a\u202eb\u200bc\x00d", "abcd"),
        ("\x9b31mred", "red"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_act_upon_is_left_out(written: str, shown: str) -> None:
    assert texts(written) == [shown]


def test_a_credential_is_hidden_also_where_colours_stand_in_it() -> None:
    assert texts(f"token={TOKEN}", f"{TOKEN[:10]}\x1b[0m{TOKEN[10:]}") == ["token=hf_…", "hf_…"]


def test_a_private_key_is_hidden_with_all_its_lines() -> None:
    key = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA", "-----END RSA PRIVATE KEY-----"]
    assert texts("before", *key, "after") == ["before", "-----BEGIN PRIVATE KEY-----…", "after"]
    assert texts(*key[:2]) == ["-----BEGIN PRIVATE KEY-----…"]


def test_more_than_the_limit_is_cut_and_said_and_nothing_is_left_of_the_line_that_is_cut() -> None:
    start = f"{STAMP} first\n{STAMP} ".encode()
    log = read_log(start + (TOKEN[:12] * BYTES).encode())
    assert log.is_cut
    assert [line.text for line in log.lines] == ["first"]


def test_no_more_lines_than_were_asked_for_are_shown() -> None:
    assert len(texts(*map(str, range(LINES + 50)))) == LINES


def test_a_log_without_lines_is_empty() -> None:
    assert read_log(b"").lines == ()


@given(st.binary(max_size=300))
def test_whatever_is_written_is_shown_without_control_characters(content: bytes) -> None:
    for line in read_log(content).lines:
        assert not any(unicodedata.category(c).startswith("C") and c != "\t" for c in line.date + line.time + line.text)


@given(st.text(st.sampled_from("\x1b[]0;m\x07\\a\r\x9b"), max_size=40))
def test_no_half_sequence_is_left_as_a_control_character(line: str) -> None:
    assert as_last_shown(line).isprintable()
