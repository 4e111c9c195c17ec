"""The administrators' decisions on accounts: status, sessions, mail and trace in one act, called by every door.

Each change of state is one guarded UPDATE: of two at once one wins, and the other is judged on the state it left.
`actor` is the deciding administrator's id, or None for an operator's command.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update

from terristory.admin.mails import (
    activated_mail,
    activated_with_password_mail,
    disabled_mail,
    enabled_mail,
    refused_mail,
)
from terristory.admin.outcomes import Already, Conflict, Done, Outcome, Unknown
from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.revocation import end_all_sessions
from terristory.auth.temporary_password import issue_temporary_password, void_temporary_passwords
from terristory.extensions import db
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.user.errors import LastAdmin
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import void_links
from terristory.user.models import LinkPurpose, Role, Status, User
from terristory.user.roles import keep_an_admin

# From where each decision moves an account. Letting in somebody unconfirmed is asked for expressly.
MOVES = {
    "activate": frozenset({Status.AWAITING, Status.REFUSED}),
    "refuse": frozenset({Status.AWAITING, Status.UNCONFIRMED}),
    "disable": frozenset({Status.ACTIVE}),
    "enable": frozenset({Status.DISABLED}),
}


def activate(
    region: str, user_id: UUID, *, actor: UUID | None, unconfirmed: bool = False, life_seconds: int, now: datetime
) -> Outcome:
    """Let a person in, from `awaiting` or `refused`, and from `unconfirmed` only when the caller says so.

    Who has no password yet gets a temporary one in the mail (it lives `life_seconds`) and the confirmation link dies.
    Conflicts: `own_account`, `user_unconfirmed`, `user_disabled`.
    """
    user = _of_somebody_else(region, user_id, actor)
    if not isinstance(user, User):
        return user
    allowed = MOVES["activate"] | ({Status.UNCONFIRMED} if unconfirmed else set())
    if not _change(user, allowed, status=Status.ACTIVE, decided_at=now, decided_by=actor, reason=""):
        return _already_or(user, Status.ACTIVE, {Status.UNCONFIRMED: "user_unconfirmed"}, "user_disabled")
    void_links(user.id, LinkPurpose.REGISTRATION, now=now)
    if user.password_hash is None:
        issued = issue_temporary_password(user.id, life_seconds=life_seconds, now=now)
        mail = activated_with_password_mail(user, issued.password, life_seconds=life_seconds)
        issued.row.mail_id = put_in_outbox(mail, now=now)
    else:
        put_in_outbox(activated_mail(user), now=now)
    return _traced(user, AuditEvent.USER_ACTIVATED, actor, now)


def refuse(region: str, user_id: UUID, *, actor: UUID | None, reason: str, now: datetime) -> Outcome:
    """Refuse a request and mail the reason. Conflicts: `own_account`, `user_not_awaiting`."""
    user = _of_somebody_else(region, user_id, actor)
    if not isinstance(user, User):
        return user
    if not _change(user, MOVES["refuse"], status=Status.REFUSED, decided_at=now, decided_by=actor, reason=reason):
        return _already_or(user, Status.REFUSED, {}, "user_not_awaiting")
    void_links(user.id, LinkPurpose.REGISTRATION, now=now)
    put_in_outbox(refused_mail(user, reason), now=now)
    return _traced(user, AuditEvent.USER_REFUSED, actor, now)


def disable(region: str, user_id: UUID, *, actor: UUID | None, now: datetime) -> Outcome:
    """Close the way in at once: sessions end, temporary passwords die, the owner is told.

    Conflicts: `own_account`, `user_not_active`, `last_admin`.
    """
    user = _of_somebody_else(region, user_id, actor)
    if not isinstance(user, User):
        return user
    if user.status != Status.ACTIVE:
        return _already_or(user, Status.DISABLED, {}, "user_not_active")
    if _would_be_missed(user):
        return Conflict("last_admin", user)
    if not _change(user, MOVES["disable"], status=Status.DISABLED, decided_at=now, decided_by=actor):
        return _already_or(user, Status.DISABLED, {}, "user_not_active")
    end_all_sessions(user.id, now=now)
    void_temporary_passwords(user.id, now=now)
    put_in_outbox(disabled_mail(user), now=now)
    return _traced(user, AuditEvent.USER_DISABLED, actor, now)


def enable(region: str, user_id: UUID, *, actor: UUID | None, now: datetime) -> Outcome:
    """Open a disabled account again. Conflicts: `own_account`, `user_not_disabled`."""
    user = _of_somebody_else(region, user_id, actor)
    if not isinstance(user, User):
        return user
    if not _change(user, MOVES["enable"], status=Status.ACTIVE, decided_at=now, decided_by=actor):
        return _already_or(user, Status.ACTIVE, {}, "user_not_disabled")
    put_in_outbox(enabled_mail(user), now=now)
    return _traced(user, AuditEvent.USER_ENABLED, actor, now)


def change_role(region: str, user_id: UUID, role: Role, *, actor: UUID | None, now: datetime) -> Outcome:
    """Make an administrator, or an administrator a user; no session ends, the role is read at each request.

    Conflicts: `own_account`, `user_not_active`, `last_admin`.
    """
    user = _of_somebody_else(region, user_id, actor)
    if not isinstance(user, User):
        return user
    if user.status != Status.ACTIVE:
        return Conflict("user_not_active", user)
    if user.role == role:
        return Already(user)
    if role != Role.ADMIN and _would_be_missed(user):
        return Conflict("last_admin", user)
    if not _change(user, {Status.ACTIVE}, User.role != role, role=role):
        return Already(user) if user.status == Status.ACTIVE else Conflict("user_not_active", user)
    return _traced(user, AuditEvent.USER_ROLE_CHANGED, actor, now, role=role.value)


def sign_out(region: str, user_id: UUID, *, actor: UUID | None, now: datetime) -> Outcome:
    """End all sessions of an account. Conflict: `own_account`."""
    user = _of_somebody_else(region, user_id, actor)
    if not isinstance(user, User):
        return user
    ended = end_all_sessions(user.id, now=now)
    return _traced(user, AuditEvent.USER_SIGNED_OUT, actor, now, sessions=ended) if ended else Already(user)


def decide(
    action: str, region: str, user_id: UUID, *, actor: UUID | None, reason: str, life_seconds: int, now: datetime
) -> Outcome:
    """Take the decision named `activate`, `refuse`, `disable` or `enable` (ValueError for another name).

    `reason` serves a refusal and `life_seconds` a temporary password; nobody unconfirmed is let in this way.
    """
    match action:
        case "activate":
            return activate(region, user_id, actor=actor, life_seconds=life_seconds, now=now)
        case "refuse":
            return refuse(region, user_id, actor=actor, reason=reason, now=now)
        case "disable":
            return disable(region, user_id, actor=actor, now=now)
        case "enable":
            return enable(region, user_id, actor=actor, now=now)
        case _:
            raise ValueError(f"no decision is named {action!r}")


def concerns(action: str, user: User, *, actor: UUID) -> bool:
    """Return whether a decision would move the account as it stands (to tell it beforehand; it decides nothing)."""
    return user.id != actor and user.status in MOVES[action]


def _of_somebody_else(region: str, user_id: UUID, actor: UUID | None) -> User | Unknown | Conflict:
    user = find_user(region, user_id)
    if user is None:
        return Unknown()
    return Conflict("own_account", user) if user.id == actor else user


def _change(user: User, allowed: Collection[Status], *conditions: Any, **values: Any) -> bool:
    """Change the account if it stands where it may; return whether it did, with `user` read again either way."""
    statement = (
        update(User)
        .where(User.id == user.id, User.status.in_(allowed), *conditions)
        .values(**values)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    changed = db.session.scalar(statement) is not None
    db.session.refresh(user)
    return changed


def _already_or(user: User, goal: Status, codes: dict[Status, str], otherwise: str) -> Already | Conflict:
    status = Status(user.status)
    return Already(user) if status == goal else Conflict(codes.get(status, otherwise), user)


def _would_be_missed(user: User) -> bool:
    """Return whether the region would have no administrator left; the answer holds until the transaction ends."""
    try:
        keep_an_admin(user)
    except LastAdmin:
        # Nothing was changed yet: an outcome, as all other conflicts.
        return True
    return False


def _traced(user: User, event: AuditEvent, actor: UUID | None, now: datetime, **details: str | int) -> Done:
    record(event, region=user.region, actor=actor, subject=user.id, now=now, details=details)
    return Done(user)
