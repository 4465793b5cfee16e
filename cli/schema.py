"""JSON Schema of the stack files, for editors."""

import json
from typing import Any

from providers.stack import SECRET_SETTINGS, DeploymentEntry, StackSettings


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
        "$schema": "https://json-schema.org/draft/2020-12/schema",
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


def stack_schema_text() -> str:
    """The schema as it is kept in ``stacks/stack.schema.json``."""
    return json.dumps(stack_schema(), indent=2, sort_keys=True) + "\n"
