"""Choosing a new password, and « ce n'était pas moi »."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select

from terristory.audit.models import AuditLine
from terristory.auth.models import Session
from terristory.auth.temporary_password import Dead, claim_temporary_password, issue_temporary_password
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.password_change.change_password import change_password, void_password
from terristory.user.lookup import find_by_mail
from terristory.user.mail_confirmation import make_link
from terristory.user.models import LinkPurpose, MailLink, Status
from tests.support.people import an_account

MAIL = "jeanne@brest.test"


def a_session(user_id, now, **more):
    session = Session(
        id=uuid4(), user_id=user_id, created_at=now, last_used_at=now, expires_at=now + timedelta(hours=1), **more
    )
    with transaction():
        db.session.add(session)
    return session.id


def change(user_id, clock, keep):
    session = db.session.get(Session, keep)
    forced = session is not None and session.must_change_password
    with transaction():
        return change_password(
            "bretagne",
            user_id,
            "new hash",
            verified_hash=None if forced else find_by_mail("bretagne", MAIL).password_hash,
            keep_session=keep,
            session_max_seconds=86400,
            now=clock.now(),
        )


def void(user_id, clock):
    with transaction():
        return void_password("bretagne", user_id, life_seconds=3600, now=clock.now())


def templates():
    return [mail.template for mail in db.session.scalars(select(OutboxMail).order_by(OutboxMail.created_at))]


def events():
    return [line.event for line in db.session.scalars(select(AuditLine).order_by(AuditLine.id))]


def ended(session_id):
    return db.session.scalar(select(Session.ended_at).where(Session.id == session_id)) is not None


def test_other_sessions_end_and_this_one_lives_on(app, clock):
    user_id = an_account(MAIL)
    here, elsewhere = a_session(user_id, clock.now()), a_session(user_id, clock.now())
    assert change(user_id, clock, keep=here)
    assert not ended(here)
    assert ended(elsewhere)
    assert find_by_mail("bretagne", MAIL).password_hash == "new hash"


def test_the_owner_is_told_and_the_trail_too(app, clock):
    user_id = an_account(MAIL)
    change(user_id, clock, keep=a_session(user_id, clock.now()))
    assert templates() == ["password_change/changed"]
    assert events() == ["password.changed"]


def test_a_session_of_a_temporary_password_becomes_an_ordinary_one(app, clock):
    user_id = an_account(MAIL)
    here = a_session(user_id, clock.now(), must_change_password=True)
    change(user_id, clock, keep=here)
    session = db.session.scalar(select(Session).where(Session.id == here))
    assert not session.must_change_password
    assert session.expires_at == session.created_at + timedelta(days=1)


def test_an_ordinary_session_lives_no_longer_for_it(app, clock):
    user_id = an_account(MAIL)
    here = a_session(user_id, clock.now())
    change(user_id, clock, keep=here)
    session = db.session.scalar(select(Session).where(Session.id == here))
    assert session.expires_at == session.created_at + timedelta(hours=1)


def test_a_temporary_password_that_waits_dies(app, clock):
    user_id = an_account(MAIL)
    with transaction():
        waiting = issue_temporary_password(user_id, life_seconds=3600, now=clock.now()).password
    change(user_id, clock, keep=a_session(user_id, clock.now()))
    with transaction():
        assert isinstance(claim_temporary_password(user_id, waiting, now=clock.now()), Dead)


def test_an_account_disabled_meanwhile_keeps_its_password(app, clock):
    user_id = an_account(MAIL, status=Status.DISABLED)
    assert not change(user_id, clock, keep=uuid4())
    assert find_by_mail("bretagne", MAIL).password_hash != "new hash"
    assert templates() == []


def test_it_was_not_me_takes_the_password_away_and_ends_every_session(app, clock):
    user_id = an_account(MAIL)
    sessions = [a_session(user_id, clock.now()) for _ in range(2)]
    assert void(user_id, clock)
    assert all(ended(session) for session in sessions)
    assert find_by_mail("bretagne", MAIL).password_hash is None
    assert templates() == ["password_change/temporary_password"]
    assert "password.voided" in events()


def test_it_was_not_me_stops_a_change_of_address(app, clock):
    user_id = an_account(MAIL)
    with transaction():
        make_link(user_id, LinkPurpose.NEW_ADDRESS, mail="thief@elsewhere.test", now=clock.now())
    void(user_id, clock)
    assert db.session.scalar(select(MailLink.superseded_at)) is not None


def test_it_was_not_me_mails_three_times_an_hour_at_most(app, clock):
    user_id = an_account(MAIL)
    assert all(void(user_id, clock) for _ in range(5))
    assert len(templates()) == 3


def test_it_was_not_me_takes_the_password_of_a_disabled_account_and_mails_nothing(app, clock):
    user_id = an_account(MAIL, status=Status.DISABLED)
    assert not void(user_id, clock)
    assert find_by_mail("bretagne", MAIL).password_hash is None
    assert "password.voided" in events()
    assert templates() == []


def test_it_was_not_me_leaves_alone_who_still_asks_for_an_account(app, clock):
    user_id = an_account(MAIL, status=Status.AWAITING)
    assert not void(user_id, clock)
    assert find_by_mail("bretagne", MAIL).password_hash is not None
    assert events() == []
