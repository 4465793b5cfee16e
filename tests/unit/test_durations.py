"""Unit (pure): durations are those that Go's time.ParseDuration takes too, and mean as many seconds as it says (seen
with Go 1.26).
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from airunway.spec.durations import Duration, is_duration, seconds
from tests.command import run

LONGEST = 2_562_047 * 3600
"""What Go's 63 bits of nanoseconds hold, in whole hours as seconds."""
parts = st.tuples(
    st.none() | st.integers(0, 999_999), st.none() | st.integers(0, 999_999), st.none() | st.integers(0, 999_999_999)
)


def valid_for_a_setting(text: str) -> bool:
    try:
        TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        return False
    return True


@given(parts)
def test_hours_minutes_and_seconds_add_up(numbers: tuple[int | None, ...]) -> None:
    text = "".join(f"{number}{unit}" for number, unit in zip(numbers, "hms", strict=True) if number is not None)
    expected = sum((number or 0) * unit for number, unit in zip(numbers, (3600, 60, 1), strict=True))
    assert is_duration(text) == valid_for_a_setting(text) == bool(text)
    if text:
        assert seconds(text) == expected < LONGEST


@given(st.text(st.sampled_from("0123456789hmsHMS.-+ \n٣"), max_size=9))
def test_a_setting_and_an_option_take_the_same_texts(text: str) -> None:
    assert is_duration(text) == valid_for_a_setting(text)
    if is_duration(text):
        assert seconds(text) >= 0
    else:
        with pytest.raises(ValueError, match="is not a duration"):
            seconds(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "1",
        "1d",
        "1.5h",
        "-1h",
        "+1h",
        "1h ",
        " 1h",
        "1h\n",
        "1m1h",
        "1h1h",
        "1H",
        "٣h",
        "1 h",
        "9999999h",
        "9" * 5000 + "s",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    assert not is_duration(text)
    assert not valid_for_a_setting(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", 0),
        ("00h", 0),
        ("90s", 90),
        ("20m", 1200),
        ("45m", 2700),
        ("1h", 3600),
        ("1h0m1s", 3601),
        ("1h30m", 5400),
        ("1h30m5s", 5405),
        ("2h", 7200),
    ],
)
def test_what_is_one_is_counted(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["soon", "", "9" * 5000 + "h", "1h\n", "1e3s"])
def test_an_option_that_is_none_is_wrong_usage(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "wait", "--stack", "dev", "--timeout", text) == 2
    output = capsys.readouterr().err
    assert "90s, 45m or 1h30m" in " ".join(output.replace("│", " ").split())
    assert len(output) < 3000
