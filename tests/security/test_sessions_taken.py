"""Nobody brings or keeps a session: fixation, leaving, cookies tossed by neighbours, each cookie's attributes."""

import re

import pytest

from terristory.auth.models import Session
from terristory.auth.revocation import live_sessions
from terristory.clock import utc_now
from terristory.extensions import db
from terristory.user.lookup import find_by_mail
from tests.http.test_readyz import PRODUCTION
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.requests_for_accounts import csrf_in

MAIL, OTHER = "jeanne@brest.test", "autre@brest.test"
ME, SIGN_IN = "/api/bretagne/auth/me", "/bretagne/connexion"
SESSION_COOKIES = ("access_token", "refresh_token", "csrf_token")
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def people(client):
    an_account(MAIL)
    an_account(OTHER)


def sign_in(client, mail=MAIL, **headers):
    answer = client.post("/api/bretagne/user/auth", json={"login": mail, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 200
    return answer


def by_page(client, mail=MAIL):
    token = csrf_in(client.get(SIGN_IN))
    answer = client.post(SIGN_IN, data={"login": mail, "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 303


def values(client):
    return {name: cookie.value for name in SESSION_COOKIES if (cookie := client.get_cookie(name))}


@pytest.mark.parametrize("enter", [sign_in, by_page])
def test_the_cookies_a_browser_brought_are_replaced_by_others(client, people, enter):
    attacker = client.application.test_client()
    enter(attacker, OTHER)
    planted = values(attacker)
    if enter is by_page:
        # The attacker's refresh cookie alone: a page would go on in his session, the form is that of nobody yet.
        planted = {"csrf_token": planted["csrf_token"]}
    for name, value in planted.items():
        client.set_cookie(name, value)
    enter(client, MAIL)
    after = values(client)
    assert set(after) == set(SESSION_COOKIES)
    assert not set(after.values()) & set(planted.values())
    assert client.get(ME).get_json()["me"]["mail"] == MAIL
    assert attacker.get(ME).get_json()["me"]["mail"] == OTHER


def test_a_form_token_of_before_is_dead_after_the_sign_in(client, people):
    before = csrf_in(client.get("/bretagne/inscription"))
    by_page(client)
    assert client.post("/bretagne/deconnexion", data={"csrf_token": before}).status_code == 400
    assert client.get(ME).status_code == 200


@ONLY_SQLITE
def test_the_cookie_of_flask_that_a_browser_brought_is_emptied(client, people):
    """What was kept in it before (and may have been planted) is gone, but for messages to show."""
    client.get("/bretagne/inscription")
    planted = client.get_cookie("session").value
    by_page(client)
    assert client.get_cookie("session").value != planted


def test_an_invented_session_is_none(client, people):
    for name in ("access_token", "refresh_token", "session", "device", "csrf_token"):
        client.set_cookie(name, "chosen-by-the-attacker")
    assert client.get(ME).status_code == 401
    sign_in(client)
    assert "chosen-by-the-attacker" not in values(client).values()


@pytest.mark.parametrize("door", ["page", "JSON"])
def test_leaving_ends_what_the_cookies_held_and_takes_them_away(client, people, door):
    sign_in(client)
    kept = values(client)
    if door == "JSON":
        answer = client.post("/api/bretagne/auth/logout", headers={"X-CSRF-TOKEN": kept["csrf_token"]})
        assert answer.status_code == 204
    else:
        token = csrf_in(client.get("/bretagne/compte"))
        answer = client.post("/bretagne/deconnexion", data={"csrf_token": token})
        assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert values(client) == {}
    assert client.get_cookie("device") is not None
    thief = client.application.test_client()
    for name, value in kept.items():
        thief.set_cookie(name, value)
    assert thief.get(ME).status_code == 401
    refreshed = thief.post("/api/bretagne/auth/refresh", headers={"X-CSRF-TOKEN": kept["csrf_token"]})
    assert refreshed.status_code in (400, 401)
    assert thief.get("/bretagne/compte").status_code == 303


def test_leaving_ends_this_session_only(client, people):
    other = client.application.test_client()
    sign_in(client)
    sign_in(other)
    client.post("/api/bretagne/auth/logout", headers={"X-CSRF-TOKEN": values(client)["csrf_token"]})
    assert other.get(ME).status_code == 200
    user = find_by_mail("bretagne", MAIL)
    assert len(live_sessions(user.id, idle_seconds=10_000, now=utc_now())) == 1


@ONLY_SQLITE
@pytest.mark.parametrize("name", SESSION_COOKIES[:2])
def test_of_two_cookies_of_one_name_none_counts(client, people, name):
    """A neighbour of a sibling domain can toss one: which is ours?"""
    sign_in(client)
    kept = values(client)
    lone = client.application.test_client(use_cookies=False)
    twice = f"{name}={kept[name]}; {name}=tossed"
    assert lone.get(ME, headers={"Cookie": twice}).status_code == 401
    assert lone.get("/bretagne/compte", headers={"Cookie": twice}).status_code == 303


@ONLY_SQLITE
@pytest.mark.parametrize("mode", ["development", "production"])
def test_every_cookie_has_its_attributes_in_each_mode(make_app, mode):
    more = {"development": {}, "production": PRODUCTION}[mode]
    base = "http://localhost" if mode == "development" else "https://compte.example.fr"
    app = make_app(**more)
    with app.app_context():
        an_account(MAIL)
        client = app.test_client()
        raw = []
        page = client.get(f"{SIGN_IN}?lang=en", base_url=base)
        raw += page.headers.getlist("Set-Cookie")
        signed = client.post(
            SIGN_IN,
            data={"login": MAIL, "password": PASSWORD, "csrf_token": csrf_in(page)},
            base_url=base,
            headers={"Referer": base + SIGN_IN},
        )
        assert signed.status_code == 303
        raw += signed.headers.getlist("Set-Cookie")
        prefix = "" if mode == "development" else "__Host-"
        names = {cookie.partition("=")[0] for cookie in raw}
        ours = {prefix + name for name in ("access_token", "refresh_token", "csrf_token", "device", "session")}
        assert names == ours | {"langue"}
        for cookie in raw:
            attributes = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
            name = cookie.partition("=")[0]
            assert "domain" not in attributes and {"path", "samesite"} <= attributes, cookie
            assert "SameSite=Lax" in cookie and re.search(r"Path=/(;|$)", cookie)
            assert ("secure" in attributes) is (mode != "development"), cookie
            if name.removeprefix("__Host-") not in ("csrf_token", "langue"):
                assert "httponly" in attributes, cookie
        db.session.remove()


def test_signing_in_over_json_sets_no_cookie_and_makes_one_session(client, people):
    answer = client.post("/api/bretagne/auth", json={"login": MAIL, "password": PASSWORD})
    assert "Set-Cookie" not in answer.headers
    assert db.session.query(Session).count() == 1
