"""Accounts, and the links by which a mailbox is proved."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from terristory.database import Base, UtcDateTime


class Status(StrEnum):
    """Where an account stands; only ACTIVE signs in."""

    UNCONFIRMED = "unconfirmed"
    AWAITING = "awaiting"
    ACTIVE = "active"
    REFUSED = "refused"
    DISABLED = "disabled"


class Role(StrEnum):
    """What an account may do; an ADMIN administers its own region only."""

    USER = "user"
    ADMIN = "admin"


class User(Base):
    """An account: one person in one region, known by (region, canonical mail)."""

    __tablename__ = "user"
    __table_args__ = (
        UniqueConstraint("region", "mail_canonical", name="uq_user_region_mail"),
        # The queue and each tab of the admin list: keyset paging by (created_at, id) within a status.
        Index("ix_user_region_status_created", "region", "status", "created_at", "id"),
        Index("ix_user_region_created", "region", "created_at", "id"),
        Index("ix_user_region_nom", "region", "nom", "prenom", "id"),
        Index("ix_user_closing_at", "closing_at", sqlite_where=text("closing_at IS NOT NULL"),
              postgresql_where=text("closing_at IS NOT NULL")),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    region: Mapped[str] = mapped_column(ForeignKey("region.key"))
    mail: Mapped[str] = mapped_column(String(254))
    mail_canonical: Mapped[str] = mapped_column(String(254))
    prenom: Mapped[str] = mapped_column(String(100))
    nom: Mapped[str] = mapped_column(String(100))
    organisation: Mapped[str] = mapped_column(String(200))
    fonction: Mapped[str] = mapped_column(String(200), default="")
    territoire: Mapped[str] = mapped_column(String(200), default="")
    motif: Mapped[str] = mapped_column(Text, default="")
    langue: Mapped[str] = mapped_column(String(2), default="fr")
    role: Mapped[str] = mapped_column(String(10), default=Role.USER)
    status: Mapped[str] = mapped_column(String(12), default=Status.UNCONFIRMED)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # No foreign key: the admin who decided may be erased, the decision stays.
    decided_by: Mapped[UUID | None] = mapped_column()
    reason: Mapped[str] = mapped_column(Text, default="")
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    without_script: Mapped[bool] = mapped_column(default=False)
    # The version of the notice on personal data that the person said to have read.
    information_version: Mapped[str] = mapped_column(String(20), default="")
    closing_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the owner was warned that the unused account will be erased.
    inactivity_warned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # prenom, nom, mail, organisation folded to plain lower-case letters, for the admins' search.
    search_text: Mapped[str] = mapped_column(Text, default="")

    @property
    def active(self) -> bool:
        """Whether the account may sign in (the seed's field)."""
        return self.status == Status.ACTIVE


class LinkPurpose(StrEnum):
    """What following a mailed link proves or does."""

    REGISTRATION = "registration"
    NEW_ADDRESS = "new_address"
    TAKE_BACK_ADDRESS = "take_back_address"
    TAKE_BACK_ACCOUNT = "take_back_account"


class MailLink(Base):
    """A link mailed to prove a mailbox; only the digest of its token is kept, and it serves once.

    Its life counts from `created_at` or from the latest attempt to deliver its mail (`mail_id`), whichever is later.
    """

    __tablename__ = "mail_link"
    __table_args__ = (Index("ix_mail_link_user_purpose", "user_id", "purpose"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(20))
    # The address that following the link gives the account (address changes only).
    mail: Mapped[str] = mapped_column(String(254), default="")
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    mail_id: Mapped[UUID | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
