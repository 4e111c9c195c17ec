"""Safe requests of every route by everybody leave the database as it was: scanners of mails may open links."""

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from terristory.audit.events import AuditEvent
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.sealing import open_sealed
from terristory.user.change_mail import ask_mail_change
from terristory.user.lookup import find_by_mail, find_user
from terristory.user.models import Role, Status
from terristory.user.signed_links import LinkKind, sign_link
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import MAIL, ask, outbox, secrets_of

USER, ADMIN, CLOSING = "user@brest.test", "admin@brest.test", "ferme@brest.test"
GOOD = "girafe violon tempête 7 carottes"
SAFE = ("GET", "HEAD", "OPTIONS")


def dump():
    """Every row of every table, but the trace that somebody has read his own export: it says who reads."""
    db.session.expire_all()
    rows = {table.name: map(repr, db.session.execute(select(table)).all()) for table in db.metadata.sorted_tables}
    return {name: sorted(row for row in found if AuditEvent.USER_EXPORTED not in row) for name, found in rows.items()}


@pytest.fixture
def client(unlimited):
    return unlimited


@pytest.fixture
def links(client):
    """The paths of all kinds of mailed links, each live, and an object for the administrators."""
    ask(utc_now())
    user_id = an_account(USER)
    an_account(ADMIN, role=Role.ADMIN)
    an_account("second@brest.test", role=Role.ADMIN)
    target = an_account("objet@brest.test", status=Status.AWAITING)
    an_account(CLOSING)
    gone = client.delete("/api/bretagne/user", json={"password": PASSWORD}, headers=bearer_of(client, CLOSING))
    assert gone.status_code == 204
    with transaction():
        ask_mail_change(find_user("bretagne", user_id), "neuf@brest.test", limited=False, now=utc_now())
    applicant = find_by_mail("bretagne", MAIL.lower())
    return {
        "confirmer": secrets_of("user/confirm")[0]["token"],
        "reprendre": secrets_of("account/closing")[0]["token"],
        "adresse": secrets_of("account/confirm_new_address")[0]["token"],
        "demande": sign_link(LinkKind.REQUEST, "bretagne", applicant.id),
        "pas-moi": next(values["not_me_token"] for values in secrets_of("account/address_change_asked")),
        "target": target,
    }


def paths_of(app, links):
    """Each route that answers a safe method, filled with live values."""

    def fill(rule):
        def value(argument):
            name = argument.group(1)
            known = {"region": "bretagne", "region_key": "bretagne", "guide": "demander-un-compte", "name": "x"}
            if name == "token":
                return links[rule.split("/")[2]]
            if name == "mail_id":
                return str(outbox()[0].id)
            return known.get(name, "aaaaaaaaaaaa" if name == "digest" else str(links["target"]))

        return re.sub(r"<(?:[^<>]+:)?([^:<>]+)>", value, rule)

    rules = [rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return [fill(rule) for rule in sorted(rules) if rule not in ("/static/<path:filename>", "/favicon.ico")]


def visitors(client):
    app = client.application
    member, admin = app.test_client(), app.test_client()
    for visitor, mail in ((member, USER), (admin, ADMIN)):
        visitor.post("/api/bretagne/user/auth", json={"login": mail, "password": PASSWORD})
    return {"nobody": app.test_client(), "member": member, "admin": admin}


def test_no_safe_request_of_anybody_writes_anything(client, links):
    people = visitors(client)
    paths = paths_of(client.application, links)
    assert len(paths) > 40
    bearers = {"nobody": {}, "member": bearer_of(client, USER), "admin": bearer_of(client, ADMIN)}
    before = dump()
    for who, visitor in people.items():
        for path in paths:
            for method in SAFE:
                headers = bearers[who] if path.startswith("/api/") and method == "GET" else {}
                answer = visitor.open(path, method=method, headers=headers)
                assert answer.status_code < 500, (method, path)
        assert dump() == before, who


def test_a_scanner_that_opens_every_link_twenty_times_spoils_none(client, links):
    scanner = client.application.test_client()
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.77"}}
    for kind in ("confirmer", "reprendre", "adresse", "demande", "pas-moi"):
        for _ in range(20):
            assert scanner.get(f"/bretagne/{kind}/{links[kind]}", **elsewhere).status_code == 200, kind
            assert scanner.head(f"/bretagne/{kind}/{links[kind]}", **elsewhere).status_code == 200, kind
    confirmed = client.post("/api/bretagne/user/confirm", json={"token": links["confirmer"], "password": GOOD})
    assert confirmed.status_code == 204
    moved = client.post("/api/bretagne/user/mail/confirm", json={"token": links["adresse"]})
    assert moved.status_code == 204
    assert find_by_mail("bretagne", "neuf@brest.test") is not None


def test_no_page_of_a_link_sends_itself(client, links):
    """Scanners even run scripts: a person has to press the button (Kratos #1451)."""
    for kind in ("confirmer", "reprendre", "adresse", "pas-moi"):
        page = client.get(f"/bretagne/{kind}/{links[kind]}").get_data(as_text=True)
        assert 'method="post"' in page and "http-equiv" not in page
        assert not re.search(r"data-(auto|submit-now)", page)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_unsafe_route_has_no_safe_method(client, links):
    """HEAD runs a GET view: whatever changes something must answer neither."""
    people, app = visitors(client), client.application
    unsafe = [rule for rule in app.url_map.iter_rules() if "GET" not in (rule.methods or ())]
    assert len(unsafe) > 30
    also_safe = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    before = dump()
    for rule in unsafe:
        if rule.rule in also_safe:
            continue
        path = re.sub(
            r"<(?:[^<>]+:)?([^:<>]+)>",
            lambda name: "bretagne" if "region" in name[0] else str(links["target"]),
            rule.rule,
        )
        for method in ("GET", "HEAD", "TRACE", "PROPFIND"):
            answer = people["admin"].open(path, method=method)
            assert answer.status_code == 405, (method, path, answer.status_code)
            assert "GET" not in answer.headers["Allow"]
    assert dump() == before


def test_the_secrets_of_links_are_not_in_the_database(client, links):
    """A reader of the tables can follow no link: digests and sealed boxes only."""
    stored = repr(dump())
    for kind in ("confirmer", "reprendre", "adresse"):
        assert links[kind] not in stored
    assert all(isinstance(open_sealed(mail.sealed), dict) for mail in outbox())
    assert isinstance(links["target"], UUID)
