"""SIGTERM amid sign-ins and registrations: what was begun is answered, nothing is half done, and it ends in time."""

import re
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psutil
import pytest
import requests
from sqlalchemy import create_engine, text

from tests.support.components import listens, wait_until
from tests.support.json_client import PASSWORD, JsonClient
from tests.support.server import Server
from tests.support.traffic import Traffic, going_on

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
MakeServer = Callable[..., Server]
MEMBER = "marin@brest.test"
# The web server and the mail worker have 20 s each to finish; here nothing lasts so long.
MOST_SECONDS = 15


@pytest.fixture
def server(database: Any, make_server: MakeServer) -> Server:
    """A running service with one member."""
    server = make_server(DATABASE_URL=database.url, RATE_LIMITS=False)
    person = ("create-user", "--region", "bretagne", "--mail", MEMBER, "--prenom", "A", "--nom", "B")
    temporary = re.search(r"^[a-z0-9]{8,16}$", server.command(*person), re.MULTILINE)
    assert temporary is not None
    JsonClient(server.url).sign_in_first_time(MEMBER, temporary[0], PASSWORD)
    return server


def check_that_nothing_is_half_done(database: Any, told: list[str]) -> None:
    """Whoever was told so, and nobody else, has an account, one mail with its link and one audit line."""
    engine = create_engine(database.url)
    with engine.connect() as connection:
        run = connection.scalars
        accounts = run(text("SELECT mail FROM \"user\" WHERE status = 'unconfirmed'")).all()
        mails = run(text("SELECT recipient FROM outbox_mail WHERE template = 'user/confirm'")).all()
        lines = run(
            text("SELECT u.mail FROM audit_line a JOIN \"user\" u ON u.id = a.subject WHERE a.event = 'user.created'"
                 " AND u.status = 'unconfirmed'")
        ).all()  # fmt: skip
    engine.dispose()
    assert sorted(accounts) == sorted(mails) == sorted(lines)
    assert sorted(set(told)) == sorted(told) and set(told) == set(accounts)


def test_what_was_begun_before_the_signal_is_answered_and_the_processes_end(database: Any, server: Server) -> None:
    stopping = threading.Event()
    statuses: list[int] = []
    told: list[str] = []
    faults: list[str] = []
    amid = [0]

    def go_on(ask: Callable[[], tuple[requests.Response, str]]) -> None:
        while True:
            begun_before = not stopping.is_set()
            try:
                answer, mail = ask()
            except requests.ConnectionError as error:
                # Once asked to stop it takes no new connection.
                if begun_before and "refused" not in str(error):
                    faults.append(str(error))
                return
            amid[0] += begun_before and stopping.is_set()
            statuses.append(answer.status_code)
            if answer.status_code == 201:
                told.append(mail)

    numbers = iter(range(10_000))

    def register() -> tuple[requests.Response, str]:
        mail = f"applicant{next(numbers)}@brest.test"
        return JsonClient(server.url).ask_for_account(mail), mail

    def sign_in() -> tuple[requests.Response, str]:
        return JsonClient(server.url).call("POST", "/auth", {"login": MEMBER, "password": PASSWORD}), MEMBER

    people = [threading.Thread(target=go_on, args=(act,)) for act in (register, register, sign_in, sign_in)]
    for person in people:
        person.start()
    wait_until(lambda: len(told) >= 4 and statuses.count(200) >= 4, seconds=40, what="some answers")
    below = psutil.Process(server.child.process.pid).children(recursive=True)
    stopping.set()
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < MOST_SECONDS
    for person in people:
        person.join(40)
    assert faults == [] and set(statuses) == {200, 201}
    assert amid[0] >= 1, "nothing was in flight"
    assert not any(process.is_running() for process in below) and not listens(server.port)
    check_that_nothing_is_half_done(database, told)


def test_clients_that_ask_again_notice_a_restart_by_its_length_alone(database: Any, server: Server) -> None:
    traffic = Traffic(server.url, patient=True)
    member = partial(traffic.member, MEMBER, PASSWORD, "tablette")
    with going_on(traffic, traffic.applicant, traffic.applicant, member):
        for restart in range(2):
            known = len(traffic.registered)
            wait_until(lambda known=known: len(traffic.registered) >= known + 3, seconds=40, what="registrations")
            server.stop()
            if restart == 0:
                time.sleep(1)
            server.restart()
        known = len(traffic.registered)
        wait_until(lambda: len(traffic.registered) >= known + 3, seconds=40, what="registrations after it")
    assert traffic.faults == []
    check_that_nothing_is_half_done(database, traffic.registered)
