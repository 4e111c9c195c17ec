"""Choosing another password, and taking one away from who should not have it."""

from datetime import datetime, timedelta
from uuid import UUID

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.models import Session
from terristory.auth.revocation import end_all_sessions
from terristory.auth.temporary_password import void_temporary_passwords
from terristory.extensions import db
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.password_change.mails import password_changed_mail
from terristory.password_change.regenerate_password import (
    can_sign_in,
    mail_temporary_password,
    may_mail_temporary_password,
)
from terristory.user.lookup import lock_user
from terristory.user.mail_confirmation import void_links
from terristory.user.models import LinkPurpose, Status, User


def change_password(
    region: str,
    user_id: UUID,
    password_hash: str,
    *,
    verified_hash: str | None,
    keep_session: UUID,
    session_max_seconds: int,
    now: datetime,
) -> bool:
    """Give an account its new password; return False (nothing happened) when what allowed it holds no more.

    `verified_hash` is the stored hash that the current password was right for; None where a temporary password opened
    the session. Both may be over since they were looked at: by a parallel change, or by « ce n'était pas moi ».

    Every other session ends (ASVS 5.0, 7.4.3), temporary passwords die, the owner is told by mail. `keep_session`, the
    one it was done in, lives on: one that a temporary password had opened becomes an ordinary one, whose life is
    `session_max_seconds` from its opening.
    """
    user = lock_user(region, user_id)
    if user is None or not can_sign_in(user) or not _still_allowed(user, keep_session, verified_hash):
        return False
    user.password_hash = password_hash
    db.session.flush()
    end_all_sessions(user_id, but=keep_session, now=now)
    _make_ordinary(keep_session, session_max_seconds)
    void_temporary_passwords(user_id, now=now)
    put_in_outbox(password_changed_mail(user, now=now), now=now)
    record(AuditEvent.PASSWORD_CHANGED, region=region, actor=user_id, subject=user_id, now=now)
    return True


def void_password(region: str, user_id: UUID, *, life_seconds: int, rate_limits: bool = True, now: datetime) -> bool:
    """« Ce n'était pas moi »: take the password away, end all sessions, mail a temporary password; say if it was done.

    A change of address under way dies too. An account that does not sign in (closing, disabled) loses its password as
    well, or whoever knows it would be let in when the account opens again, but is mailed none (False). Repeating it
    ends what was opened since; the mails stay within three an hour (unless `rate_limits` is off), and the temporary
    password mailed last lives on.
    """
    user = lock_user(region, user_id)
    if user is None or user.status not in (Status.ACTIVE, Status.DISABLED):
        return False
    user.password_hash = None
    db.session.flush()
    end_all_sessions(user_id, now=now)
    void_links(user_id, LinkPurpose.NEW_ADDRESS, now=now)
    record(AuditEvent.PASSWORD_VOIDED, region=region, actor=user_id, subject=user_id, now=now)
    if not can_sign_in(user):
        return False
    if may_mail_temporary_password(user, now) or not rate_limits:
        mail_temporary_password(user, life_seconds=life_seconds, now=now)
    return True


def _still_allowed(user: User, session_id: UUID, verified_hash: str | None) -> bool:
    session = db.session.get(Session, session_id, populate_existing=True)
    if session is None or session.ended_at is not None:
        return False
    return session.must_change_password if verified_hash is None else user.password_hash == verified_hash


def _make_ordinary(session_id: UUID, session_max_seconds: int) -> None:
    session = db.session.get(Session, session_id)
    if session is not None and session.must_change_password:
        session.must_change_password = False
        session.expires_at = session.created_at + timedelta(seconds=session_max_seconds)
        db.session.flush()
