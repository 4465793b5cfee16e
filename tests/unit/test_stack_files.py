"""Tier 1 (pure): the stacks, the schema and the project file that we ship agree with the models."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from airunway.cli.schema import deployments_schema, schema_text, stack_schema
from airunway.planning.settings import SECRET_SETTINGS, StackSettings

ROOT = Path(__file__).parents[2]
STACKS = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))


@pytest.mark.parametrize(("name", "schema"), [("stack", stack_schema()), ("deployments", deployments_schema())])
def test_a_schema_is_one_and_current(name: str, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert (ROOT / "stacks" / f"{name}.schema.json").read_text() == schema_text(schema), "`make schema` rewrites it"


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


@pytest.mark.parametrize("path", STACKS, ids=lambda p: p.name)
def test_the_entries_of_a_stack_are_valid_as_a_deployment_file_too(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text())["config"]["airunway:deployments"], deployments_schema())


@pytest.mark.parametrize(
    "entries",
    [{}, {"airunway:deployments": []}, ["a"], [{"name": "a"}], [{"name": "a", "model": {"id": "x"}, "engine": {"type": "vlm"}}]],
)
def test_the_schema_of_deployment_files_refuses_what_the_program_refuses(entries: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(entries, deployments_schema())


def test_the_schema_knows_the_files_of_a_stack() -> None:
    config = {"airunway:deploymentFiles": ["deployments/*.yaml"], "airunway:manifests": ["models/**/*.yaml"]}
    jsonschema.validate({"config": config}, stack_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {"airunway:deploymentFiles": "deployments/*.yaml"}}, stack_schema())


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
