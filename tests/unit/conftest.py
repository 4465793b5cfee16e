"""Fixtures of this tier."""

from tests.unit.console_pages import filed, guard

__all__ = ["filed", "guard"]
