"""kill -9 at every moment of registration, confirmation, activation, refresh and delivery: all of it happened, or none.

Accounts, outbox and audit trail agree after each death, and doing it again ends where it should.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from terristory.audit.models import AuditLine
from terristory.captcha.models import SpentChallenge
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.mail_outbox.sealing import open_sealed
from terristory.user.models import MailLink, Role, User
from tests.support.captcha import solved
from tests.support.environment import PASSWORD, service_environment
from tests.support.mortal import MOST_MOMENTS, Answer, Mortal, mortal_service
from tests.support.people import an_account
from tests.support.smtp import MailServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]
API = "/api/bretagne"
CHOSEN = "girafe violon tempête 7 carottes"
# What became of one person's request: status, audit events, mails, links that live and that were used.
Facts = tuple[str | None, list[str], list[str], int, int]


@pytest.fixture
def mortal(database: Any, app: Flask) -> Iterator[Mortal]:
    """The service on the test's database; `app` is there to look at it."""
    with mortal_service(service_environment(DATABASE_URL=database.url, RATE_LIMITS=False)) as service:
        yield service


def facts(mail: str) -> Facts:
    """What the database says of the person at an address."""
    db.session.rollback()
    db.session.expire_all()
    user = db.session.scalar(select(User).where(User.mail == mail))
    if user is None:
        mails = db.session.scalars(select(OutboxMail.template).where(OutboxMail.recipient == mail)).all()
        return None, [], list(mails), 0, 0
    events = db.session.scalars(select(AuditLine.event).where(AuditLine.subject == user.id).order_by(AuditLine.id))
    mails = db.session.scalars(select(OutboxMail.template).where(OutboxMail.user_id == user.id))
    links = db.session.scalars(select(MailLink).where(MailLink.user_id == user.id)).all()
    live = sum(link.used_at is None and link.superseded_at is None for link in links)
    used = sum(link.used_at is not None for link in links)
    return user.status, list(events), sorted(mails), live, used


def captcha(mortal: Mortal) -> str:
    """A solved captcha for a request."""
    answer = mortal.ask("GET", f"{API}/captcha?form=create_user")
    assert answer is not None
    return solved(answer.body)


def register(mortal: Mortal, mail: str, proof: str, die_at: int | None = None) -> Answer | None:
    """Ask for an account."""
    applicant = {"prenom": "Jeanne", "nom": "Le Goff", "organisation": "Brest métropole", "information_lue": True}
    return mortal.ask("POST", f"{API}/user", {**applicant, "mail": mail, "captcha": proof}, die_at=die_at)


def secret_of(mail: str, template: str, name: str) -> str:
    """A secret of the newest mail to an address."""
    statement = select(OutboxMail.sealed).where(OutboxMail.recipient == mail, OutboxMail.template == template)
    return open_sealed(db.session.scalars(statement.order_by(OutboxMail.created_at.desc())).first())[name]


def at_every_moment(act: Callable[[int], Answer | None]) -> Iterator[tuple[int, Answer | None]]:
    """Do an act anew for each moment it has, dying there, and at last once to its end."""
    for moment in range(1, MOST_MOMENTS):
        answer = act(moment)
        yield moment, answer
        if answer is not None:
            return
    raise AssertionError("the act has no end")


def test_a_registration_that_dies_is_whole_or_absent_and_can_be_made_again(mortal: Mortal) -> None:
    whole: Facts = ("unconfirmed", ["user.created"], ["user/confirm"], 1, 0)
    absent: Facts = (None, [], [], 0, 0)
    seen = []
    for moment, answer in at_every_moment(lambda m: register(mortal, f"r{m}@brest.test", captcha(mortal), m)):
        mail = f"r{moment}@brest.test"
        seen.append(facts(mail))
        assert seen[-1] in (whole, absent)
        accounts = select(func.count()).select_from(User)
        spent = select(func.count()).select_from(SpentChallenge)
        assert db.session.scalar(accounts) == db.session.scalar(spent), "an account a captcha"
        if answer is None:
            again = register(mortal, mail, captcha(mortal))
            assert again is not None and again.status == 201
            status, events, _mails, live, _used = facts(mail)
            assert (status, events, live) == ("unconfirmed", ["user.created"], 1)
            if seen[-1] == whole:
                # The one captcha that this second request cost more.
                with transaction():
                    db.session.delete(db.session.scalars(select(SpentChallenge)).first())
    assert seen.count(whole) >= 2 and seen.count(absent) >= 5


def test_a_confirmation_that_dies_is_whole_or_absent_and_can_be_made_again(mortal: Mortal) -> None:
    an_account("admin@brest.test", role=Role.ADMIN)
    before: Facts = ("unconfirmed", ["user.created"], ["user/confirm"], 1, 0)
    mails = ["user/confirm", "user/new_request", "user/received"]
    after: Facts = ("awaiting", ["user.created", "user.confirmed"], mails, 0, 1)
    seen = []

    def confirm(mail: str, die_at: int | None = None) -> Answer | None:
        body = {"token": secret_of(mail, "user/confirm", "token"), "password": CHOSEN}
        return mortal.ask("POST", f"{API}/user/confirm", body, die_at=die_at)

    def register_and_confirm(moment: int) -> Answer | None:
        register(mortal, f"c{moment}@brest.test", captcha(mortal))
        return confirm(f"c{moment}@brest.test", moment)

    for moment, answer in at_every_moment(register_and_confirm):
        mail = f"c{moment}@brest.test"
        seen.append(facts(mail))
        assert seen[-1] in (before, after)
        if answer is None:
            again = confirm(mail)
            assert again is not None
            assert again.status == 204 if seen[-1] == before else again.body["code"] == "token_used"
            assert facts(mail) == after
    assert seen.count(after) >= 2 and seen.count(before) >= 5


def test_an_activation_that_dies_is_whole_or_absent_and_can_be_made_again(mortal: Mortal) -> None:
    an_account("admin@brest.test", role=Role.ADMIN)
    token = signed_in(mortal, "admin@brest.test")["access_token"]
    before: Facts = ("awaiting", [], [], 0, 0)
    after: Facts = ("active", ["user.activated"], ["admin/activated"], 0, 0)
    seen = []
    ids = {}

    def activate(mail: str, die_at: int | None = None) -> Answer | None:
        return mortal.ask("POST", f"{API}/admin/users/{ids[mail]}/activate", {}, token=token, die_at=die_at)

    def ask_and_activate(moment: int) -> Answer | None:
        mail = f"a{moment}@brest.test"
        ids[mail] = an_account(mail, status="awaiting")
        return activate(mail, moment)

    for moment, answer in at_every_moment(ask_and_activate):
        mail = f"a{moment}@brest.test"
        seen.append(facts(mail))
        assert seen[-1] in (before, after)
        if answer is None:
            again = activate(mail)
            assert again is not None and again.status == 200
            assert facts(mail) == after
    assert seen.count(after) >= 2 and seen.count(before) >= 5


@pytest.mark.parametrize("device", [None, "tablette"], ids=["stable", "rotating"])
def test_a_refresh_that_dies_burns_no_token(mortal: Mortal, device: str | None) -> None:
    an_account("jeanne@brest.test")
    given = {}

    def refresh(token: str, die_at: int | None = None) -> Answer | None:
        return mortal.ask("POST", f"{API}/auth/refresh", {"refresh_token": token}, die_at=die_at)

    def sign_in_and_refresh(moment: int) -> Answer | None:
        more = {"device": f"{device} {moment}"} if device else {}
        given[moment] = signed_in(mortal, "jeanne@brest.test", **more)["refresh_token"]
        return refresh(given[moment], moment)

    deaths = 0
    for moment, answer in at_every_moment(sign_in_and_refresh):
        deaths += answer is None
        again = refresh(given[moment])
        assert again is not None and again.status == 200, moment
        next_one = refresh(again.body["refresh_token"])
        assert next_one is not None and next_one.status == 200, moment
    assert deaths >= 4
    replayed = select(func.count()).select_from(AuditLine).where(AuditLine.event == "auth.refresh_replayed")
    assert db.session.scalar(replayed) == 0


def signed_in(mortal: Mortal, mail: str, **more: str) -> dict[str, str]:
    """Sign in and return the tokens."""
    answer = mortal.ask("POST", f"{API}/auth", {"login": mail, "password": PASSWORD, **more})
    assert answer is not None and answer.status == 200, answer
    tokens: dict[str, str] = answer.body
    return tokens


def test_a_mail_whose_worker_dies_leaves_all_the_same_and_twice_at_most(
    database: Any, app: Flask, mail_server: MailServer
) -> None:
    environ = service_environment(DATABASE_URL=database.url, RATE_LIMITS=False, SMTP_URL=mail_server.url)
    copies = []
    with mortal_service(environ) as mortal:

        def write_and_deliver(moment: int) -> Answer | None:
            message = MailMessage(
                "bretagne", f"m{moment}@brest.test", "fr", "password_change/temporary_password",
                {"prenom": "Jeanne", "life_seconds": 3600}, {"temporary_password": "k7wq4m2xr9htc3vn"},
            )  # fmt: skip
            with transaction():
                put_in_outbox(message, now=utc_now())
            return mortal.deliver(die_at=moment)

        for moment, _answer in at_every_moment(write_and_deliver):
            # Later than the lease of the worker that died.
            assert mortal.deliver(later=200) is not None
            db.session.rollback()
            db.session.expire_all()
            row = db.session.scalars(select(OutboxMail).where(OutboxMail.recipient == f"m{moment}@brest.test")).one()
            received = [one for one in mail_server.messages if one.recipients == (row.recipient,)]
            assert (row.state, row.sealed, row.context, row.leased_until) == (MailState.SENT, None, {}, None), moment
            assert {one.message["Message-ID"] for one in received} == {row.message_id}
            copies.append(len(received))
    assert set(copies) == {1, 2}, copies
    # Only between the server's "250" and the commit of what it said.
    assert copies[0] == 1 and copies[-1] == 1 and copies.count(1) > copies.count(2)
