"""Sessions, refresh tokens, temporary passwords, and the failures that the throttle counts."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from terristory.database import Base, UtcDateTime


class Session(Base):
    """One sign-in of one account on one device; kept after its end so that a known device stays known."""

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_user_device", "user_id", "device_digest"),
        Index("ix_session_user_last_used", "user_id", "last_used_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    # The digest of the browser's device cookie or of the device an API client names; "" is the shared slot of
    # clients that name none.
    device_digest: Mapped[str] = mapped_column(String(64), default="")
    # "Firefox sur Windows", or the name the client gave; `device_words` puts it in the language of whoever reads.
    device: Mapped[str] = mapped_column(String(100), default="")
    network: Mapped[str] = mapped_column(String(45), default="")
    # Cookies and named devices rotate; the shared slot keeps a stable refresh token.
    rotates: Mapped[bool] = mapped_column(default=True)
    # Opened by a temporary password: may only choose a new one.
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Another sign-in took its slot: it cannot be refreshed any more, its access token lives to its end.
    replaced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RefreshToken(Base):
    """A refresh token: its SHA-256 only. `salt` makes its successor: HMAC(key = the token, message = salt)."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index("ix_refresh_token_session", "session_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    salt: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    rotated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TemporaryPassword(Base):
    """A temporary password: a keyed digest only, one live per account, served once.

    Its life (`life_seconds`) counts from `created_at` or the latest attempt to deliver its mail, whichever is later.
    """

    __tablename__ = "temporary_password"
    __table_args__ = (
        Index("uq_temporary_password_live", "user_id", unique=True, sqlite_where=text("superseded_at IS NULL"),
              postgresql_where=text("superseded_at IS NULL")),
        Index("ix_temporary_password_user", "user_id"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))
    mail_id: Mapped[UUID | None] = mapped_column()
    life_seconds: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Failure(Base):
    """Failed sign-ins in a row for one key: an account, a network, or the pair of both.

    `key` is a digest ("account:…", "network:…", "pair:…" hashed): the row says nothing about who has an account.
    """

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index("ix_sign_in_failure_last_at", "last_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
