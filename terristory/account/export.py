"""All that is kept about a person, for that person (GDPR, articles 15 and 20)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditLine
from terristory.audit.trail import record
from terristory.auth.devices import device_words
from terristory.auth.models import Session
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.user.lookup import find_user
from terristory.user.models import User

# Not told: the password's digest (it would only help to guess it), and two columns that repeat others for searching.
NOT_TOLD = frozenset({"password_hash", "mail_canonical", "search_text"})
# Digests of a cookie and of tokens say nothing about a person; `user_id` is the account itself.
SESSION_NOT_TOLD = frozenset({"user_id", "device_digest"})
# Mails about the account to its administrators or to the operator are theirs.
MAILS_TO_OTHERS = ("user/new_request", "user/new_request_nobody")
MAIL_TOLD = ("template", "recipient", "langue", "state", "created_at", "sent_at")


def export_account(region: str, user_id: UUID) -> dict[str, Any]:
    """Return the account's data, sessions, mails and the audit lines about it, as plain JSON values.

    Raises LookupError for an account that the region does not have. The caller audits that it was handed over.
    """
    user = find_user(region, user_id)
    if user is None:
        raise LookupError("no such account")
    return {
        "account": _columns(user, NOT_TOLD),
        "sessions": [_session_json(session) for session in kept_sessions(user_id)],
        "mails": [{name: _plain(getattr(mail, name)) for name in MAIL_TOLD} for mail in kept_mails(user_id)],
        "events": [event_json(line) for line in events_about(region, user_id)],
    }


def _session_json(session: Session) -> dict[str, Any]:
    return {**_columns(session, SESSION_NOT_TOLD), "device": device_words(session.device)}


def kept_sessions(user_id: UUID) -> Sequence[Session]:
    """Return the account's sessions, ended ones too, oldest first."""
    statement = select(Session).where(Session.user_id == user_id)
    return db.session.scalars(statement.order_by(Session.created_at, Session.id)).all()


def kept_mails(user_id: UUID) -> Sequence[OutboxMail]:
    """Return the mails to the account's owner that are still kept, oldest first."""
    statement = select(OutboxMail).where(OutboxMail.user_id == user_id, OutboxMail.template.not_in(MAILS_TO_OTHERS))
    return db.session.scalars(statement.order_by(OutboxMail.created_at, OutboxMail.id)).all()


def record_export(region: str, user_id: UUID, *, now: datetime) -> None:
    """Audit that a person took the data away."""
    record(AuditEvent.USER_EXPORTED, region=region, actor=user_id, subject=user_id, now=now)


def events_about(
    region: str, user_id: UUID, *, most: int | None = None, done_to_others: bool = True
) -> Sequence[AuditLine]:
    """Return the audit lines that are about the account, newest first; also those of what it did to other accounts."""
    concerned = AuditLine.subject == user_id
    if done_to_others:
        concerned = or_(concerned, AuditLine.actor == user_id)
    statement = select(AuditLine).where(AuditLine.region == region, concerned).order_by(AuditLine.id.desc())
    return db.session.scalars(statement.limit(most)).all()


def event_json(line: AuditLine) -> dict[str, Any]:
    """Return an audit line as the API shows it."""
    return {
        "at": _plain(line.at),
        "event": line.event,
        "actor": _plain(line.actor),
        "subject": _plain(line.subject),
        "details": line.details,
    }


def _columns(row: User | Session, hidden: frozenset[str]) -> dict[str, Any]:
    names = [column.key for column in type(row).__mapper__.column_attrs]
    return {name: _plain(getattr(row, name)) for name in names if name not in hidden}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
