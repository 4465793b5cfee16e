"""One browser for all pages, in a tier of its own: the default tests need nothing beyond Python and git."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import launched


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started
