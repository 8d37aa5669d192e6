"""What several test files use."""

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from servers import Server, free_port, started

REPOSITORY = Path(__file__).parents[2]
DYNALITE = REPOSITORY / "tests/dynalite/node_modules/dynalite/cli.js"


@pytest.fixture
def shop() -> Path:
    """The sample export of the README."""
    return REPOSITORY / "tests/data/exports/shop"


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    """moto's server: DynamoDB and S3, exports and imports too."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with started(command, port) as server:
        yield server


@pytest.fixture(scope="session")
def dynalite() -> Iterator[Server]:
    """npm's dynalite, which refuses what DynamoDB refuses, in DynamoDB's words."""
    assert DYNALITE.exists(), "run scripts/setup-python.sh first"
    port = free_port()
    command = ["node", str(DYNALITE), "--host", "127.0.0.1", "--port", str(port)]
    with started([*command, "--createTableMs", "0"], port) as server:
        yield server


@pytest.fixture(params=["moto", "dynalite"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the servers."""
    return request.getfixturevalue(request.param)


_TABLES = count()


@pytest.fixture
def name() -> str:
    """A table's name that no other test has."""
    return f"Table_{next(_TABLES)}"
