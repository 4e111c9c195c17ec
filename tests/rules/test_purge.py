"""What is erased in time, what is warned before, and what stays."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditLine
from terristory.audit.trail import record
from terristory.auth.models import Failure, Session
from terristory.captcha.models import SpentChallenge
from terristory.database import Base, transaction
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.operations.cli import in_transaction
from terristory.operations.purge import Purged, purge
from terristory.settings import Settings
from terristory.user.models import Status, User
from tests.support.clock import Clock
from tests.support.people import an_account

pytestmark = pytest.mark.usefixtures("app")


def purged(settings: Settings, clock: Clock) -> Purged:
    """Purge now."""
    return purge(settings, clock.now(), in_transaction)


def change(user_id: UUID, **values: Any) -> None:
    """Set columns of an account."""
    with transaction():
        user = db.session.get(User, user_id)
        for name, value in values.items():
            setattr(user, name, value)


def exists(user_id: UUID) -> bool:
    """Return whether the account is still there."""
    return db.session.scalar(select(User.id).where(User.id == user_id)) is not None


def count(table: type[Base]) -> int:
    """Count the rows of a table."""
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def days_ago(clock: Clock, days: float) -> datetime:
    """Return the moment so many days ago."""
    return clock.now() - timedelta(days=days)


def test_with_nothing_due_nothing_goes(settings: Settings, clock: Clock) -> None:
    kept = [an_account(f"{status}@example.fr", status=status) for status in Status]
    assert set(purged(settings, clock).counts().values()) == {0}
    assert all(exists(user_id) for user_id in kept)


@pytest.mark.parametrize(
    ("status", "days", "reason"), [(Status.UNCONFIRMED, 14, "unconfirmed"), (Status.REFUSED, 90, "refused")]
)
def test_a_request_that_led_to_nothing_goes_when_its_days_are_over(
    settings: Settings, clock: Clock, status: Status, days: int, reason: str
) -> None:
    old, young = (an_account(f"{name}@example.fr", status=status) for name in ("old", "young"))
    change(old, created_at=days_ago(clock, days + 100), decided_at=days_ago(clock, days))
    change(young, created_at=days_ago(clock, days - 0.1), decided_at=days_ago(clock, days - 0.1))
    assert purged(settings, clock).counts()[reason] == 1
    assert (exists(old), exists(young)) == (False, True)


def test_a_closed_account_goes_after_its_days_and_not_before(settings: Settings, clock: Clock) -> None:
    user_id = an_account("closing@example.fr")
    change(user_id, closing_at=clock.now())
    clock.move(days=6, hours=23)
    assert purged(settings, clock).closed == 0
    clock.move(hours=1)
    assert purged(settings, clock).closed == 1
    assert not exists(user_id)


def test_an_erased_account_leaves_its_id_in_the_trail_and_no_mail(settings: Settings, clock: Clock) -> None:
    user_id = an_account("closing@example.fr")
    with transaction():
        mail = MailMessage("bretagne", "closing@example.fr", "fr", "admin/enabled", user_id=user_id)
        put_in_outbox(mail, now=clock.now())
    change(user_id, closing_at=days_ago(clock, 8))
    purged(settings, clock)
    lines = db.session.scalars(select(AuditLine).where(AuditLine.subject == user_id)).all()
    assert [line.event for line in lines] == ["user.erased"]
    assert count(OutboxMail) == 0


def test_an_unused_account_is_warned_once_then_erased_thirty_days_later(settings: Settings, clock: Clock) -> None:
    user_id = an_account("idle@example.fr")
    change(user_id, last_sign_in_at=days_ago(clock, 701))
    assert purged(settings, clock).warned == 1
    assert purged(settings, clock).warned == 0
    assert [mail.template for mail in db.session.scalars(select(OutboxMail))] == ["operations/inactive"]
    clock.move(days=29, hours=23)
    assert purged(settings, clock).inactive == 0
    clock.move(hours=1)
    assert purged(settings, clock).inactive == 1
    assert not exists(user_id)


def test_an_account_idle_for_years_is_still_warned_thirty_days_before(settings: Settings, clock: Clock) -> None:
    user_id = an_account("idle@example.fr")
    change(user_id, last_sign_in_at=days_ago(clock, 2000))
    first = purged(settings, clock)
    assert (first.warned, first.inactive) == (1, 0)
    assert exists(user_id)


def test_signing_in_after_the_warning_keeps_the_account(settings: Settings, clock: Clock) -> None:
    user_id = an_account("back@example.fr")
    change(user_id, inactivity_warned_at=days_ago(clock, 40), last_sign_in_at=days_ago(clock, 39))
    result = purged(settings, clock)
    assert (result.warned, result.inactive) == (0, 0)
    assert exists(user_id)


def test_idle_again_after_a_warning_of_before_the_account_is_warned_again(settings: Settings, clock: Clock) -> None:
    user_id = an_account("idle@example.fr")
    change(user_id, inactivity_warned_at=days_ago(clock, 801), last_sign_in_at=days_ago(clock, 800))
    result = purged(settings, clock)
    assert (result.warned, result.inactive) == (1, 0)
    assert exists(user_id)


def test_audit_lines_go_by_age_although_the_trail_is_append_only(settings: Settings, clock: Clock) -> None:
    with transaction():
        record(AuditEvent.SIGNED_IN, region="bretagne", now=days_ago(clock, 366))
        record(AuditEvent.SIGNED_IN, region="bretagne", now=days_ago(clock, 364))
    # The trigger judges by the database's clock, which no test moves.
    assert purged(settings, clock).audit_lines == 1
    events = [line.event for line in db.session.scalars(select(AuditLine).order_by(AuditLine.id))]
    assert events == ["auth.signed_in", "service.purged"]


def test_a_shorter_retention_is_followed_at_the_next_purge(make_app: Any, clock: Clock) -> None:
    app: Flask = make_app(KEEP_AUDIT_DAYS=10)
    with app.app_context():
        with transaction():
            record(AuditEvent.SIGNED_IN, region="bretagne", now=days_ago(clock, 20))
        assert purged(app.config["SETTINGS"], clock).audit_lines == 1
        db.session.remove()


def test_old_mails_go_but_those_that_still_wait(settings: Settings, clock: Clock) -> None:
    with transaction():
        for state in MailState:
            mail_id = put_in_outbox(
                MailMessage("bretagne", "a@example.fr", "fr", "admin/enabled"), now=days_ago(clock, 31)
            )
            db.session.flush()
            db.session.get(OutboxMail, mail_id).state = state
    assert purged(settings, clock).mails == 2
    assert db.session.scalars(select(OutboxMail.state)).all() == [MailState.PENDING]


def test_ended_sessions_and_spent_counters_go(settings: Settings, clock: Clock) -> None:
    user_id = an_account("a@example.fr")
    times = {"created_at": days_ago(clock, 40), "last_used_at": days_ago(clock, 31)}
    with transaction():
        db.session.add(Session(user_id=user_id, expires_at=days_ago(clock, 31), **times))
        live = Session(user_id=user_id, expires_at=clock.now() + timedelta(days=1), id=uuid4(), **times)
        db.session.add(live)
        db.session.add(SpentChallenge(nonce="old", expires_at=days_ago(clock, 1)))
        db.session.add(SpentChallenge(nonce="new", expires_at=clock.now()))
        db.session.add(Failure(key="k", count=3, last_at=days_ago(clock, 3)))
    result = purged(settings, clock)
    assert (result.sessions, result.counters) == (1, 2)
    assert db.session.scalars(select(Session.id)).all() == [live.id]
    assert db.session.scalars(select(SpentChallenge.nonce)).all() == ["new"]


def test_the_command_says_how_many_of_each_and_can_be_repeated(app: Flask) -> None:
    an_account("old@example.fr", status=Status.UNCONFIRMED)
    with transaction():
        db.session.query(User).one().created_at -= timedelta(days=15)
    run = app.test_cli_runner().invoke
    assert "unconfirmed: 1" in run(args=["purge"]).output
    assert "unconfirmed: 0" in run(args=["purge"]).output
