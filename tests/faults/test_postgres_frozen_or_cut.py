"""PostgreSQL falls silent, or breaks a connection off amid a transaction: a 503, nothing half done, then back."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.support.components import wait_until
from tests.support.json_client import JsonClient
from tests.support.postgres import Postgres
from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.postgresql, pytest.mark.timeout(120)]
NEW_PASSWORD = "moulin orage boussole 3 tiroirs"


def timed(server: Server, path: str) -> tuple[requests.Response, float]:
    """Ask for a path; return the answer and the seconds it took."""
    began = time.monotonic()
    return requests.get(server.url + path, timeout=40), time.monotonic() - began


def test_a_frozen_database_is_a_503_within_ten_seconds_and_the_service_recovers(
    make_server: Callable[..., Server], own_postgres: Postgres
) -> None:
    server = make_server(DATABASE_URL=own_postgres.create_database("served"), RATE_LIMITS=False)
    assert timed(server, "/api/regions")[0].status_code == 200
    own_postgres.suspend()
    try:
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda path: timed(server, path), ("/api/regions", "/bretagne/", "/readyz")))
        assert [answer.status_code for answer, _seconds in answers] == [503, 503, 503]
        assert max(seconds for _answer, seconds in answers) < 10
        assert int(answers[0][0].headers["Retry-After"]) > 0 and int(answers[1][0].headers["Retry-After"]) > 0
        alive, seconds = timed(server, "/livez")
        assert alive.status_code == 200 and seconds < 1
    finally:
        own_postgres.resume()
    wait_until(lambda: timed(server, "/api/regions")[0].status_code == 200, seconds=10, what="recovery")
    assert timed(server, "/readyz")[0].status_code == 200


def test_a_request_caught_amid_its_statement_by_a_freeze_ends_in_time_and_leaves_nothing(
    make_server: Callable[..., Server], own_postgres: Postgres
) -> None:
    server = make_server(DATABASE_URL=own_postgres.create_database("served"), RATE_LIMITS=False)
    person = JsonClient(server.url)
    captcha = person.captcha("create_user")
    with ThreadPoolExecutor(1) as pool, own_postgres.connect("served") as holder:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE outbox_mail IN ACCESS EXCLUSIVE MODE")
        asking = pool.submit(person.ask_for_account, "a.b@brest.test", captcha=captcha)
        wait_until(lambda: bool(waiting_backends(own_postgres)), what="a registration that waits for its mail's row")
        own_postgres.suspend()
        began = time.monotonic()
        try:
            answer = asking.result(30)
        finally:
            own_postgres.resume()
        assert answer.status_code == 503 and time.monotonic() - began < 10
        holder.execute("ROLLBACK")
    assert rows(own_postgres, "SELECT count(*) FROM \"user\" WHERE role <> 'admin'") == 0
    wait_until(lambda: not waiting_backends(own_postgres), what="the end of the abandoned transaction")
    assert person.ask_for_account("a.b@brest.test", captcha=captcha).status_code == 201


def test_a_connection_killed_amid_a_registration_leaves_nothing_and_the_same_captcha_serves_again(
    make_server: Callable[..., Server], own_postgres: Postgres
) -> None:
    server = make_server(DATABASE_URL=own_postgres.create_database("served"), RATE_LIMITS=False)
    person = JsonClient(server.url)
    captcha = person.captcha("create_user")
    answer = killed_amid(own_postgres, "outbox_mail", lambda: person.ask_for_account("a.b@brest.test", captcha=captcha))
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert rows(own_postgres, "SELECT count(*) FROM \"user\" WHERE role <> 'admin'") == 0
    assert rows(own_postgres, "SELECT count(*) FROM spent_challenge") == 0
    assert person.ask_for_account("a.b@brest.test", captcha=captcha).status_code == 201
    assert rows(own_postgres, "SELECT count(*) FROM outbox_mail WHERE template = 'user/confirm'") == 1


@pytest.mark.parametrize("device", [None, "tablette"], ids=["stable", "rotating"])
def test_a_connection_killed_amid_a_refresh_burns_no_token(
    make_server: Callable[..., Server], own_postgres: Postgres, device: str | None
) -> None:
    server = make_server(DATABASE_URL=own_postgres.create_database("served"), REFRESH_GRACE_SECONDS=0)
    first = server.first_admin()
    client = JsonClient(server.url, first["region"])
    client.sign_in_first_time(first["mail"], first["temporary password"], NEW_PASSWORD)
    token = client.sign_in(first["mail"], NEW_PASSWORD, **({"device": device} if device else {}))["refresh_token"]

    def refresh() -> requests.Response:
        return client.call("POST", "/auth/refresh", {"refresh_token": token})

    # A session's row is what every refresh writes first; a rotating one writes its tokens after it.
    answer = killed_amid(own_postgres, "refresh_token" if device else "session", refresh, reads_go_on=True)
    assert answer.status_code == 503
    again = refresh()
    assert again.status_code == 200, again.text
    assert rows(own_postgres, "SELECT count(*) FROM audit_line WHERE event = 'auth.refresh_replayed'") == 0


def kill_every_connection(postgres: Postgres) -> int:
    """End all connections of the service, as a restart of the database does; return how many there were."""
    with postgres.connect() as connection:
        found = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'terristory'"
        ).fetchall()
    return len(found)


@pytest.mark.parametrize("rest", [1.2, 0.0], ids=["rested", "at work a moment ago"])
def test_connections_killed_between_two_requests_are_replaced(
    make_server: Callable[..., Server], own_postgres: Postgres, rest: float
) -> None:
    server = make_server(DATABASE_URL=own_postgres.create_database("served"))
    page = f"{server.url}/bretagne/connexion"
    assert {requests.get(page, timeout=30).status_code for _time in range(8)} == {200}
    time.sleep(rest)
    assert kill_every_connection(own_postgres) >= 1
    answers = [requests.get(page, timeout=30) for _time in range(20)]
    refused = [answer for answer in answers if answer.status_code != 200]
    # One that has rested is asked for a sign of life first; of the others the first request to notice says so.
    assert len(refused) <= (0 if rest else 2), [answer.status_code for answer in answers]
    assert all(answer.status_code == 503 and answer.headers["Retry-After"] for answer in refused)


def killed_amid(
    postgres: Postgres, table: str, ask: Callable[[], requests.Response], *, reads_go_on: bool = False
) -> requests.Response:
    """Send a request, stop it where it comes to a table by a lock, have its connection killed; return the answer."""
    mode = "SHARE" if reads_go_on else "ACCESS EXCLUSIVE"
    with ThreadPoolExecutor(1) as pool, postgres.connect("served") as holder:
        holder.execute("BEGIN")
        holder.execute(f"LOCK TABLE {table} IN {mode} MODE")
        asking = pool.submit(ask)
        wait_until(lambda: bool(waiting_backends(postgres)), seconds=5, what="a request that waits for the lock")
        for backend in waiting_backends(postgres):
            with postgres.connect() as other:
                other.execute("SELECT pg_terminate_backend(%s)", (backend,))
        answer = asking.result(30)
        holder.execute("ROLLBACK")
    return answer


def waiting_backends(postgres: Postgres) -> list[int]:
    """Return the service's connections that wait for a lock."""
    with postgres.connect() as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'terristory' AND wait_event_type = 'Lock'"
        )
        return [row[0] for row in found]


def rows(postgres: Postgres, statement: str) -> int:
    """Return the one number that a statement asks for."""
    with postgres.connect("served") as connection:
        row = connection.execute(statement).fetchone()
        assert row is not None
        return int(row[0])
