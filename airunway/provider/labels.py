"""The labels by which what a stack creates is known."""

from airunway.selection.provider_config import API_GROUPS

GROUP = API_GROUPS[0]
"""Prefix of our own labels."""

MANAGED = {f"{GROUP}/managed-by": "airunway"}
"""Label of everything that a stack creates."""
