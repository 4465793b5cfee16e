"""JSON Schemas of stack files and deployment files, and the project file's ``config:``, generated from the models."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from airunway.planning.settings import SECRET_SETTINGS, StackSettings
from airunway.spec.entry import DeploymentEntry
from airunway.text.descriptions import with_one_line_paragraphs
from airunway.text.problems import InputError, Problem
from airunway.text.yaml_reading import StackLoader, read_document
from airunway.text.yaml_writing import to_yaml

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def stack_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``stacks/Pulumi.STACK.yaml``."""
    settings = StackSettings.model_json_schema(by_alias=True)
    entry = DeploymentEntry.model_json_schema(by_alias=True)
    definitions = settings.pop("$defs", {}) | entry.pop("$defs", {}) | {"Deployment": entry}
    properties = {f"airunway:{key}": value for key, value in settings["properties"].items()}
    properties["airunway:deployments"]["items"] = {"$ref": "#/$defs/Deployment"}
    for key in SECRET_SETTINGS:
        properties[f"airunway:{key}"] = {
            "description": _secret_description(key),
            "type": "object",
            "properties": {"secure": {"type": "string"}},
            "required": ["secure"],
            "additionalProperties": False,
        }
    return {
        "$schema": _DRAFT,
        "title": "airunway stack",
        "type": "object",
        "properties": {
            "secretsprovider": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "encryptionsalt": {"type": "string"},
            "environment": {},
            "config": {
                "type": "object",
                "properties": properties,
                "patternProperties": {"^(?!airunway:)[^:]+:": {}},
                "additionalProperties": False,
            },
        },
        "$defs": definitions,
    }


def deployments_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file in ``airunway:deploymentFiles``: a list of entries as in a stack file."""
    entry = DeploymentEntry.model_json_schema(by_alias=True)
    definitions = entry.pop("$defs", {}) | {"Deployment": entry}
    items = {"$ref": "#/$defs/Deployment"}
    return {"$schema": _DRAFT, "title": "airunway deployments", "type": "array", "items": items, "$defs": definitions}


def project_config() -> dict[str, Any]:
    """Return the ``config:`` of ``Pulumi.yaml``: each setting with its type, description and default."""
    schema = StackSettings.model_json_schema(by_alias=True)
    secrets = {
        key: {"type": "string", "description": _secret_description(key), "default": ""} for key in SECRET_SETTINGS
    }
    settings = {field.alias or name: field for name, field in StackSettings.model_fields.items()}
    declarations = {
        key: _declaration(field, schema["properties"][key], schema["$defs"]) for key, field in settings.items()
    }
    return {f"airunway:{key}": entry for key, entry in (declarations | secrets).items()}


def _declaration(field: FieldInfo, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Declare one setting. No default becomes an empty string; without one, the Pulumi CLI requires a value."""
    resolved, default = _resolved(schema, definitions), field.get_default(call_default_factory=True)
    items = {"items": {"type": resolved["items"].get("type", "object")}} if resolved["type"] == "array" else {}
    plain = (
        default.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if isinstance(default, BaseModel)
        else schema["default"]
    )
    return {
        "type": resolved["type"],
        **items,
        "description": field.description,
        "default": "" if plain is None else plain,
    }


_CONFIG_SECTION = re.compile(r"^config:.*\n(?:(?:[ -].*)?\n)*", re.MULTILINE)


def project_text(text: str) -> str:
    """Update the airunway settings in ``config:`` of a ``Pulumi.yaml``, leaving the rest. Raises ``InputError``."""
    project = read_document(text, "Pulumi.yaml", StackLoader)
    others = {key: value for key, value in (project.get("config") or {}).items() if not key.startswith("airunway:")}
    expected = project | {"config": project_config() | others}
    changed = _CONFIG_SECTION.sub(lambda _: to_yaml({"config": expected["config"]}), text)
    if read_document(changed, "Pulumi.yaml", StackLoader) != expected:
        raise InputError(
            [
                Problem(
                    "Pulumi.yaml",
                    "the config: section can't be located; write config: once, at the start of a line",
                )
            ]
        )
    return changed


def _secret_description(key: str) -> str:
    return f"{SECRET_SETTINGS[key]} Set it with `pulumi config set --secret airunway:{key}`."


def _resolved(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Resolve a schema node to its non-null alternative, following ``$ref``."""
    schema = next((option for option in node.get("anyOf", []) if option.get("type") != "null"), node)
    reference = schema.get("$ref", "").rpartition("/")[2]
    return _resolved(definitions[reference], definitions) if reference else schema


def schema_text(schema: Mapping[str, Any]) -> str:
    """Format a schema as it is stored in ``stacks``."""
    return json.dumps(with_one_line_paragraphs(schema), indent=2, sort_keys=True) + "\n"
