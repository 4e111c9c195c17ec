"""The outbox: a mail is a row, written in the transaction of what it announces."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from terristory.database import Base, UtcDateTime


class MailState(StrEnum):
    """PENDING waits (for its first or next attempt), SENT left, DEAD was given up."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


class OutboxMail(Base):
    """A mail to one address. `context` holds plain values; `sealed` the secret ones, encrypted, wiped at the end."""

    __tablename__ = "outbox_mail"
    __table_args__ = (
        Index("ix_outbox_mail_due", "next_attempt_at", sqlite_where=text("state = 'pending'"),
              postgresql_where=text("state = 'pending'")),
        Index("ix_outbox_mail_user", "user_id"),
        Index("ix_outbox_mail_created_at", "created_at"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    region: Mapped[str] = mapped_column(String(40))
    # Whom the mail is about (no foreign key: an erased account's mails are wiped by the act of erasing).
    user_id: Mapped[UUID | None] = mapped_column()
    recipient: Mapped[str] = mapped_column(String(254))
    langue: Mapped[str] = mapped_column(String(2))
    template: Mapped[str] = mapped_column(String(80))
    context: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10), default=MailState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # A worker that dies keeps its claim until then.
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(String(200), default="")


class MailQuota(Base):
    """How many mails of one kind one address or account got in the window that began at `since`."""

    __tablename__ = "mail_quota"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    count: Mapped[int] = mapped_column(default=0)
