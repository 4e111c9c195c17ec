"""Refresh tokens: 256 bits, kept as digests; one per account and device; rotated without a race (RFC 9700, 4.14.2)."""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.mails import session_ended_mail
from terristory.auth.models import RefreshToken, Session
from terristory.auth.revocation import end_session
from terristory.extensions import db
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.settings import digest_of
from terristory.user.models import Status, User

# Built once, and run as plain statements: a sign-in is ten of them, and making each anew took half of their time.
_REPLACE_FORMER = (
    update(Session)
    .where(
        Session.user_id == bindparam("owner"),
        Session.device_digest == bindparam("slot"),
        Session.id != bindparam("but"),
        Session.replaced_at.is_(None),
    )
    .values(replaced_at=bindparam("now"))
    .returning(Session.id)
)
_FORGET_TOKENS = delete(RefreshToken).where(RefreshToken.session_id.in_(bindparam("sessions", expanding=True)))
_NEW_TOKEN = insert(RefreshToken)
_HELD = (
    select(RefreshToken.id, Session, User)
    .join(Session, Session.id == RefreshToken.session_id)
    .join(User, User.id == Session.user_id)
    .where(RefreshToken.digest == bindparam("digest"))
)
_TOUCH = (
    update(Session)
    .where(
        Session.id == bindparam("session"),
        Session.ended_at.is_(None),
        Session.replaced_at.is_(None),
        Session.expires_at > bindparam("now"),
        Session.last_used_at > bindparam("idle_since"),
    )
    .values(last_used_at=bindparam("now"))
    .returning(Session.id)
)
_ROTATE = (
    update(RefreshToken)
    .where(RefreshToken.id == bindparam("token"), RefreshToken.rotated_at.is_(None))
    .values(rotated_at=bindparam("now"))
    .returning(RefreshToken.salt)
)


@dataclass(frozen=True)
class Held:
    """A refresh token that exists, with its session and its account."""

    token_id: UUID
    session: Session
    user: User


@dataclass(frozen=True)
class Rotated:
    """The token was good; `token` is the one to use from now on (the same one for clients that do not rotate)."""

    user: User
    session: Session
    token: str = field(repr=False)


@dataclass(frozen=True)
class Replayed:
    """A token came again after its rotation: somebody else holds a copy. Its session has ended; commit that."""


@dataclass(frozen=True)
class Refused:
    """The token is unknown, replaced, over its life, of another account, or its session or account has ended."""


def store_refresh_token(session_id: UUID, *, user_id: UUID, device_digest: str, now: datetime) -> str:
    """Give a new session its first refresh token, delete the one its device had, and return the new one.

    The sessions that held the slot are marked as replaced: they cannot be refreshed, their access token lives on.
    """
    connection = db.session.connection()
    slot = {"owner": user_id, "slot": device_digest, "but": session_id, "now": now}
    replaced = connection.execute(_REPLACE_FORMER, slot).scalars().all()
    if replaced:
        connection.execute(_FORGET_TOKENS, {"sessions": replaced})
    token = secrets.token_urlsafe(32)
    _keep(session_id, token, now)
    return token


def retrieve_refresh_token(presented: str) -> Held | None:
    """Return what is known of a presented token, rotated or not, dead or alive."""
    row = db.session.execute(_HELD, {"digest": digest_of(presented)}).first()
    return Held(*row) if row else None


def rotate_refresh_token(
    presented: str,
    *,
    region: str | None = None,
    of_account: UUID | None = None,
    grace_seconds: int,
    idle_seconds: int,
    now: datetime,
) -> Rotated | Replayed | Refused:
    """Use a refresh token: give its successor, or end its session when it was used before.

    A token rotated less than `grace_seconds` ago gets the same successor again (two tabs, an answer lost on its way).
    `region` and `of_account`, where given, are those the token must belong to: a foreign token changes nothing.
    Every outcome is to be committed; raise nothing inside the transaction on account of it.
    """
    held = retrieve_refresh_token(presented)
    if held is None or (region is not None and held.user.region != region):
        return Refused()
    if of_account is not None and held.user.id != of_account:
        return Refused()
    user, session = held.user, held.session
    if user.status != Status.ACTIVE or user.closing_at is not None or not _touch(session.id, idle_seconds, now):
        return Refused()
    if not session.rotates:
        return Rotated(user, session, presented)
    salt, rotated_at = _salt_and_rotation(held.token_id, now)
    if rotated_at is not None and not now - rotated_at < timedelta(seconds=grace_seconds):
        _end_replayed(user, session, now)
        return Replayed()
    successor = successor_of(presented, salt)
    if rotated_at is None:
        _keep(session.id, successor, now)
    return Rotated(user, session, successor)


def successor_of(token: str, salt: str) -> str:
    """Return the token that follows: 256 bits that only the holder of `token` and the database can make together."""
    return hmac.new(token.encode(), salt.encode(), sha256).hexdigest()


def _touch(session_id: UUID, idle_seconds: int, now: datetime) -> bool:
    """Move `last_used_at` of a session that may be refreshed; return whether it may.

    The row stays locked until the transaction ends: parallel uses of one session follow one another.
    """
    values = {"session": session_id, "now": now, "idle_since": now - timedelta(seconds=idle_seconds)}
    return db.session.connection().execute(_TOUCH, values).first() is not None


def _salt_and_rotation(token_id: UUID, now: datetime) -> tuple[str, datetime | None]:
    """Mark the token as rotated, once; return its salt, and when it had been rotated before (None: just now)."""
    claimed = db.session.connection().execute(_ROTATE, {"token": token_id, "now": now}).scalar()
    if claimed is not None:
        return claimed, None
    statement = select(RefreshToken.salt, RefreshToken.rotated_at).where(RefreshToken.id == token_id)
    salt, rotated_at = db.session.execute(statement).one()
    return salt, rotated_at


def _keep(session_id: UUID, token: str, now: datetime) -> None:
    row = {"session_id": session_id, "digest": digest_of(token), "salt": secrets.token_hex(32), "created_at": now}
    db.session.connection().execute(_NEW_TOKEN, row)


def _end_replayed(user: User, session: Session, now: datetime) -> None:
    end_session(user.id, session.id, now=now)
    details = {"session": str(session.id)}
    record(AuditEvent.REFRESH_REPLAYED, region=user.region, subject=user.id, details=details, now=now)
    put_in_outbox(session_ended_mail(user, device=session.device, now=now), now=now)
