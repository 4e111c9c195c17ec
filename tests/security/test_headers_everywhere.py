"""Every route and every error, in production, carries the headers; nothing that is somebody's is stored by a cache."""

import re
from uuid import uuid4

import pytest

from terristory.extensions import db
from terristory.user.models import Role
from tests.http.test_readyz import PRODUCTION
from tests.support.environment import PASSWORD
from tests.support.people import an_account

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
BASE = "https://compte.example.fr"
MAIL = "jeanne@brest.test"
TELLING = ("Server", "X-Powered-By", "X-AspNet-Version", "Via", "X-Runtime")


@pytest.fixture
def client(make_app):
    app = make_app(**PRODUCTION)
    with app.app_context():
        an_account(MAIL, role=Role.ADMIN)
        yield app.test_client()
        db.session.remove()


def headers_hold(answer):
    headers = answer.headers
    assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("frame-ancestors", "base-uri", "object-src")} == {"'none'"}
    assert policy["form-action"] == "'self'"
    assert set(policy.values()) == {"'none'", "'self'"}
    assert not [name for name in TELLING if name in headers]
    assert "Werkzeug" not in str(headers) and "Python" not in str(headers)
    if answer.status_code not in (204, 304) and answer.get_data():
        kind = headers["Content-Type"].lower()
        assert "charset=utf-8" in kind or not kind.startswith("text/")


def paths(app):
    def value(argument):
        name = argument.group(1)
        return {"region": "bretagne", "region_key": "bretagne"}.get(
            name, "x" if name in ("token", "guide") else str(uuid4())
        )

    rules = [rule for rule in app.url_map.iter_rules() if "static" not in rule.rule and rule.rule != "/favicon.ico"]
    return [(re.sub(r"<(?:[^<>]+:)?([^:<>]+)>", value, rule.rule), rule) for rule in rules]


def test_every_route_in_every_method_carries_the_headers(client):
    bearer = bearer_of_production(client)
    for path, _rule in paths(client.application):
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            headers = {**bearer, "Referer": BASE} if path.startswith("/api/") and method == "GET" else {"Referer": BASE}
            answer = client.open(path, method=method, base_url=BASE, headers=headers)
            headers_hold(answer)
            stored = "no-store" not in answer.headers["Cache-Control"]
            assert not (stored and answer.status_code >= 400), (method, path)


def bearer_of_production(client):
    answer = client.post("/api/bretagne/auth", json={"login": MAIL, "password": PASSWORD}, base_url=BASE)
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}


PUBLIC = {"/", "/aide", "/accessibilite", "/.well-known/jwks.json", "/api/openapi.yaml", "/api/regions"}
PUBLIC_OF_A_REGION = {"/bretagne/", "/bretagne/mentions-legales", "/bretagne/donnees-personnelles"}


def test_only_public_answers_may_be_stored(client):
    """The page of somebody signed in is never stored, not even a public one: it names him."""
    signed_in = client.application.test_client()
    entered = signed_in.post("/api/bretagne/user/auth", json={"login": MAIL, "password": PASSWORD}, base_url=BASE)
    assert entered.status_code == 200
    for path, rule in paths(client.application):
        if "GET" not in (rule.methods or ()):
            continue
        answer = client.get(path, base_url=BASE)
        if path not in PUBLIC | PUBLIC_OF_A_REGION and not path.startswith("/aide/"):
            assert answer.headers["Cache-Control"] == "no-store", path
        mine = signed_in.get(path, base_url=BASE)
        if MAIL in mine.get_data(as_text=True) or "Se déconnecter" in mine.get_data(as_text=True):
            assert mine.headers["Cache-Control"] == "no-store", path


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/nowhere/", {}, 404),
        ("GET", "/api/nowhere", {}, 404),
        ("GET", "/bretagne/nowhere", {}, 404),
        ("DELETE", "/bretagne/connexion", {"headers": {"Referer": BASE}}, 405),
        ("PUT", "/api/regions", {}, 405),
        ("BREW", "/api/regions", {}, 405),
        ("TRACE", "/", {}, 405),
        ("POST", "/api/bretagne/auth", {"data": b"{" * 20_000, "content_type": "application/json"}, 413),
        ("POST", "/api/bretagne/auth", {"data": b"{", "content_type": "application/json"}, 400),
        ("POST", "/api/bretagne/auth", {"data": b"{}", "content_type": "text/plain"}, 415),
        ("POST", "/api/bretagne/user", {"json": {}}, 422),
        ("GET", "/api/bretagne/auth/me", {}, 401),
        ("POST", "/bretagne/connexion", {"data": {}}, 400),
        ("GET", "/bretagne/confirmer/x", {}, 404),
        ("GET", "/.git/config", {}, 404),
        ("GET", "/console/", {}, 404),
        ("GET", "/.env", {}, 404),
        ("GET", "/docs/", {}, 404),
        ("GET", "/metrics", {}, 401),
    ],
)
def test_every_error_carries_the_headers_and_says_nothing_of_the_machine(client, method, path, options, status):
    answer = client.open(path, method=method, base_url=BASE, **options)
    assert answer.status_code == status
    headers_hold(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.get_data(as_text=True)
    assert not re.search(r"Traceback|sqlalchemy|werkzeug|/home/|site-packages|psycopg|sqlite", body, re.IGNORECASE)
    if path.startswith("/api/"):
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("path", ["/bretagne/connexion", "/bretagne/inscription", "/api/regions", "/api/bretagne/auth"])
def test_an_error_of_ours_says_its_number_and_no_more(client, monkeypatch, path):
    """Whatever breaks: the words of the exception stay in the log (ASVS 16.5.1)."""
    secret = "canary-in-an-exception"

    def breaks(*_args, **_kwargs):
        raise RuntimeError(f"{secret} SELECT * FROM user -- /home/app/secret")

    app = client.application
    for name in [name for name, view in app.view_functions.items() if view.__module__.startswith("terristory")]:
        monkeypatch.setitem(app.view_functions, name, breaks)
    with client.allowing_500():
        method = "POST" if path.endswith("/auth") else "GET"
        answer = client.open(path, method=method, base_url=BASE)
    assert answer.status_code == 500
    headers_hold(answer)
    body = answer.get_data(as_text=True)
    assert secret not in body and "SELECT" not in body and "/home" not in body
    assert answer.headers["X-Request-ID"] in body


@pytest.mark.parametrize(
    "broken",
    [
        "terristory.auth.guards.read_access_token",
        "terristory.auth.guards.retrieve_user",
        "terristory.auth.guards.is_csrf_token_of",
        "terristory.auth.guards.is_same_origin",
    ],
)
def test_a_check_that_breaks_lets_nobody_in(client, monkeypatch, broken):
    """Fail closed (ASVS 16.5.3): an error in a check is never a yes."""
    signed_in = client.application.test_client()
    signed_in.post("/api/bretagne/user/auth", json={"login": MAIL, "password": PASSWORD}, base_url=BASE)
    proof = signed_in.get_cookie("__Host-csrf_token", domain="compte.example.fr").value

    def breaks(*_args, **_kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr(broken, breaks)
    with signed_in.allowing_500():
        answer = signed_in.patch(
            "/api/bretagne/user", json={"fonction": "x"}, base_url=BASE, headers={"X-CSRF-TOKEN": proof}
        )
    assert answer.status_code == 500


@pytest.mark.parametrize(
    ("broken", "path", "body"),
    [
        (
            "terristory.captcha.forms.check_token_captcha",
            "/user",
            {
                "prenom": "A",
                "nom": "B",
                "mail": "a@brest.test",
                "organisation": "C",
                "information_lue": True,
                "captcha": "x",
            },
        ),
        ("terristory.captcha.forms.check_token_captcha", "/user/password/regenerate", {"mail": MAIL, "captcha": "x"}),
        ("terristory.auth.authenticate.verify_password", "/auth", {"login": MAIL, "password": PASSWORD}),
        ("terristory.auth.forms.weigh", "/auth", {"login": MAIL, "password": PASSWORD}),
    ],
)
def test_a_gate_that_breaks_stays_shut(client, monkeypatch, broken, path, body):
    def breaks(*_args, **_kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr(broken, breaks)
    with client.allowing_500():
        answer = client.post(f"/api/bretagne{path}", json=body, base_url=BASE)
    assert answer.status_code == 500
