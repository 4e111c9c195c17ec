"""The root secret is changed: with SECRET_KEY_PREVIOUS nobody notices; without, what it signed is worth nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
import pytest
from flask import Flask

from terristory.clock import utc_now
from terristory.extensions import db
from terristory.user.signed_links import LinkKind, open_link, sign_link
from tests.support.client import CheckedClient
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.requests_for_accounts import ANSWERS, ask, csrf_in, json_answers, secrets_of

MAIL = "jeanne@brest.test"
OLD = "old-root-secret-w8Kz3QmXt5Yb7RdLp2Vn9CfH"
NEW = "new-root-secret-J4sGx6ZeUa1TqWk8Nv3ByDhM"
AUTH = "/api/bretagne/auth"
MakeApp = Callable[..., Flask]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@dataclass
class Before:
    """What people hold when the secret is changed."""

    user_id: UUID
    browser: CheckedClient
    profile_token: str
    tokens: dict[str, str]
    registration: dict[str, Any]
    link: str

    def cookies_for(self, app: Flask) -> CheckedClient:
        """The same browser, talking to another start of the service."""
        client = app.test_client()
        for cookie in self.browser._cookies.values():  # type: ignore[attr-defined]
            client.set_cookie(cookie.key, cookie.value, domain="localhost")
        assert isinstance(client, CheckedClient)
        return client


@pytest.fixture(params=["HS256", "EdDSA", "ES256"])
def algorithm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def before(make_app: MakeApp, clock: Any, algorithm: str) -> Before:
    """Sign in, ask for an account, open forms: all under the old secret."""
    app = make_app(SECRET_KEY=OLD, JWT_ALGORITHM=algorithm, RATE_LIMITS=False)
    with app.app_context():
        user_id = an_account(MAIL)
        browser = app.test_client()
        body = {"login": MAIL, "password": PASSWORD}
        assert browser.post("/api/bretagne/user/auth", json=body).status_code == 200
        visitor = app.test_client()
        held = Before(
            user_id=user_id,
            browser=browser,
            profile_token=csrf_in(browser.get("/bretagne/compte/profil")),
            tokens=visitor.post(AUTH, json={**body, "device": "poste"}).get_json(),
            registration=json_answers(visitor, mail="autre@brest.test"),
            link=sign_link(LinkKind.NOT_ME, "bretagne", user_id),
        )
        ask(utc_now(), mail="attend@brest.test")
        db.session.remove()
    return held


@pytest.fixture
def rotated(before: Before, make_app: MakeApp, algorithm: str) -> Iterator[Flask]:
    """The service started again with a new secret that knows the previous one."""
    app = make_app(SECRET_KEY=NEW, SECRET_KEY_PREVIOUS=OLD, JWT_ALGORITHM=algorithm, RATE_LIMITS=False)
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def forgetful(before: Before, make_app: MakeApp, algorithm: str) -> Iterator[Flask]:
    """The service started again with a new secret and without the previous one."""
    app = make_app(SECRET_KEY=NEW, JWT_ALGORITHM=algorithm, RATE_LIMITS=False)
    with app.app_context():
        yield app
        db.session.remove()


def bearer(tokens: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def test_an_access_token_goes_on_and_its_successor_is_signed_by_the_new_key(
    before: Before, rotated: Flask, forgetful: Flask
) -> None:
    client = rotated.test_client()
    assert client.get(f"{AUTH}/me", headers=bearer(before.tokens)).status_code == 200
    following = client.post(f"{AUTH}/refresh", json={"refresh_token": before.tokens["refresh_token"]}).get_json()
    kids = [jwt.get_unverified_header(tokens["access_token"])["kid"] for tokens in (before.tokens, following)]
    assert kids[0] != kids[1]
    # Once the previous secret is forgotten, the token of before dies and the one of after lives.
    late = forgetful.test_client()
    assert late.get(f"{AUTH}/me", headers=bearer(before.tokens)).status_code == 401
    assert late.get(f"{AUTH}/me", headers=bearer(following)).status_code == 200


def test_a_browser_stays_signed_in_and_sends_the_form_it_had_open(before: Before, rotated: Flask) -> None:
    browser = before.cookies_for(rotated)
    changes = {"prenom": "Éléonore", "langue": "fr", "confirmation": "y"}
    form = {**ANSWERS, **changes, "csrf_token": before.profile_token}
    assert browser.post("/bretagne/compte/profil", data=form).status_code == 303
    assert browser.get("/api/bretagne/auth/me").get_json()["me"]["prenom"] == "Éléonore"


def test_a_browser_renews_with_its_csrf_token_of_before(before: Before, rotated: Flask) -> None:
    browser = before.cookies_for(rotated)
    proof = browser.get_cookie("csrf_token")
    assert proof is not None
    answer = browser.post(f"{AUTH}/refresh", headers={"X-CSRF-TOKEN": proof.value})
    assert answer.status_code == 200
    renewed = browser.get_cookie("csrf_token")
    assert renewed is not None and renewed.value != proof.value


def test_a_browser_is_still_a_known_device(before: Before, rotated: Flask) -> None:
    browser = before.cookies_for(rotated)
    answer = browser.post("/api/bretagne/user/auth", json={"login": MAIL, "password": PASSWORD})
    assert answer.status_code == 200
    assert not any(cookie.startswith("device=") for cookie in answer.headers.getlist("Set-Cookie"))


def test_a_solved_captcha_still_counts_once(before: Before, rotated: Flask) -> None:
    client = rotated.test_client()
    assert client.post("/api/bretagne/user", json=before.registration).status_code == 201
    assert client.post("/api/bretagne/user", json=before.registration).status_code == 422


def test_sealed_mails_open_and_signed_links_lead_where_they_led(before: Before, rotated: Flask) -> None:
    assert [set(secret) for secret in secrets_of("user/confirm")] == [{"token"}]
    token = secrets_of("user/confirm")[0]["token"]
    assert rotated.test_client().get(f"/bretagne/confirmer/{token}").status_code == 200
    assert open_link(LinkKind.NOT_ME, "bretagne", before.link) == before.user_id
    assert rotated.test_client().get(f"/bretagne/pas-moi/{before.link}").status_code == 200


def test_both_keys_are_published_newest_first_and_none_is_shared(
    before: Before, rotated: Flask, algorithm: str
) -> None:
    keys = rotated.test_client().get("/.well-known/jwks.json").get_json()["keys"]
    assert len(keys) == (0 if algorithm == "HS256" else 2)
    assert len({key["kid"] for key in keys}) == len(keys)
    assert not {"d", "k", "p", "q"} & {name for key in keys for name in key}


def test_without_the_previous_secret_what_it_signed_is_worth_nothing(before: Before, forgetful: Flask) -> None:
    client = forgetful.test_client()
    assert client.get(f"{AUTH}/me", headers=bearer(before.tokens)).status_code == 401
    assert client.post("/api/bretagne/user", json=before.registration).status_code == 422
    assert open_link(LinkKind.NOT_ME, "bretagne", before.link) is None
    assert client.get(f"/bretagne/pas-moi/{before.link}").status_code == 404
    # Refresh tokens are random and rest on no key: their holders come back by themselves.
    assert client.post(f"{AUTH}/refresh", json={"refresh_token": before.tokens["refresh_token"]}).status_code == 200


def read_as_a_sibling(token: str, published: dict[str, Any]) -> dict[str, Any]:
    """What docs/api.md tells a sibling service to do: PyJWT, the published keys, and one algorithm."""
    keys = jwt.PyJWKSet.from_dict(published)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token,
        key.key,
        algorithms=[str(key.algorithm_name)],
        audience="bretagne",
        issuer="terristory",
        options={"require": ["exp", "iat", "nbf", "sub", "jti"]},
    )
    return claims


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"], indirect=True)
def test_a_sibling_service_verifies_with_pyjwt_and_the_published_keys_alone(
    before: Before, rotated: Flask, algorithm: str
) -> None:
    client = rotated.test_client()
    answer = client.get("/.well-known/jwks.json")
    assert "public" in answer.headers["Cache-Control"]
    published = answer.get_json()
    new = client.post(AUTH, json={"login": MAIL, "password": PASSWORD}).get_json()
    for tokens in (before.tokens, new):
        claims = read_as_a_sibling(tokens["access_token"], published)
        assert (claims["sub"], claims["aud"], claims["type"]) == (str(before.user_id), "bretagne", "access")
        assert claims["user_id"] == {"mail": MAIL, "region": "bretagne"}
        assert datetime.fromtimestamp(claims["exp"], UTC) > utc_now()
    head, body, signature = new["access_token"].split(".")
    spoiled = ("A" if signature[0] != "A" else "B") + signature[1:]
    with pytest.raises(jwt.InvalidSignatureError):
        read_as_a_sibling(f"{head}.{body}.{spoiled}", published)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"], indirect=True)
def test_a_token_signed_with_a_published_key_as_if_it_were_a_shared_secret_is_refused(
    before: Before, rotated: Flask, algorithm: str
) -> None:
    """Algorithm confusion: what is public must not sign (RFC 8725, 2.1)."""
    client = rotated.test_client()
    key = client.get("/.well-known/jwks.json").get_json()["keys"][0]
    claims = jwt.decode(before.tokens["access_token"], options={"verify_signature": False})
    for public in (key["x"].encode() * 2, NEW.encode()):
        forged = jwt.encode(claims, public, "HS256", headers={"kid": key["kid"]})
        answer = client.get(f"{AUTH}/me", headers={"Authorization": f"Bearer {forged}"})
        assert answer.status_code == 401
