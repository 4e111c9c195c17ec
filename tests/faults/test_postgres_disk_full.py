"""The disk of PostgreSQL's tables is full: a 503, nothing half done, and back by itself once there is room."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.support.components import wait_until
from tests.support.json_client import JsonClient
from tests.support.postgres import Postgres
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.postgresql, pytest.mark.timeout(180)]
MAIL = "a.b@brest.test"


@pytest.fixture
def small_disk(own_postgres: Postgres) -> Iterator[Path]:
    """A disk of 48 MB that belongs to PostgreSQL."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = own_postgres.folder / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "none", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"this machine lets nobody mount a disk: {mounted.stderr.strip()}")
    try:
        tables = folder / "tables"
        tables.mkdir()
        shutil.chown(tables, own_postgres.folder.owner(), own_postgres.folder.group())
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill_up(balloon: Path) -> None:
    """Write until the disk is full; raises OSError then."""
    with balloon.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def test_a_full_disk_refuses_requests_and_damages_nothing(
    own_postgres: Postgres, small_disk: Path, make_server: Callable[..., Server]
) -> None:
    with own_postgres.connect() as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{small_disk / 'tables'}'")  # type: ignore[call-overload]
        connection.execute("CREATE DATABASE served TABLESPACE small TEMPLATE template0")
    server = make_server(DATABASE_URL=own_postgres.url("served"), RATE_LIMITS=False)
    person = JsonClient(server.url)
    captcha = person.captcha("create_user")
    balloon = small_disk / "balloon"
    with pytest.raises(OSError, match="No space"):
        fill_up(balloon)
    # The pages that the tables have already take some rows more.
    statuses = []
    while statuses[-1:] != [503] and len(statuses) < 200:
        statuses.append(person.ask_for_account(f"a{len(statuses)}@brest.test").status_code)
    assert set(statuses) <= {201, 503} and statuses[-1] == 503, statuses
    assert requests.get(server.url + "/livez", timeout=5).status_code == 200
    assert requests.get(server.url + "/api/regions", timeout=10).status_code == 200
    # No page of a row that is written may be left: the next request may still find room.
    refused = [person.ask_for_account(f"b{number}@brest.test") for number in range(3)]
    for answer in refused:
        assert answer.status_code in (201, 503)
        assert answer.status_code == 201 or int(answer.headers["Retry-After"]) > 0

    balloon.unlink()
    wait_until(
        lambda: person.ask_for_account(MAIL, captcha=captcha).status_code == 201, seconds=10, what="taking requests"
    )
    told = statuses.count(201) + sum(answer.status_code == 201 for answer in refused) + 1
    with own_postgres.connect("served") as connection:
        for statement in (
            "SELECT count(*) FROM \"user\" WHERE status = 'unconfirmed'",
            "SELECT count(*) FROM outbox_mail WHERE template = 'user/confirm'",
            'SELECT count(DISTINCT subject) FROM audit_line a JOIN "user" u ON u.id = a.subject'
            " WHERE event = 'user.created' AND u.status = 'unconfirmed'",
        ):
            assert connection.execute(statement).fetchone() == (told,), statement  # type: ignore[call-overload]
