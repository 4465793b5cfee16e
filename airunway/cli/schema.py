"""JSON Schemas of stack files and deployment files, for editors."""

import json
from collections.abc import Mapping
from typing import Any

from airunway.planning.settings import SECRET_SETTINGS, DeploymentEntry, StackSettings

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def stack_schema() -> dict[str, Any]:
    """The schema of ``stacks/Pulumi.STACK.yaml``, made from the models that validate it."""
    settings = StackSettings.model_json_schema(by_alias=True)
    entry = DeploymentEntry.model_json_schema(by_alias=True)
    definitions = settings.pop("$defs", {}) | entry.pop("$defs", {}) | {"Deployment": entry}
    properties = {f"airunway:{key}": value for key, value in settings["properties"].items()}
    properties["airunway:deployments"]["items"] = {"$ref": "#/$defs/Deployment"}
    for key in SECRET_SETTINGS:
        properties[f"airunway:{key}"] = {
            "description": f"Secret; set it with `pulumi config set --secret airunway:{key}`.",
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
    """The schema of a file that ``airunway:deploymentFiles`` names: entries as in a stack file."""
    entry = DeploymentEntry.model_json_schema(by_alias=True)
    definitions = entry.pop("$defs", {}) | {"Deployment": entry}
    items = {"$ref": "#/$defs/Deployment"}
    return {"$schema": _DRAFT, "title": "airunway deployments", "type": "array", "items": items, "$defs": definitions}


def schema_text(schema: Mapping[str, Any]) -> str:
    """A schema as it is kept in ``stacks``."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
