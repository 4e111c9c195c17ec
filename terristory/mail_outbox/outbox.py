"""Putting a mail in the outbox: a row of the transaction that it announces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from terristory.database import take_from_quota
from terristory.extensions import db
from terristory.mail_outbox.models import MailQuota, OutboxMail
from terristory.mail_outbox.sealing import seal


@dataclass(frozen=True)
class MailMessage:
    """A mail as a value. `template` is a folder of `templates/mail/`, such as `user/activated`.

    `context` holds plain JSON values for the template (never a secret), `secrets` the secret ones (temporary password,
    link tokens): sealed in the row, opened only to render, wiped at the end. `region` is the region's key.
    """

    region: str
    to: str
    langue: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    user_id: UUID | None = None


def put_in_outbox(message: MailMessage, *, now: datetime) -> UUID:
    """Add the mail to the outbox, to leave once the caller's transaction is committed; return the id of its row."""
    row = row_of(message, now=now)
    db.session.add(row)
    return row.id


def row_of(message: MailMessage, *, now: datetime) -> OutboxMail:
    """Return the mail as its row, which is stored nowhere yet: what shows a mail before it is sent renders this."""
    return OutboxMail(
        id=uuid4(),
        region=message.region,
        user_id=message.user_id,
        recipient=message.to,
        langue=message.langue,
        template=message.template,
        context=dict(message.context),
        sealed=seal(message.secrets) if message.secrets else None,
        message_id=f"<{uuid4()}@terristory>",
        created_at=now,
        next_attempt_at=now,
    )


def may_mail(kind: str, whom: str, *, most: int, period: timedelta, now: datetime) -> bool:
    """Count one mail of a kind to an address or account, and return whether it is within `most` per `period`.

    Counted whether or not the account exists: otherwise the limit itself would tell.
    """
    return take_from_quota(MailQuota, f"{kind}:{whom}", most=most, period=period, now=now)


def last_attempt_at(mail_id: UUID | None) -> datetime | None:
    """Return when delivery of a mail was last tried: the life of the secret it carries counts from then."""
    if mail_id is None:
        return None
    return db.session.scalar(select(OutboxMail.last_attempt_at).where(OutboxMail.id == mail_id))
