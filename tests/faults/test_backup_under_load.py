"""A backup while people register and sign in, and a restore of it on an empty server."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text, update

from terristory.user.models import User
from tests.support.components import wait_until
from tests.support.environment import service_environment
from tests.support.json_client import PASSWORD, JsonClient
from tests.support.server import Server, one_command
from tests.support.traffic import Traffic, going_on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
MEMBER, FORGETFUL, LEAVING = "marin@brest.test", "anne@brest.test", "loic@brest.test"


@pytest.fixture
def empty_database(database: Any, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of another database of the same kind, with nothing in it."""
    if database.name == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    url: str = request.getfixturevalue("postgres_server").create_database("empty")
    return url


def rows(url: str, statement: str) -> list[Any]:
    """What a statement finds."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = list(connection.scalars(text(statement)))
    engine.dispose()
    return found


def let_the_days_of_a_closing_account_pass(url: str, mail: str) -> None:
    """Have an account closed by its owner nine days ago."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            update(User).where(User.mail == mail).values(closing_at=datetime.now(UTC) - timedelta(days=9))
        )
    engine.dispose()


def add_account(server: Server, mail: str) -> str:
    """Make an active account and return its temporary password."""
    person = ("create-user", "--region", "bretagne", "--mail", mail, "--prenom", "A", "--nom", "B")
    temporary = re.search(r"^[a-z0-9]{8,16}$", server.command(*person), re.MULTILINE)
    assert temporary is not None
    return temporary[0]


def test_a_backup_amid_the_work_restores_to_a_whole_state_with_nothing_open(
    database: Any, empty_database: str, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server(DATABASE_URL=database.url, RATE_LIMITS=False)
    for mail in (MEMBER, LEAVING):
        JsonClient(server.url).sign_in_first_time(mail, add_account(server, mail), PASSWORD)
    temporary = add_account(server, FORGETFUL)
    open_before = JsonClient(server.url).sign_in(MEMBER, PASSWORD, device="tablette")
    let_the_days_of_a_closing_account_pass(database.url, LEAVING)

    file = tmp_path / "backup"
    traffic = Traffic(server.url)
    member = partial(traffic.member, MEMBER, PASSWORD, "ordinateur")
    with going_on(traffic, traffic.applicant, traffic.applicant, member):
        wait_until(lambda: len(traffic.registered) >= 5, seconds=40, what="some registrations")
        before = list(traffic.registered)
        began = time.monotonic()
        server.command("backup", str(file))
        lasted = time.monotonic() - began
        known = len(traffic.registered)
        wait_until(lambda: len(traffic.registered) >= known + 2, seconds=40, what="registrations after it")
    assert traffic.faults == [] and lasted < 40
    server.stop()

    environ = service_environment(DATABASE_URL=empty_database, RATE_LIMITS=False)
    restored = one_command(environ, "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    # The account that was closing was kept for these days, which are over.
    assert rows(empty_database, "SELECT mail FROM \"user\" WHERE mail = 'loic@brest.test'") == []
    other = make_server(DATABASE_URL=empty_database, RATE_LIMITS=False)

    accounts = rows(empty_database, "SELECT mail FROM \"user\" WHERE mail LIKE 'applicant%'")
    assert set(before) <= set(accounts) and len(accounts) == len(set(accounts))
    mailed = rows(empty_database, "SELECT recipient FROM outbox_mail WHERE template = 'user/confirm'")
    created = rows(
        empty_database,
        'SELECT u.mail FROM audit_line a JOIN "user" u ON u.id = a.subject'
        " WHERE a.event = 'user.created' AND u.mail LIKE 'applicant%'",
    )
    assert sorted(accounts) == sorted(mailed) == sorted(created)
    assert rows(empty_database, "SELECT count(*) FROM session WHERE ended_at IS NULL") == [0]

    person = JsonClient(other.url)
    refresh = {"refresh_token": open_before["refresh_token"]}
    assert person.call("POST", "/auth/refresh", refresh).status_code == 401
    person.token = open_before["access_token"]
    assert person.call("GET", "/auth/me").status_code == 401
    person.token = None
    refused = person.call("POST", "/auth", {"login": FORGETFUL, "password": temporary})
    assert refused.status_code == 401
    person.sign_in(MEMBER, PASSWORD)
    assert person.ask_for_account("later@brest.test").status_code == 201
