"""Sixteen at once, through two services over one database: the database decides, nobody sees a 500."""

from collections import Counter
from typing import Any

import pytest

from tests.support.crowd import AT_ONCE, all_at_once, count
from tests.support.json_client import PASSWORD, JsonClient, wait_for_link
from tests.support.server import Server

ADMIN_PASSWORD = "moulin orage boussole 3 tiroirs"
pytestmark = [pytest.mark.timeout(180)]


def test_sixteen_identical_registrations_make_one_account_and_one_live_link(
    database: Any, servers: tuple[Server, Server]
) -> None:
    clients = [JsonClient(servers[number % 2].url) for number in range(AT_ONCE)]
    captchas = [client.captcha("create_user") for client in clients]
    answers = all_at_once(
        [
            lambda client=client, captcha=captcha: client.ask_for_account("a.b@brest.test", captcha=captcha)
            for client, captcha in zip(clients, captchas, strict=True)
        ]
    )
    assert Counter(answer.status_code for answer in answers) == {201: AT_ONCE}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    assert count(database, "SELECT count(*) FROM \"user\" WHERE mail_canonical = 'a.b@brest.test'") == 1
    live = "SELECT count(*) FROM mail_link WHERE used_at IS NULL AND superseded_at IS NULL"
    assert count(database, live) == 1


def test_sixteen_activations_make_one_change_and_one_mail(database: Any, servers: tuple[Server, Server]) -> None:
    # Only the later of two starts printed a temporary password that still lives.
    first = servers[1].first_admin()
    admin = JsonClient(servers[0].url, first["region"])
    admin.sign_in_first_time(first["mail"], first["temporary password"], ADMIN_PASSWORD)
    person = JsonClient(servers[1].url, first["region"])
    assert person.ask_for_account("a.b@brest.test").status_code == 201
    token = wait_for_link(servers[1].url, "a.b@brest.test", "confirmer")
    assert person.call("POST", "/user/confirm", {"token": token, "password": PASSWORD}).status_code == 204
    user = admin.call("GET", "/admin/users?status=awaiting").json()["users"][0]
    other = JsonClient(servers[1].url, first["region"])
    other.token = admin.token
    calls = [
        lambda client=(admin, other)[number % 2]: client.call("POST", f"/admin/users/{user['id']}/activate", {})
        for number in range(AT_ONCE)
    ]
    answers = all_at_once(calls)
    assert Counter(answer.status_code for answer in answers) == {200: AT_ONCE}, [answer.text for answer in answers]
    assert count(database, "SELECT count(*) FROM outbox_mail WHERE template = 'admin/activated'") == 1
    assert count(database, "SELECT count(*) FROM audit_line WHERE event = 'user.activated'") == 1


def test_activate_against_refuse_leaves_one_decision_and_one_mail(
    database: Any, servers: tuple[Server, Server]
) -> None:
    first = servers[1].first_admin()
    admin = JsonClient(servers[0].url, first["region"])
    admin.sign_in_first_time(first["mail"], first["temporary password"], ADMIN_PASSWORD)
    person = JsonClient(servers[1].url, first["region"])
    assert person.ask_for_account("a.b@brest.test").status_code == 201
    token = wait_for_link(servers[1].url, "a.b@brest.test", "confirmer")
    assert person.call("POST", "/user/confirm", {"token": token, "password": PASSWORD}).status_code == 204
    user = admin.call("GET", "/admin/users?status=awaiting").json()["users"][0]
    other = JsonClient(servers[1].url, first["region"])
    other.token = admin.token
    path = f"/admin/users/{user['id']}"
    refusals = [lambda: other.call("POST", path + "/refuse", {"reason": "Inconnu de nos services."})] * (AT_ONCE // 2)
    activations = [lambda: admin.call("POST", path + "/activate", {})] * (AT_ONCE // 2)
    answers = all_at_once([call for pair in zip(refusals, activations, strict=True) for call in pair])
    assert {answer.status_code for answer in answers} <= {200, 409}, [answer.text for answer in answers]
    state = admin.call("GET", path).json()["user"]["status"]
    assert state in ("active", "refused")
    decided = count(database, "SELECT count(*) FROM outbox_mail WHERE template IN ('admin/activated', 'admin/refused')")
    # A refusal that came first may be followed by an activation (refused → active is allowed), never the reverse.
    assert decided == (
        1
        if state == "refused"
        else count(database, "SELECT count(*) FROM audit_line WHERE event IN ('user.activated', 'user.refused')")
    )
