"""One browser for all pages, in a tier of its own: the default tests need nothing beyond Python and git."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import launched
from tests.pages.console_tab import all_tests_hub, hub, served, shown, tab

__all__ = ["all_tests_hub", "browser", "hub", "served", "shown", "tab"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started
