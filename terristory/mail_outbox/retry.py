"""Having a mail tried again at once, at an operator's wish."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import update

from terristory.extensions import db
from terristory.mail_outbox.lookup import is_wiped
from terristory.mail_outbox.models import MailState, OutboxMail


class Retry(StrEnum):
    """TAKEN: it is due now; SENT: it has left already; WIPED: its secret is gone, the act has to be done again."""

    TAKEN = "taken"
    SENT = "sent"
    WIPED = "wiped"


def retry(mail: OutboxMail, *, now: datetime) -> Retry:
    """Make a mail that waits or was given up due now; its three days count from now again.

    A mail given up has lost its secret parts; it is not revived without them.
    """
    if mail.state == MailState.SENT:
        return Retry.SENT
    if is_wiped(mail):
        return Retry.WIPED
    revived = db.session.scalar(
        update(OutboxMail)
        .where(OutboxMail.id == mail.id, OutboxMail.state != MailState.SENT)
        .values(state=MailState.PENDING, next_attempt_at=now, created_at=now, attempts=0, last_error="")
        .returning(OutboxMail.id)
    )
    return Retry.TAKEN if revived is not None else Retry.SENT
