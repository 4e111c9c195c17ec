"""Texts as weapons: control characters never reach a mail's headers; markup and template code are mere text."""

import html
import re

import pytest

from terristory.clock import utc_now
from terristory.extensions import db
from terristory.mail_outbox.delivery import deliver_due
from terristory.mail_outbox.rendering import render
from terristory.user.lookup import find_by_mail
from terristory.user.models import Role, User
from terristory.user.signed_links import LinkKind, sign_link
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import MAIL, json_answers, outbox, secrets_of

ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
API = "/api/bretagne/user"
ADMIN = "admin@brest.test"
LINE_FIELDS = ("prenom", "nom", "mail", "organisation", "fonction", "territoire", "langue")
C0 = [chr(code) for code in (*range(0x20), 0x7F)]
C1 = [chr(code) for code in range(0x80, 0xA0)]
BREAKS = ["\u2028", "\u2029"]
INVISIBLE = ["\u202e", "\u2066", "\u200b", "\ufeff", "\ue000", "\uffff"]
ADDRESS = "jeanne@brest.test"


HEADERS_OF_A_MAIL = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-language",
    "auto-submitted",
    "reply-to",
    "content-transfer-encoding",
    "x-auto-response-suppress",
}


@pytest.fixture
def client(unlimited):
    return unlimited


def injected(field, character):
    """A header to add, behind the character; in the middle, for texts are trimmed at their ends."""
    before = ADDRESS if field == "mail" else "Jeanne"
    return f"{before}{character}Bcc: victime@evil.example"


@pytest.mark.parametrize("field", LINE_FIELDS)
def test_no_control_character_enters_by_any_field_of_one_line(client, field):
    body = json_answers(client)
    for character in C0 + C1 + BREAKS + INVISIBLE:
        answer = client.post(API, json={**body, field: injected(field, character)})
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field]), repr(character)
    assert outbox() == []
    assert db.session.query(User).count() == 0


@pytest.mark.parametrize("field", ["prenom", "nom", "organisation", "fonction", "territoire", "langue"])
def test_none_enters_by_the_profile_either(client, field):
    an_account(ADDRESS)
    bearer = bearer_of(client, ADDRESS)
    for character in C0 + C1 + BREAKS + INVISIBLE:
        answer = client.patch(API, json={field: injected(field, character)}, headers=bearer)
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field]), repr(character)


def test_a_text_of_several_lines_takes_line_breaks_and_no_other_control(client):
    body = json_answers(client)
    for character in [*sorted(set(C0) - {"\n", "\r", "\t"}), *C1, *BREAKS, *INVISIBLE]:
        answer = client.post(API, json={**body, "motif": f"a{character}b"})
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["motif"]), repr(character)
    assert client.post(API, json={**body, "motif": "une\r\ndeux\n\ttrois"}).status_code == 201


@ONLY_SQLITE
@pytest.mark.parametrize(
    "mail",
    [
        "a@brest.test,victime@evil.example",
        "a@brest.test;b@evil.example",
        "a@brest.test b@evil.example",
        "a@brest.test>, <b@evil.example",
        "<a@brest.test>",
        '"a, b@evil.example"@brest.test',
        "a(b@evil.example)@brest.test",
        "a@brest.test%0aBcc:b@evil.example",
        "a@brest.test\\nBcc: b",
        "a@[127.0.0.1]",
        "a@brest",
        "@brest.test",
        "a@@brest.test",
        "a..b@brest.test",
        "a@-brest.test",
        "é@brest.test",
        "ﬀ@brest.test",
        "Ⅸ@brest.test",
        "а@brest.test",
        "a" * 65 + "@brest.test",
        "a@" + "b" * 250 + ".test",
        "postmaster",
    ],
)
def test_what_is_not_one_address_is_nobodys(client, mail):
    answer = client.post(API, json=json_answers(client, mail=mail))
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["mail"])
    assert outbox() == []


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</textarea><svg onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{7*7}}",
    "{{config}}",
    "{% raw %}x{% endraw %}",
    "${7*7}",
    "#{7*7}",
    "%(mail)s",
    "%s%n",
    "{0.__class__}",
    "{mail}",
    "&lt;b&gt;&amp;",
    "http://evil.example/ cliquez",
    '=HYPERLINK("http://evil.example")',
]


def asked(client, payload):
    """Ask for an account with the payload in each text that takes it, and confirm."""
    an_account(ADMIN, role=Role.ADMIN)
    body = json_answers(client, organisation=payload, fonction=payload, territoire=payload, motif=payload)
    assert client.post(API, json=body).status_code == 201
    return find_by_mail("bretagne", MAIL.lower())


def as_read(page):
    """The words of a page as a browser shows them. That it holds no markup of the payload the client checks itself."""
    return html.unescape(re.sub(r"<[^>]*>", "\x00", page))


def holds_no_tag_of(payload, page):
    """Each `<` of the payload was escaped."""
    tags = re.findall(r"<(?:script>|img|svg|b>)[^>]*>?", payload)
    return not any(tag in page for tag in tags)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_person_wrote_is_text_on_every_page_that_shows_it(client, payload):
    user = asked(client, payload)
    token = secrets_of("user/confirm")[0]["token"]
    assert holds_no_tag_of(payload, client.get(f"/bretagne/confirmer/{token}").get_data(as_text=True))
    client.post("/api/bretagne/user/auth", json={"login": ADMIN, "password": PASSWORD})
    one = client.get(f"/bretagne/admin/comptes/{user.id}").get_data(as_text=True)
    assert as_read(one).count(payload) >= 4
    rows = client.get("/bretagne/admin/comptes?status=all").get_data(as_text=True)
    assert as_read(rows).count(payload) >= 1
    found = client.get("/bretagne/admin/comptes", query_string={"q": payload, "status": "all"})
    sought = found.get_data(as_text=True)
    assert payload in html.unescape(sought)
    assert all(holds_no_tag_of(payload, page) for page in (one, rows, sought))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_person_wrote_is_text_in_the_form_that_comes_back(client, payload):
    an_account(ADDRESS, organisation=payload, fonction=payload)
    client.post("/api/bretagne/user/auth", json={"login": ADDRESS, "password": PASSWORD})
    form = client.get("/bretagne/compte/profil").get_data(as_text=True)
    assert [html.unescape(value) for value in re.findall(r'value="([^"]*)"', form)].count(payload) == 2
    assert holds_no_tag_of(payload, form)
    refused = client.post("/bretagne/connexion", data={"login": payload})
    assert holds_no_tag_of(payload, refused.get_data(as_text=True))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_a_person_wrote_is_text_in_the_mails_of_the_administrators(client, payload):
    asked(client, payload)
    token = secrets_of("user/confirm")[0]["token"]
    confirmed = client.post(f"{API}/confirm", json={"token": token, "password": "girafe violon tempête 7 carottes"})
    assert confirmed.status_code == 204
    [mail] = [row for row in outbox() if row.template == "user/new_request"]
    rendered = render(client.application, mail, attempt_at=utc_now())
    # What splits a link for mail readers is invisible: what is read is what was written.
    assert rendered.text.replace("\u2060", "").count(payload) >= 3
    assert as_read(rendered.html).replace("\u2060", "").count(payload) >= 3
    assert holds_no_tag_of(payload, rendered.html)
    assert "evil.example" not in rendered.text + rendered.html
    assert payload not in rendered.subject


@pytest.mark.parametrize("payload", [*PAYLOADS, "a\r\nBcc: victime@evil.example", "\u202eabc\u2028d"])
def test_the_name_a_device_gives_itself_is_text_in_the_mail_and_in_the_list(client, payload):
    """Whoever signs in with a stolen password chooses it, and its owner reads it."""
    an_account(ADDRESS)
    for device in ("first", payload):
        body = {"login": ADDRESS, "password": PASSWORD, "device": device}
        assert client.post("/api/bretagne/auth", json=body).status_code == 200
    [mail] = [row for row in outbox() if row.template == "auth/new_device"]
    rendered = render(client.application, mail, attempt_at=utc_now())
    assert holds_no_tag_of(payload, rendered.html)
    assert "evil.example" not in rendered.text + rendered.html
    assert not [line for line in rendered.text.splitlines() if line.startswith("Bcc:")]
    client.post("/api/bretagne/user/auth", json={"login": ADDRESS, "password": PASSWORD})
    shown = client.get("/bretagne/compte/sessions").get_data(as_text=True)
    assert "".join(filter(str.isprintable, payload)) in as_read(shown)
    assert holds_no_tag_of(payload, shown)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_an_administrator_writes_is_text_too(client, payload):
    user = asked(client, "x")
    headers = bearer_of(client, ADMIN)
    refused = client.post(f"/api/bretagne/admin/users/{user.id}/refuse", json={"reason": payload}, headers=headers)
    assert refused.status_code == 200
    [mail] = [row for row in outbox() if row.template == "admin/refused"]
    rendered = render(client.application, mail, attempt_at=utc_now())
    assert payload in rendered.text.replace("\u2060", "")
    assert payload in as_read(rendered.html).replace("\u2060", "")
    status = client.get(f"/bretagne/demande/{sign_link(LinkKind.REQUEST, 'bretagne', user.id)}").get_data(as_text=True)
    assert holds_no_tag_of(payload, rendered.html) and holds_no_tag_of(payload, status)


@ONLY_SQLITE
def test_a_mail_on_the_wire_has_our_headers_and_one_recipient(make_app, mail_server):
    app = make_app(SMTP_URL=mail_server.url, RATE_LIMITS=False)
    with app.app_context():
        client = app.test_client()
        asked(client, "Bcc: victime@evil.example")
        token = secrets_of("user/confirm")[0]["token"]
        client.post(f"{API}/confirm", json={"token": token, "password": "girafe violon tempête 7 carottes"})
        assert deliver_due(app, clock=utc_now) == 3
        db.session.remove()
    assert sorted(message.recipients for message in mail_server.messages) == [(MAIL,), (MAIL,), (ADMIN,)]
    for message in mail_server.messages:
        names = [name.lower() for name in message.message.keys()]  # noqa: SIM118 - a message yields its names so
        assert set(names) <= HEADERS_OF_A_MAIL and len(names) == len(set(names)), names
        assert "victime" not in str(message.message["Subject"])
