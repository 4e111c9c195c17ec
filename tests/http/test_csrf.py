"""A sending that a cookie carries must prove that it comes from our pages; a bearer token needs no such proof."""

import pytest

from terristory.extensions import db
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of
from tests.support.probes import ENDPOINT, PAGE, add_probes

MAIL, OTHER = "jeanne@brest.test", "autre@brest.test"
REFRESH, LOGOUT = "/api/bretagne/auth/refresh", "/api/bretagne/auth/logout"
EVIL = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
]
OURS = [{}, {"Origin": "http://localhost"}, {"Origin": "http://localhost:8000"}, {"Sec-Fetch-Site": "same-origin"}]


@pytest.fixture
def client(make_app, clock):
    app = add_probes(make_app(RATE_LIMITS=False))
    with app.app_context():
        an_account(MAIL)
        an_account(OTHER)
        yield app.test_client()
        db.session.remove()


def sign_in(client, mail=MAIL, **headers):
    return client.post("/api/bretagne/user/auth", json={"login": mail, "password": PASSWORD}, headers=headers)


def token_of(client, mail=MAIL):
    assert sign_in(client, mail).status_code == 200
    return client.get_cookie("csrf_token").value


@pytest.fixture
def proof(client):
    other = token_of(client.application.test_client(), OTHER)
    right = token_of(client)
    return {"right": right, "other": other, "wrong": "0" * 64, "not ascii": "é", "empty": ""}


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, ENDPOINT) for method in ("POST", "PUT", "PATCH", "DELETE")] + [("POST", LOGOUT), ("POST", REFRESH)],
)
@pytest.mark.parametrize("kind", ["none", "other", "wrong", "not ascii", "empty"])
def test_a_cookie_without_the_sessions_proof_is_refused(client, proof, method, path, kind):
    headers = {} if kind == "none" else {"X-CSRF-TOKEN": proof[kind]}
    answer = client.open(path, method=method, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "csrf_failed")
    assert client.get(ENDPOINT).status_code == 200


@pytest.mark.parametrize("path", [ENDPOINT, REFRESH, LOGOUT])
@pytest.mark.parametrize("headers", OURS)
def test_the_proof_of_the_session_passes(client, proof, path, headers):
    assert client.post(path, headers={"X-CSRF-TOKEN": proof["right"], **headers}).status_code in (200, 204)


@pytest.mark.parametrize("path", [ENDPOINT, REFRESH, LOGOUT])
@pytest.mark.parametrize("headers", EVIL)
def test_the_right_proof_from_elsewhere_is_refused(client, proof, path, headers):
    answer = client.post(path, headers={"X-CSRF-TOKEN": proof["right"], **headers})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "csrf_failed")


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}])
def test_a_bearer_token_needs_no_proof(client, headers):
    bearer = bearer_of(client, MAIL)
    assert client.post(ENDPOINT, headers={**bearer, **headers}).status_code == 200


def test_the_proof_stays_when_the_session_is_renewed(client, proof):
    client.post(REFRESH, headers={"X-CSRF-TOKEN": proof["right"]})
    assert client.get_cookie("csrf_token").value == proof["right"]


@pytest.mark.parametrize("headers", EVIL)
def test_nobody_is_signed_in_from_elsewhere(client, headers):
    answer = sign_in(client, **headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "csrf_failed")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("headers", EVIL)
def test_a_form_from_elsewhere_is_refused_with_its_right_token(client, headers):
    token_of(client)
    form_token = client.get(PAGE).get_data(as_text=True).split()[1]
    assert client.post(PAGE, data={"csrf_token": form_token}, headers=headers).status_code == 400
    assert client.post(PAGE, data={"csrf_token": form_token}).status_code == 200


def test_a_form_token_dies_at_the_next_sign_in(client):
    token_of(client)
    form_token = client.get(PAGE).get_data(as_text=True).split()[1]
    token_of(client)
    assert client.post(PAGE, data={"csrf_token": form_token}).status_code == 400


def test_reading_needs_no_proof(client):
    token_of(client)
    assert client.get(ENDPOINT, headers={"Origin": "https://evil.example"}).status_code == 200
