"""Administrators who decide at the same instant, through two services over one database."""

import time
from collections import Counter
from typing import Any

import pytest
from flask import Flask

from terristory.user.models import Role, Status
from tests.support.crowd import AT_ONCE, all_at_once, count
from tests.support.environment import PASSWORD
from tests.support.json_client import JsonClient
from tests.support.people import an_account
from tests.support.server import Server

ONE, TWO = "une@brest.test", "deux@brest.test"
Two = tuple[Server, Server]
pytestmark = [pytest.mark.timeout(180), pytest.mark.slow]


def signed_in(server: Server, mail: str, token: str | None = None) -> JsonClient:
    client = JsonClient(server.url)
    client.token = token
    if token is None:
        client.sign_in(mail, PASSWORD)
    return client


def test_two_lists_of_decisions_decide_each_account_once(app: Flask, database: Any, servers: Two) -> None:
    an_account(ONE, role=Role.ADMIN)
    an_account(TWO, role=Role.ADMIN)
    ids = [str(an_account(f"someone{number}@brest.test", status=Status.AWAITING)) for number in range(20)]
    admins = [signed_in(servers[0], ONE), signed_in(servers[1], TWO)]
    orders = [ids, list(reversed(ids))]
    answers = all_at_once(
        [
            lambda n=number: admins[n % 2].call(
                "POST", "/admin/users/decisions", {"ids": orders[n % 2], "action": "activate"}
            )
            for number in range(AT_ONCE)
        ]
    )
    assert Counter(answer.status_code for answer in answers) == {200: AT_ONCE}, [answer.text for answer in answers]
    results = Counter((row["id"], row["result"]) for answer in answers for row in answer.json()["results"])
    assert results == {**{(user, "done"): 1 for user in ids}, **{(user, "already"): AT_ONCE - 1 for user in ids}}
    assert count(database, "SELECT count(*) FROM outbox_mail WHERE template = 'admin/activated'") == len(ids)


def test_contrary_lists_leave_each_account_with_the_decisions_that_were_told(
    app: Flask, database: Any, servers: Two
) -> None:
    an_account(ONE, role=Role.ADMIN)
    an_account(TWO, role=Role.ADMIN)
    ids = [str(an_account(f"someone{number}@brest.test", status=Status.AWAITING)) for number in range(20)]
    admins = [signed_in(servers[0], ONE), signed_in(servers[1], TWO)]
    bodies = [
        {"ids": ids, "action": "activate"},
        {"ids": list(reversed(ids)), "action": "refuse", "reason": "Inconnu de nos services."},
    ]
    answers = all_at_once(
        [lambda n=number: admins[n].call("POST", "/admin/users/decisions", bodies[n]) for number in range(2)]
    )
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
    activated, refused = ({row["id"]: row["result"] for row in answer.json()["results"]} for answer in answers)
    # An account refused first may be activated after; one activated first is not to be refused any more.
    assert set(activated.values()) == {"done"}
    assert set(refused.values()) <= {"done", "conflict"}
    assert count(database, "SELECT count(*) FROM \"user\" WHERE status = 'active' AND mail LIKE 'someone%'") == 20
    told = Counter([*activated.values(), *refused.values()])["done"]
    assert count(database, "SELECT count(*) FROM audit_line WHERE event IN ('user.activated', 'user.refused')") == told
    mails = "SELECT count(*) FROM outbox_mail WHERE template IN ('admin/activated', 'admin/refused')"
    assert count(database, mails) == told


def test_a_role_taken_away_counts_at_the_next_request_on_both_services(app: Flask, servers: Two) -> None:
    an_account(ONE, role=Role.ADMIN)
    demoted_id = an_account(TWO, role=Role.ADMIN)
    admin = signed_in(servers[0], ONE)
    first = signed_in(servers[0], TWO)
    users = [signed_in(servers[number % 2], TWO, first.token) for number in range(AT_ONCE - 1)]
    seen: list[tuple[float, int]] = []
    answered: list[float] = []

    def use(client: JsonClient) -> None:
        while not answered or time.monotonic() < answered[0] + 0.5:
            begun = time.monotonic()
            seen.append((begun, client.call("GET", "/admin/users").status_code))

    def demote() -> None:
        time.sleep(0.5)
        try:
            assert admin.call("POST", f"/admin/users/{demoted_id}/role", {"role": "user"}).status_code == 200
        finally:
            answered.append(time.monotonic())

    all_at_once([demote, *(lambda c=client: use(c) for client in users)])
    assert {status for _, status in seen} == {200, 403}
    assert {status for begun, status in seen if begun > answered[0]} == {403}


def test_two_administrators_who_remove_each_other_in_every_way_leave_one(
    app: Flask, database: Any, servers: Two
) -> None:
    ids = {mail: an_account(mail, role=Role.ADMIN) for mail in (ONE, TWO)}
    tokens = {mail: signed_in(servers[0], mail).token for mail in ids}

    def attacks(mail: str, other: str, server: Server) -> list[Any]:
        client = signed_in(server, mail, tokens[mail])
        path = f"/admin/users/{ids[other]}"
        return [
            lambda: client.call("POST", path + "/role", {"role": "user"}),
            lambda: client.call("POST", path + "/disable", {}),
            lambda: client.call("DELETE", "/user", {"password": PASSWORD}),
        ]

    calls = [call for server in servers for pair in ((ONE, TWO), (TWO, ONE)) for call in attacks(*pair, server)]
    answers = all_at_once(calls)
    allowed = {200, 204, 401, 403, 409}
    assert {answer.status_code for answer in answers} <= allowed, [answer.text for answer in answers]
    assert any(answer.status_code in (200, 204) for answer in answers)
    left = "SELECT count(*) FROM \"user\" WHERE status = 'active' AND role = 'admin' AND closing_at IS NULL"
    assert count(database, left) == 1
