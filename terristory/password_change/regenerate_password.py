"""A temporary password by mail: the way in for who has forgotten the regular one (OWASP Forgot Password)."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.temporary_password import (
    is_current_or_past_temporary,
    issue_temporary_password,
    void_temporary_passwords,
)
from terristory.extensions import db
from terristory.mail_outbox.outbox import MailMessage, may_mail, put_in_outbox
from terristory.password_change.mails import temporary_password_mail
from terristory.passwords.generation import generate_password
from terristory.user.lookup import find_by_mail
from terristory.user.models import Status, User

MOST_MAILS = 3
MAILS_PERIOD = timedelta(hours=1)


def regenerate_password(
    region: str, mail_canonical: str, *, life_seconds: int, rate_limits: bool = True, now: datetime
) -> bool:
    """Mail a temporary password to the active account of that address, if there is one; return whether one went.

    The caller must not show the difference. Nothing changes on the account: its password keeps working, its sessions
    go on. At most 3 mails an hour for one address, counted whether or not an account has it, unless `rate_limits` is
    off. An unknown address costs the same work (OWASP: no enumeration, by time neither).
    """
    allowed = _may_mail(region, mail_canonical, now) or not rate_limits
    user = find_by_mail(region, mail_canonical)
    if user is None or not can_sign_in(user) or not allowed:
        _work_for_nobody(region, mail_canonical, now)
        return False
    mail_temporary_password(user, life_seconds=life_seconds, now=now)
    return True


def mail_temporary_password(user: User, *, life_seconds: int, actor: UUID | None = None, now: datetime) -> None:
    """Issue a temporary password (the account's former one dies) and mail it to the owner; audit it.

    `actor` is the administrator who asked for it, None when nobody known did. The caller has checked the account.
    """
    issued = issue_temporary_password(user.id, life_seconds=life_seconds, now=now)
    message = temporary_password_mail(user, issued.password, life_seconds=life_seconds)
    issued.row.mail_id = put_in_outbox(message, now=now)
    record(AuditEvent.PASSWORD_REGENERATED, region=user.region, actor=actor, subject=user.id, now=now)


def may_mail_temporary_password(user: User, now: datetime) -> bool:
    """Count one such mail to the account's owner, and return whether it is within three an hour."""
    return _may_mail(user.region, user.mail_canonical, now)


def can_sign_in(user: User) -> bool:
    """Return whether the account is active and not being closed."""
    return user.status == Status.ACTIVE and user.closing_at is None


def _may_mail(region: str, mail_canonical: str, now: datetime) -> bool:
    whom = f"{region}:{mail_canonical}"
    return may_mail("temporary_password", whom, most=MOST_MAILS, period=MAILS_PERIOD, now=now)


def _work_for_nobody(region: str, mail_canonical: str, now: datetime) -> None:
    """Do what a known address costs, and leave no trace of it."""
    nobody = uuid4()
    to_be_undone = db.session.begin_nested()
    void_temporary_passwords(nobody, now=now)
    password = generate_password()
    # A digest and a statement, as the row of a real one costs.
    is_current_or_past_temporary(nobody, password)
    secrets = {"temporary_password": password}
    context = {"prenom": "", "life_seconds": 0}
    message = MailMessage(region, mail_canonical, "fr", "password_change/temporary_password", context, secrets)
    put_in_outbox(message, now=now)
    record(AuditEvent.PASSWORD_REGENERATED, region=region, subject=nobody, now=now)
    db.session.flush()
    to_be_undone.rollback()
