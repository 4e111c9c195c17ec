"""Nobody learns who has an account: in every state of an address answers are equal but for the request's id."""

import re

import pytest
from sqlalchemy import update

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.user.models import Role, Status, User
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.requests_for_accounts import ANSWERS, csrf_in

# Of the same length, so that nothing but the state can differ.
STATES = (*Status, "closing", "admin", "elsewhere", "no password", "unknown")


def address_of(state):
    return f"{state.replace(' ', '-').ljust(14, 'x')}@brest.test"


@pytest.fixture
def client(unlimited):
    for state in STATES:
        mail = address_of(state)
        if state in set(Status):
            an_account(mail, status=state)
        elif state == "elsewhere":
            an_account(mail, region="corse")
        elif state == "no password":
            an_account(mail, password=None)
        elif state != "unknown":
            an_account(mail, role=Role.ADMIN if state == "admin" else Role.USER)
        if state == "closing":
            with transaction():
                db.session.execute(update(User).where(User.mail == mail).values(closing_at=utc_now()))
    return unlimited


def masked(answer, mail):
    """The whole answer, without what differs in any two: ids, times, tokens, the address itself."""
    body = answer.get_data(as_text=True).replace(mail, "MAIL").replace(mail.upper(), "MAIL")
    body = re.sub(r'"request_id":"[0-9a-f]+"', "", body)
    body = re.sub(r'(name="(?:csrf_token|ticket)"[^>]*value=")[^"]*', r"\1", body)
    kept = [
        (name, re.sub(r"=[^;]*", "=…", value, count=1) if name == "Set-Cookie" else value)
        for name, value in answer.headers
        if name not in ("X-Request-ID", "Date", "Content-Length")
    ]
    return answer.status_code, sorted(kept), body


def all_equal(answer_of):
    answers = {state: masked(answer_of(address_of(state)), address_of(state)) for state in STATES}
    for state, answer in answers.items():
        assert answer == answers["unknown"], state
    return answers["unknown"]


def post_json(client, path, body):
    return client.application.test_client().post(f"/api/bretagne{path}", json=body)


@pytest.mark.parametrize("path", ["/auth", "/user/auth"])
def test_a_wrong_password_tells_nothing_over_json(client, path):
    status, _, _ = all_equal(lambda mail: post_json(client, path, {"login": mail, "password": "fausse clef 12"}))
    assert status == 401


def test_a_wrong_password_tells_nothing_on_the_page(client):
    def try_it(mail):
        visitor = client.application.test_client()
        token = csrf_in(visitor.get("/bretagne/connexion"))
        data = {"login": mail, "password": "fausse clef 12", "csrf_token": token}
        return visitor.post("/bretagne/connexion", data=data)

    assert all_equal(try_it)[0] == 422


@pytest.mark.parametrize("shape", ["as typed", "in capitals"])
def test_asking_for_an_account_tells_nothing_over_json(client, shape):
    def ask(mail):
        captcha = solved_captcha(client, "bretagne", "create_user")
        typed = mail.upper() if shape == "in capitals" else mail
        return post_json(client, "/user", {**ANSWERS, "mail": typed, "information_lue": True, "captcha": captcha})

    assert all_equal(ask)[0] == 201


def test_asking_for_an_account_tells_nothing_on_the_page(client):
    def ask(mail):
        visitor = client.application.test_client()
        token = csrf_in(visitor.get("/bretagne/inscription"))
        captcha = solved_captcha(visitor, "bretagne", "create_user")
        data = {**ANSWERS, "mail": mail, "information_lue": "y", "captcha": captcha, "csrf_token": token}
        sent = visitor.post("/bretagne/inscription", data=data)
        assert sent.status_code == 303
        return visitor.get(sent.headers["Location"])

    assert all_equal(ask)[0] == 200


@pytest.mark.parametrize(
    ("path", "form"), [("/user/password/regenerate", "regenerate_password"), ("/user/confirm/resend", "confirm")]
)
def test_asking_for_a_mail_tells_nothing_over_json(client, path, form):
    def ask(mail):
        return post_json(client, path, {"mail": mail, "captcha": solved_captcha(client, "bretagne", form)})

    assert all_equal(ask)[0] == 202


def test_asking_for_a_password_tells_nothing_on_the_page(client):
    def ask(mail):
        visitor = client.application.test_client()
        token = csrf_in(visitor.get("/bretagne/mot-de-passe/oublie"))
        captcha = solved_captcha(visitor, "bretagne", "regenerate_password")
        data = {"mail": mail, "captcha": captcha, "csrf_token": token}
        sent = visitor.post("/bretagne/mot-de-passe/oublie", data=data)
        assert sent.status_code == 303
        return visitor.get(sent.headers["Location"])

    assert all_equal(ask)[0] == 200


def test_a_change_of_address_tells_nothing_of_who_has_the_other(client):
    an_account("moi@brest.test")
    visitor = client.application.test_client()
    signed = visitor.post("/api/bretagne/auth", json={"login": "moi@brest.test", "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {signed.get_json()['access_token']}"}

    def ask(mail):
        return visitor.post("/api/bretagne/user/mail", json={"mail": mail, "password": PASSWORD}, headers=bearer)

    assert all_equal(ask)[0] == 202


def test_the_throttle_tells_nothing(make_app):
    """With limits on: the same number of tries, then the same captcha, for an address with and without an account."""
    app = make_app()
    with app.app_context():
        an_account(address_of("active"))
        seen = {}
        for number, state in enumerate(("active", "unknown")):
            visitor = app.test_client()
            elsewhere = {"environ_base": {"REMOTE_ADDR": f"192.0.2.{number + 10}"}}
            codes = []
            for _ in range(8):
                body = {"login": address_of(state), "password": "fausse clef 12"}
                answer = visitor.post("/api/bretagne/auth", json=body, **elsewhere)
                codes.append((answer.status_code, answer.get_json()["code"]))
            seen[state] = codes
        assert seen["active"] == seen["unknown"]
        assert ("captcha_required" in str(seen["active"])) is True
        db.session.remove()


def test_only_the_right_password_learns_the_state(client):
    for state in (Status.AWAITING, Status.REFUSED, Status.DISABLED):
        answer = post_json(client, "/auth", {"login": address_of(state), "password": PASSWORD})
        assert (answer.status_code, answer.get_json()["code"]) == (401, f"account_{state}")
