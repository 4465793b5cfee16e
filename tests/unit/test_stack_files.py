"""Unit (pure): the stacks, the schema, the project file and the argument types that we ship agree with the models."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from airunway.cli.argument_types import settings_types, spec_types
from airunway.cli.schema import deployments_schema, project_config, project_text, schema_text, stack_schema
from airunway.console.project import STATES
from airunway.console.stack_edit import OFF
from airunway.planning.settings import SECRET_SETTINGS, InstallationMode, StackSettings
from airunway.program.stack_config import settings_of
from airunway.spec.entry import Delivery
from airunway.text.problems import InputError

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
    [
        {},
        {"airunway:deployments": []},
        ["a"],
        [{"name": "a"}],
        [{"name": "a", "model": {"id": "x"}, "engine": {"type": "vlm"}}],
    ],
)
def test_the_schema_of_deployment_files_refuses_what_the_program_refuses(entries: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(entries, deployments_schema())


def test_the_schema_knows_the_files_of_a_stack() -> None:
    config = {"airunway:deploymentFiles": ["deployments/*.yaml"], "airunway:manifests": ["models/**/*.yaml"]}
    jsonschema.validate({"config": config}, stack_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": {"airunway:deploymentFiles": "deployments/*.yaml"}}, stack_schema())


def test_the_project_file_declares_the_settings_as_they_are() -> None:
    text = (ROOT / "Pulumi.yaml").read_text()
    assert project_text(text) == text, "`make schema` rewrites it"
    declared = yaml.safe_load(text)["config"]
    assert set(declared) == {f"airunway:{f.alias or name}" for name, f in StackSettings.model_fields.items()} | {
        f"airunway:{key}" for key in SECRET_SETTINGS
    }
    # The CLI refuses a declared secret with a plain default: "must be encrypted as it's secret" (3.259.0).
    assert not any("secret" in entry for entry in declared.values())


def test_the_defaults_of_the_project_file_say_nothing() -> None:
    config = {key: entry["default"] for key, entry in project_config().items()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    assert settings_of(texts, ROOT)[0] == StackSettings()


@pytest.mark.parametrize("key", project_config())
def test_a_setting_is_described_in_one_wording(key: str) -> None:
    in_editors = stack_schema()["properties"]["config"]["properties"][key]["description"]
    assert project_config()[key]["description"] == in_editors


def test_the_rest_of_a_project_file_stays_as_it_is() -> None:
    head, tail = "# ours\nname: a # b\n\nconfig: # these\n", "\n# behind\nruntime: {name: python}  # as it is\n"
    written = project_text(f"{head}  airunway:gone: 1\n\n  # about it\n  other:b: {{value: 1e3}}\n{tail}")
    assert written.startswith("# ours\nname: a # b\n\nconfig:\n  airunway:cluster:")
    assert written.endswith("  other:b:\n    value: 1000\n# behind\nruntime: {name: python}  # as it is\n")
    assert "airunway:gone" not in written
    assert project_text(written) == written


@pytest.mark.parametrize(
    "text", ["name: a\n", "name: a\nconfig: {airunway:b: 1,\n# inside\n}\n", '"config": {}\nname: a\n']
)
def test_a_project_file_whose_settings_stand_otherwise_is_left_alone(text: str) -> None:
    with pytest.raises(InputError, match=r"Pulumi\.yaml: "):
        project_text(text)


@pytest.mark.parametrize("words", [Delivery, InstallationMode], ids=lambda words: words.__name__)
def test_a_choice_is_described_by_all_its_words(words: type[Delivery] | type[InstallationMode]) -> None:
    definitions = stack_schema()["$defs"] | {"": {"properties": stack_schema()["properties"]["config"]["properties"]}}
    parts = [part for definition in definitions.values() for part in definition.get("properties", {}).values()]
    choices = [part for part in parts if f'"#/$defs/{words.__name__}"' in json.dumps(part)]
    assert len(choices) == 2
    assert all(word in part["description"] for part in choices for word in words)


def test_the_console_offers_every_mode_of_installation() -> None:
    assert set(STATES) == {*InstallationMode, OFF}


def test_code_has_the_words_of_a_choice_by_their_names_only() -> None:
    words = {*map(str, Delivery), *map(str, InstallationMode)}
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "airunway").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in words
    ]
    assert {location.partition(":")[0] for location in bare} == {
        "airunway/planning/settings.py",
        "airunway/spec/entry.py",
    }, bare


@pytest.mark.parametrize(("file", "text"), [("spec_types", spec_types), ("settings_types", settings_types)])
def test_argument_types_are_those_of_the_models(file: str, text: Callable[[], str]) -> None:
    assert (ROOT / "components" / f"{file}.py").read_text() == text(), "`make schema` rewrites them"
