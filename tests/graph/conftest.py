"""Fixtures of this tier."""

from tests.chromium import browser

__all__ = ["browser"]
