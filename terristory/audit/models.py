"""The audit trail: append only, ids only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from terristory.database import Base, UtcDateTime


class AuditLine(Base):
    """What happened, when, by whom, to whom. Names and mails never come here; ids carry no foreign key on purpose."""

    __tablename__ = "audit_line"
    __table_args__ = (
        Index("ix_audit_line_region_id", "region", "id"),
        Index("ix_audit_line_subject", "subject", "id"),
        Index("ix_audit_line_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    region: Mapped[str] = mapped_column(String(40))
    event: Mapped[str] = mapped_column(String(60))
    actor: Mapped[UUID | None] = mapped_column()
    subject: Mapped[UUID | None] = mapped_column()
    request_id: Mapped[str] = mapped_column(String(40), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class AuditRetention(Base):
    """How many days a line must be kept (one row): the trigger refuses to delete a younger one."""

    __tablename__ = "audit_retention"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    days: Mapped[int] = mapped_column(default=365)
