"""Tier 1 (pure): the stacks, the schema and the project file that we ship agree with the models."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cli.schema import stack_schema, stack_schema_text
from providers.stack import SECRET_SETTINGS, StackSettings

ROOT = Path(__file__).parents[2]
STACKS = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))


def test_the_schema_is_current() -> None:
    assert (ROOT / "stacks" / "stack.schema.json").read_text() == stack_schema_text(), "`make schema` rewrites it"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(stack_schema())


@pytest.mark.parametrize("path", STACKS, ids=lambda p: p.name)
def test_a_stack_is_valid_by_the_schema_and_names_it_for_editors(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=stack.schema.json\n")
    jsonschema.validate(yaml.safe_load(text), stack_schema())
    assert yaml.safe_load(text)["config"]["pulumi:disable-default-providers"] == ["kubernetes"]


@pytest.mark.parametrize(
    "config",
    [
        {"airunway:deployment": []},
        {"airunway:deployments": [{"name": "a"}]},
        {"airunway:deployments": [{"name": "a", "model": {"id": "x"}, "engine": {"type": "vlm"}}]},
        {"airunway:huggingFaceToken": "clear"},
    ],
)
def test_the_schema_refuses_what_the_program_refuses(config: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": config}, stack_schema())


def test_the_project_file_declares_every_setting_with_the_same_default_and_a_description() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    fields = {f.alias or name: f for name, f in StackSettings.model_fields.items()}
    assert set(declared) == {f"airunway:{key}" for key in [*fields, *SECRET_SETTINGS]}
    for key, field in fields.items():
        entry = declared[f"airunway:{key}"]
        default = field.get_default()
        default = default.model_dump(exclude_defaults=True) if hasattr(default, "model_dump") else default
        assert entry["default"] == ("" if default is None else default), key
        assert entry["description"]
    # The CLI refuses a declared secret with a plain default: "must be encrypted as it's secret" (3.259.0).
    assert not any("secret" in entry for entry in declared.values())
