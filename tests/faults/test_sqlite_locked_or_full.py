"""The embedded database is held by another process, or its disk is full: a 503, never a 500, and back by itself."""

import resource
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.components import wait_until
from tests.support.json_client import JsonClient
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
MAIL = "a.b@brest.test"


def file_of(server: Server) -> Path:
    """The file of the service's database."""
    return Path(server.environ["TERRISTORY_DATABASE_URL"].removeprefix("sqlite:///"))


def test_a_database_locked_by_another_process_is_a_503_while_reads_go_on(make_server: Callable[..., Server]) -> None:
    server = make_server(RATE_LIMITS=False)
    person = JsonClient(server.url)
    captcha = person.captcha("create_user")
    with closing(sqlite3.connect(file_of(server), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        refused = person.ask_for_account(MAIL, captcha=captcha)
        assert time.monotonic() - began < 10
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert requests.get(server.url + "/api/regions", timeout=5).status_code == 200
        other.execute("ROLLBACK")
        assert other.execute("SELECT count(*) FROM \"user\" WHERE role <> 'admin'").fetchone() == (0,)
    assert person.ask_for_account(MAIL, captcha=captcha).status_code == 201


def test_a_full_disk_refuses_requests_and_damages_nothing(make_server: Callable[..., Server]) -> None:
    server = make_server(RATE_LIMITS=False)
    person = JsonClient(server.url)
    captcha = person.captcha("create_user")
    workers = psutil.Process(server.child.process.pid).children(recursive=True)
    # No file of the service can grow beyond what it has: to a process that is what a full disk looks like.
    most = Path(f"{file_of(server)}-wal").stat().st_size
    for worker in workers:
        worker.rlimit(psutil.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    # The log of a write that came to its end may be used again from its start, so it takes several to fill it.
    statuses = [person.ask_for_account(f"a{number}@brest.test").status_code for number in range(6)]
    assert set(statuses) <= {201, 503} and statuses[-1] == 503, statuses
    refused = person.ask_for_account(MAIL, captcha=captcha)
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
    assert requests.get(server.url + "/livez", timeout=5).status_code == 200
    assert requests.get(server.url + "/api/regions", timeout=5).status_code == 200
    for worker in workers:
        worker.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_until(
        lambda: person.ask_for_account(MAIL, captcha=captcha).status_code == 201, seconds=10, what="taking requests"
    )
    with closing(sqlite3.connect(file_of(server))) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        accounts = database.execute("SELECT count(*) FROM \"user\" WHERE role <> 'admin'").fetchone()
        links = database.execute("SELECT count(*) FROM outbox_mail WHERE template = 'user/confirm'").fetchone()
    assert accounts == links == (statuses.count(201) + 1,)
