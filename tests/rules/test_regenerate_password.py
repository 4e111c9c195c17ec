"""A temporary password by mail: whom it goes to, how often, and what it leaves alone."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from terristory.audit.models import AuditLine
from terristory.auth.models import TemporaryPassword
from terristory.auth.temporary_password import Claimed, Dead, claim_temporary_password
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.sealing import open_sealed
from terristory.password_change.regenerate_password import regenerate_password
from terristory.user.lookup import find_by_mail
from terristory.user.models import Status
from tests.support.people import an_account

MAIL = "jeanne@brest.test"


def ask(clock, mail=MAIL, region="bretagne", **options):
    with transaction():
        return regenerate_password(region, mail, life_seconds=3600, now=clock.now(), **options)


def mailed():
    rows = db.session.scalars(select(OutboxMail).order_by(OutboxMail.created_at)).all()
    return [(row.recipient, row.template, open_sealed(row.sealed)["temporary_password"]) for row in rows]


def test_the_owner_gets_a_temporary_password_and_nothing_else_changes(app, clock):
    user_id = an_account(MAIL)
    before = find_by_mail("bretagne", MAIL).password_hash
    assert ask(clock)
    [(recipient, template, password)] = mailed()
    assert (recipient, template) == (MAIL, "password_change/temporary_password")
    assert find_by_mail("bretagne", MAIL).password_hash == before
    with transaction():
        assert isinstance(claim_temporary_password(user_id, password, now=clock.now()), Claimed)


def test_a_newer_one_replaces_it(app, clock):
    user_id = an_account(MAIL)
    ask(clock)
    clock.move(seconds=1)
    ask(clock)
    first, second = (password for _, _, password in mailed())
    with transaction():
        assert isinstance(claim_temporary_password(user_id, first, now=clock.now()), Dead)
        assert isinstance(claim_temporary_password(user_id, second, now=clock.now()), Claimed)


@pytest.mark.parametrize("status", [Status.UNCONFIRMED, Status.AWAITING, Status.REFUSED, Status.DISABLED])
def test_only_an_active_account_gets_one(app, clock, status):
    an_account(MAIL, status=status)
    assert not ask(clock)
    assert mailed() == []


def test_an_account_being_closed_gets_none(app, clock):
    an_account(MAIL, closing_at=clock.now())
    assert not ask(clock)


def test_the_same_address_in_another_region_gets_none(app, clock):
    an_account(MAIL, region="corse")
    assert not ask(clock)
    assert mailed() == []


def test_asking_for_an_unknown_address_leaves_no_trace(app, clock):
    assert not ask(clock, "nobody@brest.test")
    for table in (OutboxMail, TemporaryPassword, AuditLine):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0


def test_three_mails_an_hour_and_no_more(app, clock):
    an_account(MAIL)
    assert [ask(clock) for _ in range(5)] == [True, True, True, False, False]
    clock.move(minutes=61)
    assert ask(clock)


def test_the_fourth_wish_lets_the_third_password_live(app, clock):
    user_id = an_account(MAIL)
    for _ in range(4):
        clock.move(seconds=1)
        ask(clock)
    with transaction():
        assert isinstance(claim_temporary_password(user_id, mailed()[-1][2], now=clock.now()), Claimed)


def test_wishes_for_an_unknown_address_count_too(app, clock):
    for _ in range(3):
        ask(clock)
    an_account(MAIL)
    assert not ask(clock)


def test_without_limits_each_wish_is_granted(app, clock):
    an_account(MAIL)
    assert all(ask(clock, rate_limits=False) for _ in range(5))


def test_its_life_is_the_one_asked_for(app, clock):
    an_account(MAIL)
    ask(clock)
    row = db.session.scalar(select(TemporaryPassword))
    mail = db.session.scalar(select(OutboxMail))
    assert timedelta(seconds=row.life_seconds) == timedelta(hours=1)
    assert row.mail_id == mail.id
