"""What an attack with fresh eyes found, and must not find again (docs/decisions/0007)."""

import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from terristory.account.closing import Closing, close_account, take_back_account
from terristory.account.own_address import recover_address
from terristory.auth.models import Session
from terristory.auth.revocation import end_session
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.password_change import forms
from terristory.password_change.change_password import change_password, void_password
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import make_link
from terristory.user.models import LinkPurpose, MailLink
from terristory.web.request_log import JsonLines, masked_path
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of

MAIL = "jeanne@brest.test"
BETTER = "lanterne crayon moulin ruisseau"


@pytest.mark.parametrize("hostile", ["%0d%0aSet-Cookie:x=1", "a%00", "%0a", "%C3%A9%0d"])
def test_a_path_in_capitals_puts_no_line_of_its_own_into_the_answer(client, hostile):
    answer = client.get(f"/AIDE/{hostile}")
    assert answer.status_code == 308
    assert answer.headers["Location"].lower() == f"/aide/{hostile}".lower()
    assert "Set-Cookie" not in answer.headers


def test_a_path_in_capitals_stays_a_path_when_it_held_a_question_mark(client):
    assert client.get("/AIDE/a%3Fnext=b").headers["Location"] == "/aide/a%3Fnext=b"


def a_session(user_id, now, **more):
    session = Session(
        id=uuid4(), user_id=user_id, created_at=now, last_used_at=now, expires_at=now + timedelta(hours=1), **more
    )
    with transaction():
        db.session.add(session)
    return session.id


def change(user_id, session_id, verified_hash, clock, to="new hash"):
    with transaction():
        return change_password(
            "bretagne",
            user_id,
            to,
            verified_hash=verified_hash,
            keep_session=session_id,
            session_max_seconds=86400,
            now=clock.now(),
        )


def hash_of(user_id):
    db.session.expire_all()
    return find_user("bretagne", user_id).password_hash


def test_a_temporary_password_chooses_one_new_password_only(app, clock):
    user_id = an_account(MAIL)
    session_id = a_session(user_id, clock.now(), must_change_password=True)
    assert change(user_id, session_id, None, clock, to="first")
    assert not change(user_id, session_id, None, clock, to="second")
    assert hash_of(user_id) == "first"


def test_of_two_changes_that_saw_the_same_password_the_first_stays(app, clock):
    user_id = an_account(MAIL)
    seen = hash_of(user_id)
    owner, thief = a_session(user_id, clock.now()), a_session(user_id, clock.now())
    assert change(user_id, owner, seen, clock, to="owner's")
    assert not change(user_id, thief, seen, clock, to="thief's")
    assert hash_of(user_id) == "owner's"


@pytest.mark.parametrize("forced", [False, True])
def test_a_session_ended_while_its_password_was_looked_at_changes_nothing(app, clock, forced):
    user_id = an_account(MAIL)
    seen = hash_of(user_id)
    session_id = a_session(user_id, clock.now(), must_change_password=forced)
    with transaction():
        assert end_session(user_id, session_id, now=clock.now())
    assert not change(user_id, session_id, None if forced else seen, clock)
    assert hash_of(user_id) == seen


@pytest.fixture
def not_me_meanwhile(monkeypatch, clock):
    """Let the owner press « ce n'était pas moi » just after somebody's current password was found right."""
    found_right = forms.is_current_password

    def look(user, password):
        right = found_right(user, password)
        with transaction():
            assert void_password("bretagne", user.id, life_seconds=3600, now=clock.now())
        return right

    monkeypatch.setattr(forms, "is_current_password", look)


def test_who_was_put_out_meanwhile_changes_no_password(client, not_me_meanwhile):
    user_id = an_account(MAIL)
    bearer = bearer_of(client, MAIL)
    sending = {"password": PASSWORD, "new_password": BETTER}
    answer = client.put("/api/bretagne/user/password", json=sending, headers=bearer)
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["password"])
    assert hash_of(user_id) is None


def test_who_was_put_out_meanwhile_changes_no_address(client, not_me_meanwhile):
    an_account(MAIL)
    bearer = bearer_of(client, MAIL)
    sending = {"password": PASSWORD, "mail": "thief@elsewhere.test"}
    answer = client.post("/api/bretagne/user/mail", json=sending, headers=bearer)
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["password"])
    assert db.session.scalars(select(MailLink)).all() == []
    assert db.session.scalars(select(OutboxMail.recipient).where(OutboxMail.recipient != MAIL)).all() == []


def test_a_thief_who_closes_the_account_cannot_open_it_again_with_the_password_he_knew(app, clock):
    user_id, now = an_account("thief@elsewhere.test"), clock.now()
    with transaction():
        owner = make_link(user_id, LinkPurpose.TAKE_BACK_ADDRESS, mail=MAIL, now=now).token
        closed = close_account("bretagne", user_id, erasure_days=7, now=now)
        thief = make_link(user_id, LinkPurpose.TAKE_BACK_ACCOUNT, now=now).token
    assert isinstance(closed, Closing)
    with transaction():
        recover_address("bretagne", owner, temporary_seconds=3600, now=now)
    with transaction():
        take_back_account("bretagne", thief, erasure_days=7, now=now)
    user = find_user("bretagne", user_id)
    assert (user.mail, user.closing_at, user.password_hash) == (MAIL, None, None)


def test_the_guessed_name_of_a_device_exempts_nobody_from_the_automatic_check(client):
    an_account(MAIL)
    address = "/api/bretagne/auth"
    kept = {"login": MAIL, "password": PASSWORD, "device": "tableau de bord"}
    assert client.post(address, json=kept, environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200
    guess = kept | {"password": "a guess"}
    for host in range(5):
        client.post(address, json=guess, environ_base={"REMOTE_ADDR": f"198.51.100.{host}"})
    answer = client.post(address, json=kept, environ_base={"REMOTE_ADDR": "203.0.113.1"})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "captcha_required")
    assert client.post(address, json=kept, environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 200


SECRET = "tJ9-2uKqXc_7"


@pytest.mark.parametrize(
    "path",
    [
        f"/bretagne/confirmer/{SECRET}",
        f"/BRETAGNE/Confirmer/{SECRET}",
        f"/bretagne//adresse//{SECRET}",
        f"/confirmer/{SECRET}",
        f"/bretagne/pas-moi/x/{SECRET}",
        f"/bretagne/reprendre/ {SECRET}",
        f"/bretagne/demande//{SECRET}/retirer",
    ],
)
def test_no_spelling_of_a_mailed_link_brings_its_secret_into_the_log(path):
    assert SECRET not in masked_path(path)
    record = logging.LogRecord("terristory", logging.ERROR, "", 0, "Exception on %s [POST]", (path,), None)
    assert SECRET not in JsonLines().format(record)


def test_paths_without_a_secret_are_logged_whole():
    for path in ("/bretagne/compte/adresse", "/bretagne/inscription/reprendre", "/api/bretagne/user/confirm"):
        assert masked_path(path) == path
    assert masked_path(f"/bretagne/demande/{SECRET}/retirer") == "/bretagne/demande/***/retirer"
