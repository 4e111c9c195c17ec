"""Two whole services over one database."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.server import Server


@pytest.fixture
def make_two(database: Any, make_server: Callable[..., Server]) -> Callable[..., tuple[Server, Server]]:
    """Start them with the same settings: `make_two(ACCESS_TOKEN_SECONDS=1)`."""

    def make(**settings: str | int | bool) -> tuple[Server, Server]:
        chosen = {"DATABASE_URL": database.url, "RATE_LIMITS": False, **settings}
        return make_server(**chosen), make_server(**chosen)

    return make


@pytest.fixture
def servers(make_two: Callable[..., tuple[Server, Server]]) -> tuple[Server, Server]:
    """Two of them with the settings of most tests."""
    return make_two()
