"""Captchas and tickets that have served, and the quota of tickets."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from terristory.database import Base, UtcDateTime


class SpentChallenge(Base):
    """A challenge, or a ticket without script, that has served: its nonce stays until it has expired anyway."""

    __tablename__ = "spent_challenge"
    __table_args__ = (Index("ix_spent_challenge_expires_at", "expires_at"),)

    nonce: Mapped[str] = mapped_column(String(80), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TicketQuota(Base):
    """How many tickets a network has used in the window that began at `since`."""

    __tablename__ = "ticket_quota"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    count: Mapped[int] = mapped_column(default=0)
