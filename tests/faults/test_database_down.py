"""PostgreSQL goes away and comes back: the service says so, and recovers by itself."""

import time
from collections.abc import Callable

import pytest
import requests

from tests.support.components import wait_until
from tests.support.postgres import Postgres
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]


def get(server: Server, path: str) -> requests.Response:
    """Ask for a path of the service."""
    return requests.get(server.url + path, timeout=30)


def test_a_stopped_database_is_a_503_until_it_returns(
    make_server: Callable[..., Server], own_postgres: Postgres
) -> None:
    server = make_server(DATABASE_URL=own_postgres.create_database("served"))
    assert get(server, "/api/regions").status_code == 200
    own_postgres.kill()

    began = time.monotonic()
    api, page = get(server, "/api/regions"), get(server, "/bretagne/")
    assert time.monotonic() - began < 15
    assert (api.status_code, page.status_code) == (503, 503)
    assert api.headers["Content-Type"] == "application/problem+json" and api.json()["code"] == "unavailable"
    assert int(api.headers["Retry-After"]) > 0 and int(page.headers["Retry-After"]) > 0
    assert page.headers["Content-Type"].startswith("text/html")
    assert get(server, "/livez").status_code == 200
    ready = get(server, "/readyz")
    assert ready.status_code == 503 and ready.json()["database"] == "down"

    own_postgres.start()
    wait_until(lambda: get(server, "/api/regions").status_code == 200, seconds=10, what="recovery")
    assert get(server, "/readyz").status_code == 200
