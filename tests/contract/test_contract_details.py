"""What clients of the JSON API meet rarely: each cell of the table of decisions, odd bodies, the link back."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests
from sqlalchemy import func, select

from terristory.api.json_body import MOST_JSON_BYTES
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.user.models import Role, Status
from tests.support.environment import PASSWORD, service_environment
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import secrets_of
from tests.support.server import running_server

API = "/api/bretagne"
OTHER = "jeanne@rennes.test"
BODIES = {"refuse": {"reason": "Hors de la région."}, "role": {"role": "admin"}}
STATES = (Status.UNCONFIRMED, Status.AWAITING, Status.ACTIVE, Status.REFUSED, Status.DISABLED)
# Contract, section 1: what each act makes of an account in each of STATES; a code stands for a 409.
TABLE = {
    "activate": ("user_unconfirmed", "active", "active", "active", "user_disabled"),
    "refuse": ("refused", "refused", "user_not_awaiting", "refused", "user_not_awaiting"),
    "disable": ("user_not_active", "user_not_active", "disabled", "user_not_active", "disabled"),
    "enable": ("user_not_disabled", "user_not_disabled", "active", "user_not_disabled", "active"),
    "role": ("user_not_active", "user_not_active", "active", "user_not_active", "user_not_active"),
    "regenerate-password": ("user_not_active", "user_not_active", "active", "user_not_active", "user_not_active"),
    "resend-confirmation": (
        "unconfirmed", "user_not_unconfirmed", "user_not_unconfirmed", "user_not_unconfirmed", "user_not_unconfirmed",
    ),
    "sign-out": ("unconfirmed", "awaiting", "active", "refused", "disabled"),
}  # fmt: skip
CELLS = [(act, state, cell) for act, row in TABLE.items() for state, cell in zip(STATES, row, strict=True)]


@pytest.fixture
def admin(client):
    an_account("admin@brest.test", role=Role.ADMIN)
    return bearer_of(client, "admin@brest.test")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A whole service: how a body arrives is a matter of the server too."""
    folder = tmp_path_factory.mktemp("details")
    environ = service_environment(DATABASE_URL=f"sqlite:///{folder / 'served.sqlite'}", RATE_LIMITS=False)
    with running_server(folder, environ) as server:
        yield server.url


def mails() -> int:
    return db.session.scalar(select(func.count()).select_from(OutboxMail)) or 0


# Decisions.


@pytest.mark.parametrize(("act", "state", "cell"), CELLS)
def test_each_decision_does_in_each_state_what_the_table_says(client, admin, act, state, cell):
    person = an_account("jeanne@brest.test", status=state, password=None if state == Status.UNCONFIRMED else PASSWORD)
    answer = client.post(f"{API}/admin/users/{person}/{act}", json=BODIES.get(act, {}), headers=admin)
    body = answer.get_json()
    if cell in set(Status):
        assert (answer.status_code, body["user"]["status"]) == (200, cell)
        assert body["user"]["active"] == (cell == "active")
    else:
        assert (answer.status_code, body["code"]) == (409, cell)


@pytest.mark.parametrize(
    ("act", "state"),
    [
        ("activate", "awaiting"),
        ("refuse", "awaiting"),
        ("disable", "active"),
        ("enable", "disabled"),
        ("role", "active"),
    ],
)
def test_repeating_a_decision_is_a_200_without_a_second_mail(client, admin, act, state):
    path = f"{API}/admin/users/{an_account('jeanne@brest.test', status=Status(state))}/{act}"
    first = client.post(path, json=BODIES.get(act, {}), headers=admin)
    sent = mails()
    again = client.post(path, json=BODIES.get(act, {}), headers=admin)
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert mails() == sent


@pytest.mark.parametrize("act", TABLE)
def test_no_administrator_decides_on_himself(client, act):
    myself = an_account("admin@brest.test", role=Role.ADMIN)
    admin = bearer_of(client, "admin@brest.test")
    answer = client.post(f"{API}/admin/users/{myself}/{act}", json=BODIES.get(act, {}), headers=admin)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "own_account")


@pytest.mark.parametrize("act", TABLE)
def test_an_account_of_another_region_is_as_unknown_as_none(client, admin, act):
    elsewhere = an_account("jeanne@rouen.test", region="normandie", status=Status.AWAITING)
    told = []
    for person in (elsewhere, uuid4()):
        answer = client.post(f"{API}/admin/users/{person}/{act}", json=BODIES.get(act, {}), headers=admin)
        told.append((answer.status_code, answer.get_json() | {"request_id": ""}))
    assert told[0] == told[1]
    assert told[0][0] == 404


@pytest.mark.parametrize("place", ["users", "audit"])
def test_a_cursor_not_ours_is_named_as_the_field_at_fault(client, admin, place):
    answer = client.get(f"{API}/admin/{place}?after=abc", headers=admin)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_cursor")
    assert list(answer.get_json()["errors"]) == ["after"]


# Bodies.


@pytest.mark.parametrize(("more", "status"), [(0, 401), (1, 413), (5 * MOST_JSON_BYTES, 413)])
def test_a_body_in_chunks_has_the_same_limit_as_one_that_tells_its_length(url, more, status):
    empty = json.dumps({"login": ""})
    body = json.dumps({"login": "a" * (MOST_JSON_BYTES - len(empty) + more)}).encode()
    for sending in (body, iter([body])):
        headers = {"Content-Type": "application/json"}
        answer = requests.post(f"{url}{API}/auth", data=sending, headers=headers, timeout=30)
        assert answer.status_code == status


@pytest.mark.parametrize("path", ["/auth", "/auth/refresh", "/auth/logout", "/user/auth"])
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [("{", "application/json", 400), ("{}", "text/plain", 415), (" " * 20_000, "application/json", 413)],
)
def test_every_sign_in_route_keeps_the_envelope_for_a_body_nobody_can_read(client, path, body, kind, status):
    answer = client.post(API + path, data=body, content_type=kind)
    assert answer.status_code == status
    assert {"exception", "reasons"} <= set(answer.get_json())


# The link back.


def test_the_link_back_to_a_former_address_serves_over_json_too(client):
    person = an_account("jeanne@brest.test")
    bearer = bearer_of(client, "jeanne@brest.test")
    client.post(f"{API}/user/mail", json={"mail": OTHER, "password": PASSWORD}, headers=bearer)
    there = secrets_of("account/confirm_new_address")[-1]
    assert client.post(f"{API}/user/mail/confirm", json=there).status_code == 204
    thief = bearer_of(client, OTHER)
    back = secrets_of("account/address_changed")[-1]
    assert client.post(f"{API}/user/mail/confirm", json=back).status_code == 204
    assert client.get(f"{API}/auth/me", headers=thief).status_code == 401
    assert client.post(f"{API}/auth", json={"login": OTHER, "password": PASSWORD}).status_code == 401
    temporary = secrets_of("password_change/temporary_password")[-1]["temporary_password"]
    signed_in = bearer_of(client, "jeanne@brest.test", password=temporary)
    assert client.get(f"{API}/auth/me", headers=signed_in).get_json()["me"]["id"] == str(person)
    again = client.post(f"{API}/user/mail/confirm", json=back)
    assert (again.status_code, again.get_json()["code"]) == (422, "token_used")
