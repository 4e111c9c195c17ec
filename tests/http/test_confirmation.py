"""Confirming the address: the link and a password in one step, on the page and over JSON."""

import pytest

from terristory.extensions import db
from terristory.passwords.hashing import verify_password
from terristory.user.lookup import find_by_mail
from terristory.user.models import Role, Status
from tests.support.captcha import solved_captcha
from tests.support.people import an_account
from tests.support.requests_for_accounts import MAIL, ask, csrf_in, secrets_of, templates

GOOD = "girafe violon tempête 7 carottes"
API = "/api/bretagne/user/confirm"


@pytest.fixture
def token(app, clock):
    ask(clock.now())
    return secrets_of("user/confirm")[0]["token"]


def account():
    db.session.expire_all()
    return find_by_mail("bretagne", MAIL.lower())


def test_over_json_it_sets_the_password_and_hands_the_request_over(client, token):
    an_account("admin@brest.test", role=Role.ADMIN)
    assert client.post(API, json={"token": token, "password": GOOD}).status_code == 204
    assert account().status == "awaiting"
    assert verify_password(account().password_hash, GOOD).right
    assert templates() == ["user/confirm", "user/new_request", "user/received"]


def test_without_an_admin_the_operator_is_told(client, token):
    client.post(API, json={"token": token, "password": GOOD})
    assert "user/new_request_nobody" in templates()


@pytest.mark.parametrize("password", ["court", "azertyuiop12", "Jeanne Le Goff 29", "a\tb" * 8])
def test_a_refused_password_does_not_spend_the_link(client, token, password):
    answer = client.post(API, json={"token": token, "password": password})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["password"])
    assert client.post(API, json={"token": token, "password": GOOD}).status_code == 204


def test_the_password_is_taken_exactly(client, token):
    client.post(API, json={"token": token, "password": f"  {GOOD} "})
    assert verify_password(account().password_hash, f"  {GOOD} ").right
    assert not verify_password(account().password_hash, GOOD).right


def test_a_used_link_says_so(client, token):
    client.post(API, json={"token": token, "password": GOOD})
    again = client.post(API, json={"token": token, "password": GOOD})
    assert (again.status_code, again.get_json()["code"]) == (422, "token_used")
    assert client.get(f"/bretagne/confirmer/{token}").status_code == 410


def test_a_superseded_link_has_expired(client, token, clock):
    ask(clock.move(minutes=1))
    answer = client.post(API, json={"token": token, "password": GOOD})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "token_expired")
    assert client.get(f"/bretagne/confirmer/{token}").status_code == 410


def test_a_link_lives_seven_days(client, token, clock):
    clock.move(days=7, seconds=-1)
    assert client.get(f"/bretagne/confirmer/{token}").status_code == 200
    clock.move(seconds=1)
    assert client.get(f"/bretagne/confirmer/{token}").status_code == 410


@pytest.mark.parametrize("bad", ["x", "é", "0" * 5000])
def test_an_unknown_link_says_so(client, bad):
    answer = client.post(API, json={"token": bad, "password": GOOD})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "token_unknown")
    assert client.get(f"/bretagne/confirmer/{bad}").status_code == 404


def test_a_link_of_another_region_is_unknown(client, token):
    answer = client.post("/api/occitanie/user/confirm", json={"token": token, "password": GOOD})
    assert answer.get_json()["code"] == "token_unknown"
    assert client.get(f"/occitanie/confirmer/{token}").status_code == 404


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"password": GOOD}, {"token": "x" * 9, "password": 3}])
def test_what_lacks_is_named(client, body):
    answer = client.post(API, json=body)
    assert answer.status_code == 422
    assert set(answer.get_json()["errors"]) <= {"token", "password"}


def test_opening_the_link_changes_nothing(client, token):
    for _time in range(3):
        page = client.get(f"/bretagne/confirmer/{token}")
        assert page.status_code == 200
        client.head(f"/bretagne/confirmer/{token}")
    text = page.get_data(as_text=True)
    assert "<h1>Confirmez votre adresse</h1>" in text
    assert "Brest métropole" in text
    assert page.headers["Cache-Control"] == "no-store"
    assert account().status == "unconfirmed"


def test_on_the_page_it_leads_to_the_status_page(client, token):
    url = f"/bretagne/confirmer/{token}"
    data = {"password": GOOD, "csrf_token": csrf_in(client.get(url))}
    weak = client.post(url, data={**data, "password": "azertyuiop12"})
    assert weak.status_code == 422
    assert "azertyuiop12" not in weak.get_data(as_text=True)
    answer = client.post(url, data=data)
    assert answer.status_code == 303
    page = client.get(answer.location).get_data(as_text=True)
    assert page.count("Adresse confirmée") == 1
    assert "<h1>Votre demande est à l&#39;étude</h1>" in page or "<h1>Votre demande est à l'étude</h1>" in page


def test_an_account_activated_meanwhile_needs_no_link(client, token):
    user = account()
    user.status = Status.ACTIVE
    db.session.commit()
    answer = client.post(API, json={"token": token, "password": GOOD})
    assert answer.get_json()["code"] == "token_expired"
    assert account().password_hash is None


@pytest.mark.parametrize("mail", [MAIL, "inconnue@brest.test"])
def test_sending_again_answers_the_same_whatever_is_known(client, token, mail):
    body = {"mail": mail, "captcha": solved_captcha(client, "bretagne", "confirm")}
    answer = client.post(f"{API}/resend", json=body)
    assert (answer.status_code, answer.get_json()) == (202, {"sent": True})
    assert len(secrets_of("user/confirm")) == (2 if mail == MAIL else 1)


def test_sending_again_needs_a_check_of_its_own(client, token):
    body = {"mail": MAIL, "captcha": solved_captcha(client, "bretagne", "create_user")}
    assert client.post(f"{API}/resend", json=body).status_code == 422
