"""The service as it runs in production: https, `__Host-` cookies, its own names only, nothing of development."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.rendering import render
from terristory.regions.catalogue import load_regions
from terristory.regions.models import Region
from tests.http.test_readyz import PRODUCTION
from tests.support.captcha import solved
from tests.support.client import CheckedClient
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.requests_for_accounts import ANSWERS, csrf_in

SITE = "https://compte.example.fr"
MAIL = "jeanne@brest.test"
PREFIX = "__Host-"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Browser:
    """A browser on the public address: it sends what browsers send with a form over https."""

    def __init__(self, client: CheckedClient) -> None:
        self.client = client

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, base_url=SITE, **options)

    def post(
        self, path: str, *, referer: str | None = None, headers: dict[str, str] | None = None, **options: Any
    ) -> Any:
        # `Referrer-Policy: same-origin` lets browsers send the whole address to ourselves.
        sent = {"Referer": referer or SITE + path, "Origin": SITE, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        return self.client.post(path, base_url=SITE, headers=sent, **options)

    def send_form(self, path: str, **fields: str) -> Any:
        return self.post(path, data={**fields, "csrf_token": csrf_in(self.get(path))})


@pytest.fixture
def production(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    app = make_app(**PRODUCTION)
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def browser(production: Flask) -> Browser:
    client = production.test_client()
    assert isinstance(client, CheckedClient)
    return Browser(client)


def signed_in(browser: Browser) -> Any:
    an_account(MAIL)
    answer = browser.send_form("/bretagne/connexion", login=MAIL, password=PASSWORD)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer


def test_every_cookie_of_a_session_is_bound_to_this_very_host(browser: Browser) -> None:
    cookies = signed_in(browser).headers.getlist("Set-Cookie")
    names = {cookie.partition("=")[0] for cookie in cookies if cookie.partition("=")[2][:1] != ";"}
    assert {PREFIX + name for name in ("access_token", "refresh_token", "csrf_token", "device", "session")} <= names
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "path=/", "samesite=lax"} <= attributes
        assert not any(attribute.startswith("domain") for attribute in attributes)
        assert ("httponly" in attributes) == (not cookie.startswith(PREFIX + "csrf_token"))


def test_cookies_under_their_names_of_development_count_for_nothing(browser: Browser, production: Flask) -> None:
    signed_in(browser)
    access = browser.client.get_cookie(PREFIX + "access_token", domain="compte.example.fr")
    assert access is not None
    other = production.test_client(use_cookies=False)
    for name, status in (("access_token", 401), (PREFIX + "access_token", 200)):
        headers = {"Cookie": f"{name}={access.value}"}
        assert other.get("/api/bretagne/auth/me", base_url=SITE, headers=headers).status_code == status


def test_the_language_is_remembered_in_a_secure_cookie(browser: Browser) -> None:
    (cookie,) = browser.get("/?lang=en").headers.getlist("Set-Cookie")
    assert cookie.startswith("langue=en;") and "Secure" in cookie and "HttpOnly" in cookie


@pytest.mark.parametrize(
    "path", ["/", "/bretagne/", "/bretagne/connexion", "/api/regions", "/nowhere", "/livez", "/static/css/site.css"]
)
def test_https_is_asked_for_on_every_answer(browser: Browser, path: str) -> None:
    with browser.get(path) as answer:
        policy = answer.headers["Strict-Transport-Security"]
    parts = dict(part.strip().partition("=")[::2] for part in policy.split(";"))
    assert int(parts["max-age"]) >= 31536000


@pytest.mark.parametrize(
    "path", ["/dev/courriels", "/dev/courriels/", "/dev/courriels/00000000-0000-0000-0000-000000000000"]
)
def test_nothing_of_development_is_there(browser: Browser, production: Flask, path: str) -> None:
    assert browser.get(path).status_code == 404
    assert not [rule.rule for rule in production.url_map.iter_rules() if rule.rule.startswith("/dev")]


@pytest.mark.parametrize("path", ["/console", "/.git/config", "/.env", "/static/../wsgi.py", "/docs", "/debug"])
def test_nothing_is_shown_that_is_no_page(browser: Browser, path: str) -> None:
    # What could be a region is sent to its home, which is not there.
    assert browser.get(path, follow_redirects=True).status_code == 404


def test_debugging_is_off(production: Flask) -> None:
    assert production.debug is False
    assert not production.config["TRAP_HTTP_EXCEPTIONS"] and not production.config.get("PROPAGATE_EXCEPTIONS")


def test_a_region_is_closed_until_it_is_opened(browser: Browser) -> None:
    with transaction():
        for region in db.session.scalars(select(Region)):
            db.session.delete(region)
    with transaction():
        load_regions()
    assert browser.get("/api/regions").get_json() == {"regions": []}
    assert browser.get("/bretagne/").status_code == browser.get("/api/bretagne/captcha?form=confirm").status_code == 404
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "behind a proxy"])
def test_a_form_sent_as_browsers_send_it_over_https_is_taken(make_app: Callable[..., Flask], proxied: bool) -> None:
    app = make_app(**PRODUCTION, TRUSTED_PROXIES=1 if proxied else 0)
    with app.app_context():
        an_account(MAIL)
        client = app.test_client(use_cookies=False)
        # The proxy ends TLS and speaks plain http to us.
        base = "http://compte.example.fr" if proxied else SITE
        forwarded = {
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Host": "compte.example.fr",
        }
        headers = forwarded if proxied else {}
        page = client.get("/bretagne/connexion", base_url=base, headers=headers)
        assert page.headers["Referrer-Policy"] == "same-origin"
        session = next(cookie for cookie in page.headers.getlist("Set-Cookie") if cookie.startswith(PREFIX + "session"))
        answer = client.post(
            "/bretagne/connexion",
            base_url=base,
            data={"login": MAIL, "password": PASSWORD, "csrf_token": csrf_in(page)},
            headers={
                **headers,
                "Cookie": session.partition(";")[0],
                "Referer": SITE + "/bretagne/connexion",
                "Origin": SITE,
                "Sec-Fetch-Site": "same-origin",
            },
        )
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/bretagne/"
        db.session.remove()


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("Referer", "https://evil.example/bretagne/connexion"),
        ("Referer", "http://compte.example.fr/bretagne/connexion"),
        ("Origin", "https://evil.example"),
        ("Origin", "http://compte.example.fr"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ],
)
def test_a_form_sent_from_elsewhere_is_refused(browser: Browser, what: str, value: str) -> None:
    an_account(MAIL)
    token = csrf_in(browser.get("/bretagne/connexion"))
    data = {"login": MAIL, "password": PASSWORD, "csrf_token": token}
    assert browser.post("/bretagne/connexion", data=data, headers={what: value}).status_code == 400


def test_links_in_mails_lead_to_the_public_address_whatever_a_header_says(browser: Browser, production: Flask) -> None:
    hostile = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    challenge = browser.get("/api/bretagne/captcha?form=create_user").get_json()
    body = {**ANSWERS, "information_lue": True, "captcha": solved(challenge)}
    assert browser.post("/api/bretagne/user", json=body, headers=hostile).status_code == 201
    (mail,) = db.session.scalars(select(OutboxMail))
    rendered = render(production, mail, attempt_at=utc_now())
    for part in (rendered.text, rendered.html):
        assert SITE + "/bretagne/confirmer/" in part
        assert "evil.example" not in part and "http://" not in part
