"""Sendings from other sites: token × Origin × Sec-Fetch-Site × carrier × kind of body, and no door to CORS."""

import itertools

import pytest

from terristory.auth.cookies import csrf_token_of
from terristory.extensions import db
from terristory.user.lookup import find_by_mail
from terristory.user.models import Status
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import ANSWERS, csrf_in, json_answers, outbox

MAIL, OTHER = "jeanne@brest.test", "autre@brest.test"
ME, PROFILE = "/api/bretagne/auth/me", "/api/bretagne/user"
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ORIGINS = {"ours": True, "none": True, "https://evil.example": False, "null": False, "http://localhost.evil": False}
FETCH_SITES = {"none sent": True, "same-origin": True, "none": True, "same-site": False, "cross-site": False}
TOKENS = {"right": True, "none": False, "wrong": False, "of another session": False}
CARRIERS = ("cookie", "bearer", "both")


@pytest.fixture
def client(unlimited):
    an_account(MAIL)
    an_account(OTHER)
    return unlimited


def by_cookie(client, mail=MAIL):
    answer = client.post("/api/bretagne/user/auth", json={"login": mail, "password": PASSWORD})
    assert answer.status_code == 200
    return client.get_cookie("csrf_token").value


def headers_of(origin, site):
    headers = {} if origin == "none" else {"Origin": "http://localhost" if origin == "ours" else origin}
    return headers if site == "none sent" else {**headers, "Sec-Fetch-Site": site}


def fonction_of(mail=MAIL):
    db.session.expire_all()
    return find_by_mail("bretagne", mail).fonction


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(("token", "proves"), TOKENS.items())
def test_an_endpoint_needs_proof_and_origin_when_a_cookie_carries_the_sending(client, carrier, token, proves):
    bearer = bearer_of(client, MAIL)
    stranger = client.application.test_client()
    given = {"right": by_cookie(client), "of another session": by_cookie(stranger, OTHER), "wrong": "0" * 64}
    sender = client if carrier != "bearer" else client.application.test_client()
    for number, (origin, site) in enumerate(itertools.product(ORIGINS, FETCH_SITES)):
        headers = headers_of(origin, site) | ({} if carrier == "cookie" else bearer)
        if token in given:
            headers["X-CSRF-TOKEN"] = given[token]
        answer = sender.patch(PROFILE, json={"fonction": f"f{number}"}, headers=headers)
        # A header that no other site can make a browser send stands for itself, whatever cookies come along.
        allowed = carrier != "cookie" or (proves and ORIGINS[origin] and FETCH_SITES[site])
        assert answer.status_code == (200 if allowed else 400), (origin, site)
        assert (fonction_of() == f"f{number}") is allowed
        if not allowed:
            assert answer.get_json()["code"] == "csrf_failed"
            assert "Set-Cookie" not in answer.headers


def test_a_page_needs_its_token_and_its_origin(client):
    by_cookie(client)
    place = "/bretagne/compte/profil"
    kept = {"prenom": "Jeanne", "nom": "Martin", "organisation": "Brest", "langue": "fr", "confirmation": "y"}
    right = csrf_in(client.get(place))
    stranger = client.application.test_client()
    by_cookie(stranger, OTHER)
    tokens = {"right": right, "none": None, "wrong": "x" * 60, "of another session": csrf_in(stranger.get(place))}
    cases = itertools.product(TOKENS, ORIGINS, FETCH_SITES)
    for number, (token, origin, site) in enumerate(cases):
        data = {**kept, "fonction": f"p{number}"}
        if tokens[token] is not None:
            data["csrf_token"] = tokens[token]
        answer = client.post(place, data=data, headers=headers_of(origin, site))
        allowed = TOKENS[token] and ORIGINS[origin] and FETCH_SITES[site]
        assert answer.status_code == (303 if allowed else 400), (token, origin, site)
        assert (fonction_of() == f"p{number}") is allowed


@ONLY_SQLITE
@pytest.mark.parametrize(("origin", "site"), [("https://evil.example", "none sent"), ("none", "cross-site")])
def test_nobody_is_signed_in_by_a_form_of_another_site(client, origin, site):
    """Login CSRF: the victim would go on in the attacker's account."""
    token = csrf_in(client.get("/bretagne/connexion"))
    data = {"login": OTHER, "password": PASSWORD, "csrf_token": token}
    answer = client.post("/bretagne/connexion", data=data, headers=headers_of(origin, site))
    assert answer.status_code == 400
    assert client.get_cookie("access_token") is None
    assert client.post("/bretagne/connexion", data=data).status_code == 303


@ONLY_SQLITE
@pytest.mark.parametrize("path", ["/bretagne/inscription", "/bretagne/mot-de-passe/oublie", "/bretagne/connexion"])
def test_an_open_form_without_its_token_does_nothing(client, path):
    """Otherwise another site could send mails through its visitors."""
    form = "create_user" if "inscription" in path else "regenerate_password"
    data = {**ANSWERS, "information_lue": "y", "captcha": solved_captcha(client, "bretagne", form), "login": MAIL}
    client.get(path)
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "é"}, {"csrf_token": csrf_in(client.get(path))[:-1] + "?"}):
        assert client.post(path, data={**data, **token, "password": PASSWORD}).status_code == 400
    assert outbox() == []
    assert client.get_cookie("access_token") is None


@ONLY_SQLITE
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize("path", ["/user", "/user/auth", "/auth", "/user/password/regenerate", "/user/confirm"])
def test_what_a_foreign_form_can_send_is_no_json(client, path, kind):
    """These types need no preflight: a form of any site may send them with the visitor's cookies."""
    body = '{"login": "jeanne@brest.test", "password": "x", "mail": "jeanne@brest.test"}'
    answer = client.post("/api/bretagne" + path, data=body, content_type=kind)
    assert answer.status_code == 415
    assert outbox() == []


@ONLY_SQLITE
@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_or_field_changes_the_method(client, name):
    proof = by_cookie(client)
    assert client.get(PROFILE, headers={name: "DELETE", "X-CSRF-TOKEN": proof}).status_code == 405
    assert client.get(f"{PROFILE}?_method=DELETE", headers={"X-CSRF-TOKEN": proof}).status_code == 405
    assert find_by_mail("bretagne", MAIL).closing_at is None


@ONLY_SQLITE
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost",
        "http://localhost:8000",
        "https://localhost.evil.example",
        "http://localhost:8000.evil.example",
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_no_origin_is_ever_let_in_by_cors(client, origin, method):
    by_cookie(client)
    asked = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    answer = client.open(ME, method=method, headers={"Origin": origin, **asked})
    assert [name for name, _ in answer.headers if name.lower().startswith("access-control")] == []


@ONLY_SQLITE
def test_the_proof_is_bound_to_one_session(client):
    """Two sessions of the same person have two values, and none is that of another key."""
    first = by_cookie(client)
    second = by_cookie(client.application.test_client())
    assert first != second
    with client.application.app_context():
        user = find_by_mail("bretagne", MAIL)
        assert csrf_token_of(user.id) not in (first, second)


@ONLY_SQLITE
def test_a_request_for_an_account_from_elsewhere_carries_nobodys_cookies(client):
    """Over JSON asking is open to all; being signed in changes nothing of it, so there is nothing to forge."""
    by_cookie(client)
    answer = client.post(PROFILE, json=json_answers(client, mail="neuf@brest.test"))
    assert answer.status_code == 201
    assert find_by_mail("bretagne", "neuf@brest.test").status == Status.UNCONFIRMED
