"""Unit (pure): JSON of others is read no deeper than the program can follow, wherever it comes from."""

from pathlib import Path

import pytest

from airunway.program.saved_preview import saved_preview
from airunway.program.stack_config import settings_of
from airunway.selection.upstream_keys import hoist_annotations
from airunway.text.json_reading import MAX_LEVELS, read_json
from airunway.text.problems import InputError

DEEP = ["[" * 100_000, "[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500]


def test_json_is_read_down_to_the_last_level_that_is_valid() -> None:
    text = "[" * MAX_LEVELS + "1" + "]" * MAX_LEVELS
    value = read_json(text)
    for _ in range(MAX_LEVELS):
        (value,) = value
    assert value == 1
    with pytest.raises(ValueError, match=rf"^nested deeper than {MAX_LEVELS} levels$"):
        read_json(f"[{text}]")


@pytest.mark.parametrize("text", DEEP, ids=("open", "lists", "maps"))
def test_json_that_is_too_deep_is_refused_wherever_it_stands(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"deployments: .* given, must be a list"):
        settings_of({"airunway:deployments": text}, tmp_path)
    (tmp_path / "saved.json").write_text(text)
    with pytest.raises(InputError, match=r"saved\.json: is not a saved preview: nested deeper"):
        saved_preview(tmp_path / "saved.json")
    document = {"metadata": {"annotations": {"airunway.ai/installation": text, "kubeairunway.ai/installation": text}}}
    with pytest.raises(ValueError, match="is not JSON: nested deeper"):
        hoist_annotations(document)
