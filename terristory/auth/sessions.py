"""Opening a session, keeping it alive, leaving it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import bindparam, exists, insert, select, update

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.access_token import make_access_token
from terristory.auth.mails import new_device_mail
from terristory.auth.models import Session
from terristory.auth.refresh_token import (
    Refused,
    Replayed,
    Rotated,
    retrieve_refresh_token,
    rotate_refresh_token,
    store_refresh_token,
)
from terristory.auth.revocation import end_session
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.user.models import User

_SEEN_NOW = (
    update(User)
    .where(User.id == bindparam("account"))
    .values(last_sign_in_at=bindparam("now"), inactivity_warned_at=None)
)
_SEEN_BEFORE = select(
    exists().where(Session.user_id == bindparam("account"), Session.device_digest == bindparam("device")),
    exists().where(Session.user_id == bindparam("account")),
)
_NEW_SESSION = insert(Session)


@dataclass(frozen=True)
class Visit:
    """Where a request comes from. `device_digest` "" is the slot shared by API clients that name no device.

    `device` is what the owner will read, `new_device_cookie` the cookie to give to a browser seen for the first time.
    """

    device_digest: str
    device: str
    network: str
    by_browser: bool
    new_device_cookie: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Opened:
    """A session that lives, with the tokens to hand over. `fresh`: it was opened just now, by a sign-in."""

    session_id: UUID
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    must_change_password: bool = False
    fresh: bool = False
    new_device_cookie: str | None = field(default=None, repr=False)

    def tokens_json(self) -> dict[str, str | bool]:
        """Return the answer's body for API clients."""
        body: dict[str, str | bool] = {"access_token": self.access_token, "refresh_token": self.refresh_token}
        return body | ({"password_change_required": True} if self.must_change_password else {})


def open_session(
    user: User,
    visit: Visit,
    *,
    rotates: bool,
    life: timedelta,
    access_seconds: int,
    must_change_password: bool = False,
    now: datetime,
) -> Opened:
    """Open a session in the device's slot, whose former session is replaced; audit `auth.signed_in`.

    `life` is its absolute life, `access_seconds` that of its access token. The account's `last_sign_in_at` moves, and
    a device never seen for this account (but for the very first one) is told to its owner by mail.
    """
    session_id, expires_at = uuid4(), now + life
    connection = db.session.connection()
    # First, for it locks: of two sign-ins of one device at once, the second must see the first one's session.
    connection.execute(_SEEN_NOW, {"account": user.id, "now": now})
    _tell_of_new_device(user, visit, now)
    connection.execute(
        _NEW_SESSION,
        {
            "id": session_id,
            "user_id": user.id,
            "device_digest": visit.device_digest,
            "device": visit.device,
            "network": visit.network,
            "rotates": rotates,
            "must_change_password": must_change_password,
            "created_at": now,
            "last_used_at": now,
            "expires_at": expires_at,
        },
    )
    refresh_token = store_refresh_token(session_id, user_id=user.id, device_digest=visit.device_digest, now=now)
    details = {"session": str(session_id)}
    record(AuditEvent.SIGNED_IN, region=user.region, actor=user.id, subject=user.id, details=details, now=now)
    return Opened(
        session_id=session_id,
        access_token=make_access_token(user, session_id, life_seconds=access_seconds, now=now),
        refresh_token=refresh_token,
        expires_at=expires_at,
        must_change_password=must_change_password,
        fresh=True,
        new_device_cookie=visit.new_device_cookie,
    )


def renew_session(
    presented: str,
    *,
    region: str | None = None,
    of_account: UUID | None = None,
    access_seconds: int,
    grace_seconds: int,
    idle_seconds: int,
    now: datetime,
) -> Opened | Replayed | Refused:
    """Use a refresh token (see rotate_refresh_token) and make the access token that goes with its successor.

    `region` and `of_account`, where given, are those the token must belong to: a foreign token changes nothing.
    Opens a transaction, for nothing but the rotation itself: on SQLite one waits for the other. Call it outside one.
    """
    held = retrieve_refresh_token(presented)
    if held is None or region not in (None, held.owner.region) or of_account not in (None, held.owner.id):
        return Refused()
    with transaction():
        outcome = rotate_refresh_token(presented, held, grace_seconds=grace_seconds, idle_seconds=idle_seconds, now=now)
    if not isinstance(outcome, Rotated):
        return outcome
    return Opened(
        session_id=held.session_id,
        access_token=make_access_token(held.owner, held.session_id, life_seconds=access_seconds, now=now),
        refresh_token=outcome.token,
        expires_at=held.expires_at,
        must_change_password=held.must_change_password,
    )


def sign_out(region: str, user_id: UUID, session_id: UUID, *, now: datetime) -> bool:
    """End the session its owner leaves; return whether it lived until now (repeating is no error)."""
    if not end_session(user_id, session_id, now=now):
        return False
    details = {"session": str(session_id)}
    record(AuditEvent.SIGNED_OUT, region=region, actor=user_id, subject=user_id, details=details, now=now)
    return True


def _tell_of_new_device(user: User, visit: Visit, now: datetime) -> None:
    here, anywhere = (
        db.session.connection().execute(_SEEN_BEFORE, {"account": user.id, "device": visit.device_digest}).one()
    )
    if anywhere and not here:
        put_in_outbox(new_device_mail(user, device=visit.device, network=visit.network, now=now), now=now)
