"""Closing one's account, taking it back, erasing it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from terristory.account.closing import (
    AlreadyClosing,
    Closing,
    TakenBack,
    close_account,
    erase_account,
    take_back_account,
)
from terristory.audit.models import AuditLine
from terristory.auth.models import Session
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.mail_outbox.sealing import open_sealed
from terristory.user.change_mail import ask_mail_change
from terristory.user.errors import LastAdmin
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import Dead
from terristory.user.mails import new_request_mail
from terristory.user.models import Role
from tests.rules.test_change_password import a_session
from tests.support.people import an_account

MAIL = "jeanne.rarename@brest.test"


def close(user_id, clock):
    with transaction():
        return close_account("bretagne", user_id, erasure_days=7, now=clock.now())


def take_back(token, clock, region="bretagne"):
    with transaction():
        return take_back_account(region, token, erasure_days=7, now=clock.now())


def token_mailed():
    mail = db.session.scalar(select(OutboxMail).where(OutboxMail.template == "account/closing"))
    return open_sealed(mail.sealed)["token"]


def test_it_signs_out_everywhere_and_says_when_the_data_go(app, clock):
    user_id = an_account(MAIL)
    session = a_session(user_id, clock.now())
    assert close(user_id, clock) == Closing(clock.now() + timedelta(days=7))
    assert find_user("bretagne", user_id).closing_at == clock.now()
    assert db.session.scalar(select(Session.ended_at).where(Session.id == session)) is not None


def test_closing_twice_mails_once(app, clock):
    user_id = an_account(MAIL)
    close(user_id, clock)
    assert close(user_id, clock) == AlreadyClosing()
    assert len(db.session.scalars(select(OutboxMail)).all()) == 1


def test_the_last_administrator_stays(app, clock):
    user_id = an_account(MAIL, role=Role.ADMIN)
    with pytest.raises(LastAdmin):
        close(user_id, clock)
    an_account("second@brest.test", role=Role.ADMIN)
    assert isinstance(close(user_id, clock), Closing)


def test_the_link_takes_it_back_once(app, clock):
    user_id = an_account(MAIL)
    close(user_id, clock)
    clock.move(days=6)
    assert take_back(token_mailed(), clock) == TakenBack(user_id)
    assert find_user("bretagne", user_id).closing_at is None
    assert take_back(token_mailed(), clock) == Dead("token_used")


def test_the_link_is_nothing_in_another_region_and_nothing_later(app, clock):
    close(an_account(MAIL), clock)
    assert take_back(token_mailed(), clock, region="corse") == Dead("token_unknown")
    clock.move(days=7)
    assert take_back(token_mailed(), clock) == Dead("token_expired")


def test_erasing_leaves_the_address_nowhere_and_frees_it(app, clock):
    admin = find_user("bretagne", an_account("admin@brest.test", role=Role.ADMIN))
    user_id = an_account(MAIL)
    a_session(user_id, clock.now())
    with transaction():
        user = find_user("bretagne", user_id)
        put_in_outbox(new_request_mail(admin, user), now=clock.now())
        ask_mail_change(user, "rarename.new@brest.test", limited=True, now=clock.now())
    close(user_id, clock)
    with transaction():
        assert erase_account("bretagne", user_id, now=clock.now())
    assert "rarename" not in everything_stored()
    an_account(MAIL)


def test_erasing_keeps_the_trail_by_id(app, clock):
    user_id = an_account(MAIL)
    close(user_id, clock)
    with transaction():
        erase_account("bretagne", user_id, now=clock.now())
    lines = db.session.scalars(select(AuditLine).order_by(AuditLine.id)).all()
    assert [(line.event, line.subject) for line in lines] == [("user.closing", user_id), ("user.erased", user_id)]


def test_erasing_touches_nobody_else_and_no_other_region(app, clock):
    kept = an_account("other@brest.test")
    namesake = an_account(MAIL, region="corse")
    user_id = an_account(MAIL)
    with transaction():
        assert not erase_account("corse", user_id, now=clock.now())
        assert erase_account("bretagne", user_id, now=clock.now())
    assert find_user("bretagne", kept) is not None
    assert find_user("corse", namesake) is not None


def everything_stored() -> str:
    """Every row of every table, as one text."""
    tables = [f'"{table.name}"' for table in db.metadata.sorted_tables]
    rows = [row for table in tables for row in db.session.execute(text(f"SELECT * FROM {table}"))]
    return " ".join(str(value) for row in rows for value in row).lower()
