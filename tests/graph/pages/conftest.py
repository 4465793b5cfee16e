"""One browser for all pages."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chromium import launched


# For this folder only: its event loop would be in the way of tests that run one themselves.
@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with launched() as started:
        yield started
