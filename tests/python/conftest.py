"""What several test files use."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def shop() -> Path:
    """The sample export of the README."""
    return REPOSITORY / "tests/data/exports/shop"
