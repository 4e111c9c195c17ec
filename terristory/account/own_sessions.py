"""One's own sessions: ending one, ending all the others."""

from datetime import datetime
from uuid import UUID

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.revocation import end_all_sessions, end_session


def end_own_session(region: str, user_id: UUID, session_id: UUID, *, now: datetime) -> bool:
    """End one of the account's sessions and audit it; return False when it has none of this id that lives."""
    if not end_session(user_id, session_id, now=now):
        return False
    details = {"session": str(session_id)}
    record(AuditEvent.SESSION_ENDED, region=region, actor=user_id, subject=user_id, details=details, now=now)
    return True


def end_other_sessions(region: str, user_id: UUID, *, keep: UUID, now: datetime) -> int:
    """End all of the account's sessions but `keep`, audit how many, and return that number."""
    ended = end_all_sessions(user_id, but=keep, now=now)
    if ended:
        details = {"number": ended}
        record(AuditEvent.SESSION_ENDED, region=region, actor=user_id, subject=user_id, details=details, now=now)
    return ended
