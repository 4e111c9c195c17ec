"""Questions about the outbox."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select

from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail


def find_mail(mail_id: UUID) -> OutboxMail | None:
    """Return the mail of that id."""
    return db.session.get(OutboxMail, mail_id)


def newest_mails(limit: int = 200) -> Sequence[OutboxMail]:
    """Return the newest mails, newest first."""
    statement = select(OutboxMail).order_by(OutboxMail.created_at.desc(), OutboxMail.id).limit(limit)
    return db.session.scalars(statement).all()


def stuck_mails() -> Sequence[OutboxMail]:
    """Return the mails that were tried in vain: waiting for another attempt, or given up; oldest first."""
    waiting = (OutboxMail.state == MailState.PENDING) & (OutboxMail.attempts > 0)
    statement = select(OutboxMail).where(or_(waiting, OutboxMail.state == MailState.DEAD))
    return db.session.scalars(statement.order_by(OutboxMail.created_at, OutboxMail.id)).all()


def is_wiped(mail: OutboxMail) -> bool:
    """Return whether the values of the mail were wiped: then only its subject can still be shown."""
    return not mail.context and mail.sealed is None
