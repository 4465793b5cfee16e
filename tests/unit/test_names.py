"""Unit (pure): names that are made from other texts are DNS labels, stable, and told apart where the texts are."""

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airunway.text.names import digest, dns_label

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")
letters = st.text("abc019-", min_size=1, max_size=80)
anything = st.text(max_size=80)
limits = st.integers(12, 70)


@given(st.lists(anything, min_size=1, max_size=3).filter(lambda parts: any(parts)), limits)
def test_whatever_the_parts_the_name_is_a_dns_label_within_its_limit(parts: list[str], limit: int) -> None:
    name = dns_label(*parts, limit=limit)
    assert LABEL.match(name), name
    assert len(name) <= limit


@given(anything.filter(bool), anything.filter(bool), limits)
def test_two_texts_have_two_names(one: str, other: str, limit: int) -> None:
    assert (dns_label(one, limit=limit) == dns_label(other, limit=limit)) == (one == other)


@given(letters.filter(lambda text: LABEL.match(text)), limits)
def test_what_is_a_label_already_keeps_its_name(text: str, limit: int) -> None:
    assert (dns_label(text, limit=limit) == text) == (len(text) <= limit)
    assert dns_label(dns_label(text, limit=limit), limit=limit) == dns_label(text, limit=limit)


@pytest.mark.parametrize(
    ("parts", "start"),
    [
        (("Org/Model_7B",), "org-model-7b-"),
        (("a", "", "b"), "a--b"),
        (("--x--",), "x-"),
        (("ÄÖÜ",), ""),
        (("/",), ""),
        (("a" * 100,), "a" * 54 + "-"),
        (("a" * 53 + "-" * 20,), "a" * 53 + "-"),
        (("İ",), "i-"),
    ],
)
def test_what_is_replaced_or_cut_is_told_apart_by_a_hash(parts: tuple[str, ...], start: str) -> None:
    name = dns_label(*parts)
    assert name.startswith(start)
    assert LABEL.match(name)
    assert name == "-".join(parts) or name.endswith(digest("-".join(parts)))


def test_a_name_is_the_same_in_every_process() -> None:
    code = (
        "from airunway.text.names import digest, dns_label; print(dns_label('Org/M', 'x' * 99), digest({'b': [1, None],"
        " 'a': 'ä'}))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
            cwd=".",
        ).stdout
        for seed in ("1", "2")
    }
    assert runs == {f"{dns_label('Org/M', 'x' * 99)} {digest({'a': 'ä', 'b': [1, None]})}\n"}


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3)), st.randoms(), st.integers(1, 64))
def test_a_digest_is_of_the_data_and_not_of_its_order(data: dict[str, int | str], random: object, length: int) -> None:
    items = list(data.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    assert digest(dict(items), length) == digest(data, length)
    assert re.fullmatch(f"[0-9a-f]{{{length}}}", digest(data, length))
    assert digest([data]) != digest(data)
