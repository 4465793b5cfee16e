"""Labels of the objects that a stack creates."""

from airunway.selection.provider_config import API_GROUPS

GROUP = API_GROUPS[0]
"""Prefix of our labels."""

MANAGED = {f"{GROUP}/managed-by": "airunway"}
"""The label on every object that a stack creates."""
