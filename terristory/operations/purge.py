"""Erasing in time what has no reason to stay (GDPR, article 5-1-e; CNIL 2021-122). Idempotent; run once a day."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute

from terristory.account.closing import erase_account
from terristory.admin.reminders import remind
from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditLine
from terristory.audit.trail import record
from terristory.auth.models import Failure, Session
from terristory.captcha.models import SpentChallenge, TicketQuota
from terristory.database import Base
from terristory.extensions import db
from terristory.mail_outbox.models import MailQuota, MailState, OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.operations.prepare import keep_audit_days
from terristory.settings import Settings
from terristory.user.models import Status, User

# A device stays known for 30 days after its session was last used.
KEEP_ENDED_SESSIONS = timedelta(days=30)
KEEP_COUNTERS = timedelta(days=2)
INACTIVITY_NOTICE = timedelta(days=30)
# Erasing goes by portions, so that no transaction holds the write lock for long.
PORTION = 200


@dataclass(frozen=True)
class Purged:
    """How many of each were erased, or warned."""

    closed: int = 0
    unconfirmed: int = 0
    refused: int = 0
    inactive: int = 0
    warned: int = 0
    reminders: int = 0
    audit_lines: int = 0
    mails: int = 0
    sessions: int = 0
    counters: int = 0

    def counts(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


def due_for_erasure(settings: Settings, now: datetime) -> dict[str, ColumnElement[bool]]:
    """Return, by reason, the condition on accounts whose time is over."""
    warned_long_ago = (User.inactivity_warned_at <= now - INACTIVITY_NOTICE) & (User.inactivity_warned_at > _last_use())
    return {
        "closed": User.closing_at <= now - timedelta(days=settings.account_erasure_days),
        "unconfirmed": (User.status == Status.UNCONFIRMED)
        & (User.created_at <= now - timedelta(days=settings.keep_unconfirmed_days)),
        "refused": (User.status == Status.REFUSED)
        & (func.coalesce(User.decided_at, User.created_at) <= now - timedelta(days=settings.keep_refused_days)),
        "inactive": _is_inactive(now - timedelta(days=settings.keep_inactive_days)) & warned_long_ago,
    }


def erase_due(condition: ColumnElement[bool], now: datetime) -> int:
    """Erase one portion of the accounts that meet a condition; return how many."""
    # Held: an account taken back at this very moment is judged anew, not erased.
    statement = select(User.id, User.region).where(condition).order_by(User.id).limit(PORTION).with_for_update()
    due: list[tuple[UUID, str]] = [(row.id, row.region) for row in db.session.execute(statement)]
    for user_id, region in due:
        erase_account(region, user_id, now=now)
    return len(due)


def warn_inactive(settings: Settings, now: datetime) -> int:
    """Warn one portion of the owners whose account will be erased in 30 days for want of use; return how many."""
    limit = now + INACTIVITY_NOTICE - timedelta(days=settings.keep_inactive_days)
    # A warning of before the latest sign-in was about another idle time.
    unwarned = User.inactivity_warned_at.is_(None) | (User.inactivity_warned_at <= _last_use())
    statement = select(User).where(_is_inactive(limit), unwarned).limit(PORTION)
    users = db.session.scalars(statement).all()
    erased_at = (now + INACTIVITY_NOTICE).isoformat()
    for user in users:
        user.inactivity_warned_at = now
        context = {"prenom": user.prenom, "erased_at": erased_at}
        mail = MailMessage(user.region, user.mail, user.langue, "operations/inactive", context, user_id=user.id)
        put_in_outbox(mail, now=now)
        record(AuditEvent.USER_INACTIVITY_WARNED, region=user.region, subject=user.id, now=now)
    return len(users)


def purge_records(settings: Settings, now: datetime) -> dict[str, int]:
    """Delete old audit lines, mails, ended sessions and spent counters; return how many of each."""
    keep_audit_days(settings.keep_audit_days)
    db.session.flush()
    old_mail = (OutboxMail.created_at <= now - timedelta(days=settings.keep_mail_days)) & (
        OutboxMail.state != MailState.PENDING
    )
    ended = func.coalesce(Session.ended_at, Session.replaced_at, Session.expires_at)
    return {
        # A little more than the retention: the trigger judges by the database's clock.
        "audit_lines": _delete(AuditLine, AuditLine.at <= now - timedelta(days=settings.keep_audit_days, minutes=5)),
        "mails": _delete(OutboxMail, old_mail),
        "sessions": _delete(
            Session, (ended <= now - KEEP_ENDED_SESSIONS) & (Session.last_used_at <= now - KEEP_ENDED_SESSIONS)
        ),
        "counters": _delete(SpentChallenge, SpentChallenge.expires_at <= now - timedelta(hours=1))
        + sum(_delete(table, at <= now - KEEP_COUNTERS) for table, at in _COUNTERS),
    }


_COUNTERS: tuple[tuple[type[Base], InstrumentedAttribute[datetime]], ...] = (
    (TicketQuota, TicketQuota.since),
    (MailQuota, MailQuota.since),
    (Failure, Failure.last_at),
)


def purge(settings: Settings, now: datetime, in_transaction: Callable[[Callable[[], int]], int]) -> Purged:
    """Erase all that is due, each portion in a transaction of its own (given by the door); return the counts.

    Once a day is also when requests that wait too long are recalled to the administrators.
    """
    counts: dict[str, int] = {}
    for reason, condition in due_for_erasure(settings, now).items():
        counts[reason] = _until_none(lambda condition=condition: in_transaction(lambda: erase_due(condition, now)))  # type: ignore[misc]
    counts["warned"] = _until_none(lambda: in_transaction(lambda: warn_inactive(settings, now)))
    counts["reminders"] = in_transaction(lambda: remind(operator_mail=settings.operator_mail, now=now))

    def records() -> int:
        counts.update(purge_records(settings, now))
        record(AuditEvent.PURGED, region="", now=now, details=dict(counts))
        return 0

    in_transaction(records)
    return Purged(**counts)


def _until_none(portion: Callable[[], int]) -> int:
    total = 0
    while number := portion():
        total += number
    return total


def _is_inactive(limit: datetime) -> ColumnElement[bool]:
    return User.status.in_((Status.ACTIVE, Status.DISABLED)) & User.closing_at.is_(None) & (_last_use() <= limit)


def _last_use() -> ColumnElement[datetime]:
    return func.coalesce(User.last_sign_in_at, User.decided_at, User.created_at)


def _delete(table: type[Base], condition: ColumnElement[bool]) -> int:
    return int(db.session.execute(delete(table).where(condition)).rowcount)  # type: ignore[attr-defined]
