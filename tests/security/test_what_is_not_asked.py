"""Nobody gives himself what the form does not ask for: a role, a state, a region, an id (mass assignment)."""

from uuid import UUID

import pytest

from terristory.extensions import db
from terristory.user.lookup import find_by_mail, find_user
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import ANSWERS, MAIL, csrf_in, json_answers, outbox

USER = "user@brest.test"
AN_ID = str(UUID(int=7))


@pytest.fixture
def client(unlimited):
    return unlimited


PRIVILEGES = {
    "role": "admin",
    "is_admin": True,
    "admin": "1",
    "status": "active",
    "active": True,
    "id": AN_ID,
    "region": "corse",
    "created_at": "2020-01-01T00:00:00Z",
    "confirmed_at": "2020-01-01T00:00:00Z",
    "decided_at": "2020-01-01T00:00:00Z",
    "decided_by": AN_ID,
    "password": PASSWORD,
    "password_hash": "x",
    "mail_canonical": "x@y.fr",
    "email_verified": True,
    "without_script": False,
    "last_sign_in_at": None,
    "closing_at": "2020-01-01T00:00:00Z",
    "search_text": "x",
    "reason": "x",
    "information_version": "9",
    "user_id": {"mail": "x", "region": "corse"},
    "user": {"role": "admin"},
    "me": {"role": "admin"},
    "role[]": "admin",
    "user.role": "admin",
    "user[role]": "admin",
    "ticket": "x",
    "csrf_token": "x",
    "ROLE": "admin",
}


@pytest.mark.parametrize("field", [name for name, value in PRIVILEGES.items() if value is not None])
def test_a_request_cannot_give_itself_what_is_not_asked(client, field):
    answer = client.post("/api/bretagne/user", json=json_answers(client, **{field: PRIVILEGES[field]}))
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])
    assert find_by_mail("bretagne", MAIL.lower()) is None


def columns_of(user_id):
    db.session.expire_all()
    user = find_user("bretagne", user_id)
    return {column.key: getattr(user, column.key) for column in user.__table__.columns}


def test_a_profile_cannot_give_itself_what_is_not_its_own(client):
    user_id = an_account(USER)
    bearer = bearer_of(client, USER)
    before = columns_of(user_id)
    for field, value in {**PRIVILEGES, "mail": "x@y.fr", "motif": "x", "langue ": "en"}.items():
        if value is None:
            continue
        answer = client.patch("/api/bretagne/user", json={field: value, "nom": "Autre"}, headers=bearer)
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])
    assert columns_of(user_id) == before


def test_a_form_stores_its_own_fields_only(client):
    page = "/bretagne/inscription"
    token = csrf_in(client.get(page))
    captcha = solved_captcha(client, "bretagne", "create_user")
    extra = {name: str(value) for name, value in PRIVILEGES.items() if name not in ("csrf_token", "ticket")}
    data = {**ANSWERS, **extra, "information_lue": "y", "captcha": captcha, "csrf_token": token}
    assert client.post(page, data=data).status_code == 303
    user = find_by_mail("bretagne", MAIL.lower())
    kept = columns_of(user.id)
    assert (kept["role"], kept["status"], kept["region"], kept["password_hash"]) == (
        "user",
        "unconfirmed",
        "bretagne",
        None,
    )
    assert (kept["confirmed_at"], kept["decided_by"], kept["closing_at"], kept["reason"]) == (None, None, None, "")
    assert str(kept["id"]) != PRIVILEGES["id"] and kept["created_at"].year > 2020


def test_of_a_repeated_field_the_first_counts_everywhere(client):
    page = "/bretagne/inscription"
    token = csrf_in(client.get(page))
    captcha = solved_captcha(client, "bretagne", "create_user")
    data = {
        **ANSWERS,
        "information_lue": "y",
        "captcha": captcha,
        "csrf_token": token,
        "mail": [MAIL, "autre@evil.example"],
    }
    answer = client.post(f"{page}?mail=troisieme@evil.example", data=data)
    assert answer.status_code == 303
    assert [mail.recipient for mail in outbox()] == [MAIL]
