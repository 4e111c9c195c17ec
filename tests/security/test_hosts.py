"""The Host a client claims is in no link, no redirect and no mail; in production a foreign one is a 400."""

import html
import re

import pytest

from terristory.clock import utc_now
from terristory.extensions import db
from terristory.mail_outbox.rendering import render
from terristory.user.models import Role, Status
from tests.http.test_readyz import PRODUCTION
from tests.support.captcha import solved_captcha
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import json_answers, outbox

MAIL = "jeanne@brest.test"
EVIL = "evil.example"
SPOOFED = {
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Host": EVIL,
    "X-Original-Host": EVIL,
    "X-Original-URL": f"https://{EVIL}/",
    "X-Rewrite-URL": "/bretagne/admin/comptes",
    "X-Forwarded-Proto": "javascript",
    "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "Forwarded": f"host={EVIL};proto=https",
}
HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "evil.example:80",
    "localhost:8000@evil.example",
    "evil.example#",
    "",
    "a" * 300,
    "[::1",
    "é",
    "localhost\\evil.example",
    "localhost, evil.example",
]
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def words_of_mails(app):
    for mail in outbox():
        rendered = render(app, mail, attempt_at=utc_now())
        yield rendered.text + html.unescape(rendered.html)


def poisoned(client, **headers):
    """Make every act that mails a link, under a false Host."""
    spoofed = {"Host": EVIL, **SPOOFED, **headers}
    admin = bearer_of(client, "admin@brest.test")
    asked = json_answers(client, mail="neuf@brest.test")
    assert client.post("/api/bretagne/user", json=asked, headers=spoofed).status_code == 201
    captcha = solved_captcha(client, "bretagne", "regenerate_password")
    sent = client.post(
        "/api/bretagne/user/password/regenerate", json={"mail": MAIL, "captcha": captcha}, headers=spoofed
    )
    assert sent.status_code == 202
    waiting = an_account("attend@brest.test", status=Status.AWAITING)
    client.post(f"/api/bretagne/admin/users/{waiting}/activate", json={}, headers=admin | spoofed)
    client.post("/api/bretagne/auth", json={"login": MAIL, "password": "wrong"}, headers=spoofed)


def test_every_link_of_a_mail_begins_with_the_public_address(app, client):
    an_account(MAIL)
    an_account("admin@brest.test", role=Role.ADMIN)
    poisoned(client)
    texts = list(words_of_mails(app))
    assert len(texts) >= 3
    public = app.config["SETTINGS"].public_url
    links = [link for text in texts for link in re.findall(r"https?://[^\s\"<>]+", text)]
    assert links
    assert all(link.startswith(public) for link in links), links
    assert not any(EVIL in text for text in texts)


@ONLY_SQLITE
@pytest.mark.parametrize("host", HOSTS)
def test_a_false_host_shows_nowhere_in_development(client, host):
    for path in ("/bretagne/", "/bretagne/connexion", "/BRETAGNE/connexion", "/bretagne/compte", "/api/regions", "/x"):
        answer = client.get(path, headers={"Host": host, **SPOOFED})
        assert answer.status_code < 500
        assert "evil.example" not in answer.get_data(as_text=True)
        assert "evil.example" not in str(answer.headers)


@ONLY_SQLITE
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/", "/bretagne/connexion", "/api/regions", "/api/bretagne/auth/me", "/livez", "/x"])
def test_a_foreign_host_is_refused_in_production(make_app, host, path):
    client = make_app(**PRODUCTION).test_client()
    answer = client.get(path, headers={"Host": host}, base_url="https://compte.example.fr")
    if host:
        assert answer.status_code == 400
    assert EVIL not in answer.get_data(as_text=True)
    assert "Set-Cookie" not in answer.headers


@ONLY_SQLITE
def test_forwarded_headers_of_nobody_change_nothing_in_production(make_app):
    client = make_app(**PRODUCTION).test_client()
    answer = client.get("/BRETAGNE/connexion", base_url="https://compte.example.fr", headers=SPOOFED)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/bretagne/connexion")
    assert EVIL not in str(answer.headers)


@ONLY_SQLITE
def test_a_trusted_proxy_is_believed_by_its_last_hop_only(make_app):
    """One hop: what the client itself wrote before it does not count (ASVS 4.1.3)."""
    app = make_app(**PRODUCTION, TRUSTED_PROXIES=1)
    with app.app_context():
        client = app.test_client()
        forwarded = {"X-Forwarded-Host": f"{EVIL}, compte.example.fr", "X-Forwarded-Proto": "http, https"}
        good = client.get("/api/regions", base_url="http://127.0.0.1:8000", headers=forwarded)
        assert good.status_code == 200
        evil = {**forwarded, "X-Forwarded-Host": f"compte.example.fr, {EVIL}"}
        assert client.get("/api/regions", base_url="http://127.0.0.1:8000", headers=evil).status_code == 400
        db.session.remove()
