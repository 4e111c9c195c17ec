"""Nobody plants a password on somebody else's address, and two spellings of one address are one account."""

import pytest

from terristory.extensions import db
from terristory.passwords.hashing import verify_password
from terristory.user.lookup import find_by_mail
from terristory.user.models import Role, Status, User
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import json_answers, outbox, secrets_of

VICTIM = "victime@brest.test"
PLANTED = "mot planté par un autre 7"
GOOD = "girafe violon tempête 7 carottes"
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def client(unlimited):
    return unlimited


def ask(client, **said):
    answer = client.post("/api/bretagne/user", json=json_answers(client, **{"mail": VICTIM, **said}))
    assert answer.status_code == 201


def confirm(client, token, password=GOOD):
    return client.post("/api/bretagne/user/confirm", json={"token": token, "password": password})


def sign_in(client, mail=VICTIM, password=PLANTED):
    return client.post("/api/bretagne/auth", json={"login": mail, "password": password})


def victim():
    db.session.expire_all()
    return find_by_mail("bretagne", VICTIM)


@pytest.mark.parametrize("field", ["password", "new_password", "mot_de_passe", "password_hash"])
def test_a_request_takes_no_password(client, field):
    answer = client.post("/api/bretagne/user", json=json_answers(client, mail=VICTIM, **{field: PLANTED}))
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])
    assert victim() is None


def test_who_asks_in_anothers_name_has_no_way_in(client):
    """The link went to the victim; without it there is no password, no session and no temporary password."""
    ask(client, prenom="Mallory")
    assert victim().password_hash is None
    for password in (PLANTED, "", " ", "null"):
        assert sign_in(client, password=password).status_code == 401
    captcha = solved_captcha(client, "bretagne", "regenerate_password")
    client.post("/api/bretagne/user/password/regenerate", json={"mail": VICTIM, "captcha": captcha})
    assert [mail.template for mail in outbox()] == ["user/confirm"]
    assert {mail.recipient for mail in outbox()} == {VICTIM}


def test_the_owners_own_request_replaces_what_another_said_and_kills_the_older_link(client):
    ask(client, prenom="Mallory", organisation="Ailleurs")
    ask(client, prenom="Victoire", organisation="Brest métropole")
    older, newer = (secrets["token"] for secrets in secrets_of("user/confirm"))
    dead = confirm(client, older, PLANTED)
    assert (dead.status_code, dead.get_json()["code"]) == (422, "token_expired")
    assert confirm(client, newer).status_code == 204
    assert (victim().prenom, victim().organisation) == ("Victoire", "Brest métropole")
    assert verify_password(victim().password_hash, GOOD).right
    assert confirm(client, newer, PLANTED).get_json()["code"] == "token_used"
    assert confirm(client, older, PLANTED).status_code == 422
    assert verify_password(victim().password_hash, GOOD).right


@pytest.mark.parametrize("status", [Status.AWAITING, Status.ACTIVE, Status.DISABLED])
def test_asking_again_changes_nothing_of_an_account_that_is(client, status):
    an_account(VICTIM, status=status, prenom="Victoire")
    before = {column.key: getattr(victim(), column.key) for column in User.__table__.columns}
    ask(client, prenom="Mallory")
    assert {column.key: getattr(victim(), column.key) for column in User.__table__.columns} == before
    assert secrets_of("user/confirm") == []


def test_a_refused_request_that_another_renews_keeps_no_old_password(client):
    """It starts again unconfirmed: the mailbox has to be proved anew, and only the link opens it."""
    an_account(VICTIM, status=Status.REFUSED, password=PLANTED)
    ask(client)
    assert victim().status == Status.UNCONFIRMED
    assert sign_in(client).get_json()["code"] == "invalid_credentials"
    [secrets] = secrets_of("user/confirm")
    assert confirm(client, secrets["token"]).status_code == 204
    assert not verify_password(victim().password_hash, PLANTED).right


def test_an_administrator_who_lets_in_the_unconfirmed_gives_the_mailbox_the_key(client):
    """The attacker who asked gets nothing: the temporary password goes to the address, and the link dies."""
    ask(client, prenom="Mallory")
    an_account("admin@brest.test", role=Role.ADMIN)
    headers = bearer_of(client, "admin@brest.test")
    place = f"/api/bretagne/admin/users/{victim().id}/activate"
    assert client.post(place, json={}, headers=headers).get_json()["code"] == "user_unconfirmed"
    answer = client.post(place, json={"unconfirmed": True}, headers=headers)
    assert answer.status_code == 200 and "password" not in answer.get_data(as_text=True)
    [link] = secrets_of("user/confirm")
    assert confirm(client, link["token"], PLANTED).status_code == 422
    assert sign_in(client).status_code == 401
    assert {mail.recipient for mail in outbox() if mail.template.startswith("admin/")} == {VICTIM}


def test_ones_own_address_cannot_be_moved_onto_another_account(client):
    an_account(VICTIM)
    an_account("mallory@brest.test", password=PLANTED)
    headers = bearer_of(client, "mallory@brest.test", password=PLANTED)
    body = {"mail": VICTIM.upper(), "password": PLANTED}
    assert client.post("/api/bretagne/user/mail", json=body, headers=headers).status_code == 202
    assert secrets_of("account/confirm_new_address") == []
    assert sign_in(client, VICTIM, PLANTED).status_code == 401
    assert sign_in(client, VICTIM, PASSWORD).status_code == 200


# Spellings.

TWINS = [
    ("Jean.Le-Goff@Brest.TEST", "jean.le-goff@brest.test"),
    ("JEAN.LE-GOFF@BREST.TEST", "jean.le-goff@brest.test"),
    ("  jean.le-goff@brest.test\t", "jean.le-goff@brest.test"),
    ("jean@ｂｒｅｓｔ.test", "jean@brest.test"),
    ("jean@brest。test", "jean@brest.test"),
    ("jean@bücher.test", "jean@xn--bcher-kva.test"),
    ("jean@BÜCHER.test", "jean@xn--bcher-kva.test"),
    ("jean@bu\u0308cher.test", "jean@xn--bcher-kva.test"),
    ("jean@XN--BCHER-KVA.test", "jean@xn--bcher-kva.test"),
]


@pytest.mark.parametrize(("typed", "canonical"), TWINS)
def test_two_spellings_of_an_address_are_one_account(client, typed, canonical):
    for spelling in (canonical, typed, typed.swapcase()):
        ask(client, mail=spelling.strip())
    assert [user.mail_canonical for user in db.session.query(User)] == [canonical]


@pytest.mark.parametrize(("typed", "canonical"), TWINS)
def test_every_door_knows_an_address_by_any_spelling(client, typed, canonical):
    an_account(canonical)
    assert sign_in(client, typed, PASSWORD).status_code == 200
    captcha = solved_captcha(client, "bretagne", "regenerate_password")
    body = {"mail": typed.strip(), "captcha": captcha}
    assert client.post("/api/bretagne/user/password/regenerate", json=body).status_code == 202
    assert [mail.template for mail in outbox()].count("password_change/temporary_password") == 1
    assert {mail.recipient for mail in outbox()} == {canonical}


@ONLY_SQLITE
@pytest.mark.parametrize("other", ["jean+x@brest.test", "jeanne@brest.test", "jean@brest.tests", "je.an@brest.test"])
def test_what_is_another_mailbox_is_another_account(client, other):
    an_account("jean@brest.test")
    assert sign_in(client, other, PASSWORD).status_code == 401
    ask(client, mail=other)
    assert db.session.query(User).count() == 2


@ONLY_SQLITE
def test_a_lookalike_domain_is_shown_as_it_is_to_who_decides(client):
    """`аррӏе` in Cyrillic: the administrator reads the ASCII form beside it (UTS 39)."""
    ask(client, mail="jean@аррӏе.com")
    an_account("admin@brest.test", role=Role.ADMIN)
    client.post("/api/bretagne/user/auth", json={"login": "admin@brest.test", "password": PASSWORD})
    user = db.session.query(User).filter(User.role == Role.USER).one()
    page = client.get(f"/bretagne/admin/comptes/{user.id}").get_data(as_text=True)
    assert "xn--80ak6aa92e.com" in page
