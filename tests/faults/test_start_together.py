"""Several hosts that start at once on one empty database prepare it once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.environment import service_environment
from tests.support.postgres import Postgres
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.postgresql]


def test_three_services_start_at_once_on_an_empty_database(own_postgres: Postgres, tmp_path: Path) -> None:
    environ = service_environment(DATABASE_URL=own_postgres.create_database("shared"))
    with ThreadPoolExecutor(3) as pool:
        servers = list(pool.map(lambda _: Server(tmp_path, environ), range(3)))
    try:
        assert all(server.child.alive for server in servers)
        with own_postgres.connect("shared") as connection:
            assert connection.execute("SELECT count(*) FROM region").fetchone() == (18,)
            admins = connection.execute("SELECT count(*) FROM \"user\" WHERE role = 'admin'").fetchone()
            started = connection.execute("SELECT count(*) FROM audit_line WHERE event = 'service.started'").fetchone()
        assert (admins, started) == ((1,), (3,))
    finally:
        for server in servers:
            server.stop()
