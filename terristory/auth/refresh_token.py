"""Refresh tokens: 256 bits, kept as digests; one per account and device; rotated without a race (RFC 9700, 4.14.2)."""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, insert, select, update

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.mails import session_ended_mail
from terristory.auth.models import RefreshToken, Session
from terristory.auth.revocation import end_session
from terristory.database import read_rows
from terristory.extensions import db
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.settings import digest_of
from terristory.user.lookup import find_user
from terristory.user.models import Status, User

# Built once, and run as plain statements: a sign-in is ten of them, and making each anew took half of their time.
_IN_ITS_SLOT = (
    Session.user_id == bindparam("owner"),
    Session.device_digest == bindparam("slot"),
    Session.id != bindparam("but"),
    Session.replaced_at.is_(None),
)
_FORGET_FORMER = delete(RefreshToken).where(RefreshToken.session_id.in_(select(Session.id).where(*_IN_ITS_SLOT)))
_REPLACE_FORMER = update(Session).where(*_IN_ITS_SLOT).values(replaced_at=bindparam("now"))
_NEW_TOKEN = insert(RefreshToken)
_HELD = (
    select(
        RefreshToken.id,
        RefreshToken.salt,
        Session.id,
        Session.device,
        Session.rotates,
        Session.expires_at,
        Session.must_change_password,
        User.id,
        User.region,
        User.mail,
        User.prenom,
        User.nom,
        User.role,
    )
    .select_from(RefreshToken)
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
        exists().where(User.id == Session.user_id, User.status == Status.ACTIVE.value, User.closing_at.is_(None)),
    )
    .values(last_used_at=bindparam("now"))
)
_ROTATE = (
    update(RefreshToken)
    .where(RefreshToken.id == bindparam("token"), RefreshToken.rotated_at.is_(None))
    .values(rotated_at=bindparam("now"))
)
_ROTATED_AT = select(RefreshToken.rotated_at).where(RefreshToken.id == bindparam("token"))


@dataclass(frozen=True)
class TokenOwner:
    """Whose token it is: what the access token that goes with it tells."""

    id: UUID
    region: str
    mail: str
    prenom: str
    nom: str
    role: str


@dataclass(frozen=True)
class Held:
    """A refresh token that exists, with what never changes of its session, and its owner as read."""

    token_id: UUID
    salt: str = field(repr=False)
    session_id: UUID
    device: str
    rotates: bool
    expires_at: datetime
    must_change_password: bool
    owner: TokenOwner


@dataclass(frozen=True)
class Rotated:
    """The token was good; `token` is the one to use from now on (the same one for clients that do not rotate)."""

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
    slot = {"owner": user_id, "slot": device_digest, "but": session_id}
    connection.execute(_FORGET_FORMER, slot)
    connection.execute(_REPLACE_FORMER, {**slot, "now": now})
    token = secrets.token_urlsafe(32)
    _keep(session_id, token, now)
    return token


def retrieve_refresh_token(presented: str) -> Held | None:
    """Return what is known of a presented token, rotated or not, dead or alive."""
    rows = read_rows(_HELD, {"digest": digest_of(presented)})
    if not rows:
        return None
    token_id, salt, session_id, device, rotates, expires_at, must_change_password, *owner = rows[0]
    return Held(token_id, salt, session_id, device, rotates, expires_at, must_change_password, owner=TokenOwner(*owner))


def rotate_refresh_token(
    presented: str, held: Held, *, grace_seconds: int, idle_seconds: int, now: datetime
) -> Rotated | Replayed | Refused:
    """Use a refresh token: give its successor, or end its session when it was used before.

    `held` is what `retrieve_refresh_token` said of it, before the transaction: whatever can change meanwhile (session,
    account, an earlier use) is judged by the statements themselves. A token rotated less than `grace_seconds` ago gets
    the same successor again (two tabs, an answer lost on its way). Every outcome is to be committed; raise nothing
    inside the transaction on account of it.
    """
    if not _touch(held.session_id, idle_seconds, now):
        return Refused()
    if not held.rotates:
        return Rotated(presented)
    rotated_at = _mark_rotated(held.token_id, now)
    if rotated_at is not None and not now - rotated_at < timedelta(seconds=grace_seconds):
        _end_replayed(held, now)
        return Replayed()
    successor = successor_of(presented, held.salt)
    if rotated_at is None:
        _keep(held.session_id, successor, now)
    return Rotated(successor)


def successor_of(token: str, salt: str) -> str:
    """Return the token that follows: 256 bits that only the holder of `token` and the database can make together."""
    return hmac.new(token.encode(), salt.encode(), sha256).hexdigest()


def _touch(session_id: UUID, idle_seconds: int, now: datetime) -> bool:
    """Move `last_used_at` of a session that may be refreshed; return whether it may.

    The row stays locked until the transaction ends: parallel uses of one session follow one another.
    """
    values = {"session": session_id, "now": now, "idle_since": now - timedelta(seconds=idle_seconds)}
    return db.session.connection().execute(_TOUCH, values).rowcount == 1


def _mark_rotated(token_id: UUID, now: datetime) -> datetime | None:
    """Mark the token as rotated, once; return when it had been rotated before (None: just now)."""
    connection = db.session.connection()
    if connection.execute(_ROTATE, {"token": token_id, "now": now}).rowcount == 1:
        return None
    rotated_at: datetime | None = connection.execute(_ROTATED_AT, {"token": token_id}).scalar_one()
    return rotated_at


def _keep(session_id: UUID, token: str, now: datetime) -> None:
    row = {"session_id": session_id, "digest": digest_of(token), "salt": secrets.token_hex(32), "created_at": now}
    db.session.connection().execute(_NEW_TOKEN, row)


def _end_replayed(held: Held, now: datetime) -> None:
    region, user_id = held.owner.region, held.owner.id
    end_session(user_id, held.session_id, now=now)
    details = {"session": str(held.session_id)}
    record(AuditEvent.REFRESH_REPLAYED, region=region, subject=user_id, details=details, now=now)
    user = find_user(region, user_id)
    if user is not None:
        put_in_outbox(session_ended_mail(user, device=held.device, now=now), now=now)
