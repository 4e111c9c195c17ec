"""Helping somebody in: a temporary password, or the confirmation link again."""

from datetime import datetime
from uuid import UUID

from terristory.admin.outcomes import Already, Conflict, Done, Outcome, Unknown
from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.password_change.regenerate_password import (
    can_sign_in,
    mail_temporary_password,
    may_mail_temporary_password,
)
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import make_link
from terristory.user.mails import confirm_mail
from terristory.user.models import LinkPurpose, Status


def regenerate_password_of(
    region: str, user_id: UUID, *, actor: UUID | None, life_seconds: int, rate_limits: bool, now: datetime
) -> Outcome:
    """Mail a temporary password to an active account; its regular one keeps working.

    Conflicts: `own_account`, `user_not_active`. Beyond three such mails an hour nothing leaves (Already): the latest
    one is on its way or in the mailbox.
    """
    user = find_user(region, user_id)
    if user is None:
        return Unknown()
    if user.id == actor:
        return Conflict("own_account", user)
    if not can_sign_in(user):
        return Conflict("user_not_active", user)
    if not may_mail_temporary_password(user, now) and rate_limits:
        return Already(user)
    mail_temporary_password(user, life_seconds=life_seconds, actor=actor, now=now)
    return Done(user)


def resend_confirmation(region: str, user_id: UUID, *, actor: UUID | None, now: datetime) -> Outcome:
    """Mail a fresh confirmation link; the older ones die. Conflicts: `own_account`, `user_not_unconfirmed`."""
    user = find_user(region, user_id)
    if user is None:
        return Unknown()
    if user.id == actor:
        return Conflict("own_account", user)
    if user.status != Status.UNCONFIRMED:
        return Conflict("user_not_unconfirmed", user)
    link = make_link(user.id, LinkPurpose.REGISTRATION, now=now)
    link.row.mail_id = put_in_outbox(confirm_mail(user, link.token), now=now)
    record(AuditEvent.USER_CONFIRMATION_RESENT, region=region, actor=actor, subject=user.id, now=now)
    return Done(user)
