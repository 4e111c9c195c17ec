"""One's own account over JSON: profile, address, sessions, data, closing."""

import uuid

import pytest
from sqlalchemy import select

from terristory.account.export import NOT_TOLD
from terristory.auth.temporary_password import issue_temporary_password
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.sealing import open_sealed
from terristory.user.lookup import find_by_mail, find_user
from terristory.user.models import Role, User
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of

MAIL, OTHER = "jeanne@brest.test", "jeanne.martin@quimper.test"
USER = "/api/bretagne/user"
ME = "/api/bretagne/auth/me"


@pytest.fixture
def user_id(client):
    return an_account(MAIL, fonction="Chargée de mission")


@pytest.fixture
def bearer(client, user_id):
    return bearer_of(client, MAIL)


def secrets_of(template):
    mail = db.session.scalar(
        select(OutboxMail).where(OutboxMail.template == template).order_by(OutboxMail.created_at.desc())
    )
    return open_sealed(mail.sealed)


def recipients():
    return sorted((mail.template, mail.recipient) for mail in db.session.scalars(select(OutboxMail)))


def errors_of(answer):
    assert answer.status_code == 422
    return list(answer.get_json()["errors"])


def ask_for_address(client, bearer, mail=OTHER, password=PASSWORD):
    return client.post(f"{USER}/mail", json={"mail": mail, "password": password}, headers=bearer)


def confirm_address(client, token):
    return client.post(f"{USER}/mail/confirm", json={"token": token})


# Profile.


def test_only_what_is_given_changes(client, bearer):
    answer = client.patch(USER, json={"prenom": " Anne-Sophie ", "langue": "en"}, headers=bearer)
    assert answer.status_code == 200
    me = answer.get_json()["me"]
    assert (me["prenom"], me["nom"], me["langue"], me["fonction"]) == (
        "Anne-Sophie",
        "Martin",
        "en",
        "Chargée de mission",
    )
    assert me == client.get(ME, headers=bearer).get_json()["me"]


def test_an_optional_field_can_be_emptied_and_null_leaves_it(client, bearer):
    assert client.patch(USER, json={"fonction": None}, headers=bearer).get_json()["me"]["fonction"] != ""
    assert client.patch(USER, json={"fonction": ""}, headers=bearer).get_json()["me"]["fonction"] == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prenom", ""),
        ("nom", "1337"),
        ("nom", 5),
        ("organisation", "x" * 201),
        ("langue", "de"),
        ("role", "admin"),
        ("status", "active"),
        ("mail", OTHER),
        ("fonction", "a\0b"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_whole(client, bearer, field, value):
    answer = client.patch(USER, json={"territoire": "Brest", field: value}, headers=bearer)
    assert errors_of(answer) == [field]
    assert find_by_mail("bretagne", MAIL).territoire == ""


# Address.


def test_the_address_changes_when_the_new_one_confirms(client, bearer):
    assert ask_for_address(client, bearer).status_code == 202
    assert find_by_mail("bretagne", MAIL) is not None
    assert recipients() == [("account/address_change_asked", MAIL), ("account/confirm_new_address", OTHER)]
    assert confirm_address(client, secrets_of("account/confirm_new_address")["token"]).status_code == 204
    assert find_by_mail("bretagne", MAIL) is None
    assert bearer_of(client, OTHER)
    assert ("account/address_changed", MAIL) in recipients()


def test_a_taken_address_gets_the_same_answer_and_no_link(client, bearer):
    an_account(OTHER)
    free, taken = ask_for_address(client, bearer, "free@brest.test"), ask_for_address(client, bearer, OTHER)
    assert (free.status_code, free.get_json()) == (taken.status_code, taken.get_json())
    assert ("account/confirm_new_address", OTHER) not in recipients()


@pytest.mark.parametrize(
    ("mail", "password", "field"), [(MAIL, PASSWORD, "mail"), ("x", PASSWORD, "mail"), (OTHER, "no", "password")]
)
def test_a_wish_that_cannot_be_is_refused(client, bearer, mail, password, field):
    assert errors_of(ask_for_address(client, bearer, mail, password)) == [field]
    assert recipients() == []


@pytest.mark.parametrize(("token", "code"), [("nonsense", "token_unknown"), ("used", "token_used")])
def test_a_dead_link_says_why(client, bearer, token, code):
    ask_for_address(client, bearer)
    if token == "used":
        token = secrets_of("account/confirm_new_address")["token"]
        confirm_address(client, token)
    answer = confirm_address(client, token)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)


def test_a_temporary_password_sent_to_the_former_address_dies(client, user_id, bearer):
    with transaction():
        temporary = issue_temporary_password(user_id, life_seconds=600, now=utc_now()).password
    ask_for_address(client, bearer)
    confirm_address(client, secrets_of("account/confirm_new_address")["token"])
    answer = client.post("/api/bretagne/auth", json={"login": OTHER, "password": temporary})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "temporary_password_expired")


# Sessions.


def test_sessions_are_listed_with_the_present_one_marked(client, user_id):
    device = {"login": MAIL, "password": PASSWORD, "device": "Tableur"}
    client.post("/api/bretagne/auth", json=device)
    here = bearer_of(client, MAIL)
    listed = client.get(f"{USER}/sessions", headers=here).get_json()["sessions"]
    assert sorted(session["current"] for session in listed) == [False, True]
    assert "Tableur" in {session["device"] for session in listed}
    assert set(listed[0]) == {"id", "device", "network", "created_at", "last_used_at", "current"}


def test_one_session_can_be_ended(client, bearer):
    other = client.post("/api/bretagne/auth", json={"login": MAIL, "password": PASSWORD, "device": "Tableur"})
    other_bearer = {"Authorization": f"Bearer {other.get_json()['access_token']}"}
    listed = client.get(f"{USER}/sessions", headers=bearer).get_json()["sessions"]
    [its_id] = [session["id"] for session in listed if not session["current"]]
    assert client.delete(f"{USER}/sessions/{its_id}", headers=bearer).status_code == 204
    assert client.get(ME, headers=other_bearer).status_code == 401
    assert client.delete(f"{USER}/sessions/{its_id}", headers=bearer).status_code == 404


def test_somebody_elses_session_is_unknown(client, bearer):
    an_account(OTHER)
    other = bearer_of(client, OTHER)
    [session] = client.get(f"{USER}/sessions", headers=other).get_json()["sessions"]
    for its_id in (session["id"], uuid.uuid4()):
        assert client.delete(f"{USER}/sessions/{its_id}", headers=bearer).status_code == 404
    assert client.get(ME, headers=other).status_code == 200


def test_all_others_can_be_ended_at_once(client, bearer):
    others = [
        client.post("/api/bretagne/auth", json={"login": MAIL, "password": PASSWORD, "device": name}).get_json()
        for name in ("Tableur", "Carte")
    ]
    assert client.delete(f"{USER}/sessions", headers=bearer).status_code == 204
    for other in others:
        headers = {"Authorization": f"Bearer {other['access_token']}"}
        assert client.get(ME, headers=headers).status_code == 401
    assert client.get(ME, headers=bearer).status_code == 200


# Data.


def test_the_export_holds_every_personal_column(client, bearer):
    account = client.get(f"{USER}/export", headers=bearer).get_json()["account"]
    columns = {column.key for column in User.__mapper__.column_attrs}
    assert set(account) == columns - NOT_TOLD
    assert NOT_TOLD == {"password_hash", "mail_canonical", "search_text"}
    assert (account["mail"], account["fonction"]) == (MAIL, "Chargée de mission")


def test_the_export_holds_sessions_mails_and_events_of_nobody_else(client, bearer):
    an_account(OTHER)
    bearer_of(client, OTHER)
    ask_for_address(client, bearer, "new@brest.test")
    export = client.get(f"{USER}/export", headers=bearer).get_json()
    assert len(export["sessions"]) == 1
    assert {mail["recipient"] for mail in export["mails"]} == {MAIL, "new@brest.test"}
    assert {"auth.signed_in", "user.mail_change_asked", "user.exported"} <= {line["event"] for line in export["events"]}
    assert OTHER not in str(export)


def test_the_export_holds_no_secret(client, bearer):
    ask_for_address(client, bearer)
    text = client.get(f"{USER}/export", headers=bearer).get_data(as_text=True)
    assert "argon2" not in text
    assert secrets_of("account/confirm_new_address")["token"] not in text


# Closing.


def close(client, bearer, password=PASSWORD):
    return client.delete(USER, json={"password": password}, headers=bearer)


def test_closing_signs_out_and_refuses_every_way_in(client, bearer):
    assert close(client, bearer).status_code == 204
    assert client.get(ME, headers=bearer).status_code == 401
    answer = client.post("/api/bretagne/auth", json={"login": MAIL, "password": PASSWORD})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "account_closing")


def test_closing_asks_for_the_password(client, user_id, bearer):
    assert errors_of(close(client, bearer, "wrong")) == ["password"]
    assert errors_of(client.delete(USER, json={}, headers=bearer)) == ["password"]
    assert find_user("bretagne", user_id).closing_at is None


def test_the_last_administrator_cannot_leave(client):
    an_account(OTHER, role=Role.ADMIN)
    answer = close(client, bearer_of(client, OTHER))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "last_admin")


def test_all_routes_that_ask_for_the_password_share_one_count(client, bearer):
    for _ in range(3):
        close(client, bearer, "wrong")
        ask_for_address(client, bearer, password="wrong")
    answer = close(client, bearer)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
