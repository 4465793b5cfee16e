"""Unit (pure, ruamel.yaml): comments of ``models.lock.yaml`` stay with what they stand above."""

import random

import pytest

from airunway.assessment.model_lock import LockedModel
from airunway.planning.locked_models import parse_lock
from airunway.program.model_lock_file import lock_text

DIGESTS = {name: f"sha256:{name * 64}" for name in "abc"}
TEXT = f"""\
# Ours.
models:
  # Reviewed by legal.
  org/a: # small
    revision: {"a" * 40}
    files:
    - path: x
      bytes: 1
  # Not reviewed yet.

  org/b:
    revision: {"b" * 40}
# Scanned on Fridays.
images:
  # The old one.
  x/a:1: {DIGESTS["a"]} # see 12
  # The new one.
  x/b:1: {DIGESTS["b"]}
# The end.
"""


def models(text: str = TEXT) -> dict[str, LockedModel]:
    return parse_lock(text).models


def images(text: str = TEXT) -> dict[str, str]:
    return dict(parse_lock(text).images or {})


def test_a_lock_in_which_nothing_changes_is_the_same_text() -> None:
    assert lock_text(TEXT, models(), images()) == TEXT


def test_what_goes_takes_its_own_comment_and_no_other() -> None:
    text = lock_text(TEXT, {"org/b": models()["org/b"]}, {"x/b:1": DIGESTS["b"]})
    kept = ["# Ours.", "# Not reviewed yet.", "# Scanned on Fridays.", "# The new one.", "# The end."]
    assert [line.strip() for line in text.splitlines() if line.strip().startswith("#")] == kept
    assert text.index("# Not reviewed yet.") < text.index("org/b:") < text.index("# Scanned on Fridays.")


def test_what_comes_gets_no_comment_of_others() -> None:
    more = images() | {"x/a:0": DIGESTS["c"], "x/a:2": DIGESTS["c"]}
    lines = lock_text(TEXT, models(), more).splitlines()
    for comment, entry in (("  # The old one.", "  x/a:1:"), ("  # The new one.", "  x/b:1:")):
        assert lines[lines.index(comment) + 1].startswith(entry)
    assert [line.split(": ")[0].strip() for line in lines if line.startswith("  x/")] == [*sorted(more)]


def test_what_moves_keeps_the_comment_beside_it() -> None:
    text = lock_text(TEXT, models(), images() | {"x/a:1": DIGESTS["c"]})
    assert text == TEXT.replace(DIGESTS["a"], DIGESTS["c"])


def test_all_that_goes_leaves_a_lock_that_can_be_read_and_filled_again() -> None:
    empty = lock_text(TEXT, {}, {})
    assert (models(empty), images(empty)) == ({}, {})
    filled = lock_text(empty, models(), images())
    assert (models(filled), images(filled)) == (models(), images())
    assert f"\n  x/b:1: {DIGESTS['b']}\n" in filled


def test_images_alone_leave_models_as_they_are() -> None:
    assert lock_text("", {}, {"x/a:1": DIGESTS["a"]}).splitlines()[-2:] == ["images:", f"  x/a:1: {DIGESTS['a']}"]
    assert lock_text(TEXT, models(), None) == TEXT


@pytest.mark.parametrize("seed", range(200))
def test_whatever_is_commented_an_equal_lock_is_the_same_text(seed: int) -> None:
    chosen = random.Random(seed)

    def comments() -> list[str]:
        return [chosen.choice(["  # a", "# b", "    # c", ""]) for _ in range(chosen.randint(0, 2))]

    def beside() -> str:
        return chosen.choice(["", " # beside"])

    lines: list[str] = []
    for name in ("org/a", "org/b"):
        lines += [*comments(), f"  {name}:{beside()}", f"    revision: {'a' * 40}{beside()}"]
        lines += chosen.choice([[], ["    files:", "    - path: x", f"      bytes: 1{beside()}"]])
    text = "\n".join(["models:", *lines, *comments(), f"images:{beside()}"])
    for name in ("x/a:1", "x/b:1"):
        text += "\n" + "\n".join([*comments(), f"  {name}: {DIGESTS['a']}{beside()}"])
    once = lock_text(text + "\n", models(text), images(text))
    assert lock_text(once, models(text), images(text)) == once
    assert once.count("#") == text.count("#")
