"""Closing one's account: at once for the world, erased some days later, taken back in between (GDPR, article 17)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import String, cast, delete, func, or_, select, update

from terristory.account.mails import closing_mail
from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.revocation import end_all_sessions
from terristory.auth.temporary_password import void_temporary_passwords
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import Dead, Found, find_link, make_link, use_link, void_links
from terristory.user.models import LinkPurpose, MailLink, Status, User
from terristory.user.roles import keep_an_admin


@dataclass(frozen=True)
class Closing:
    """The account is closed, and will be erased at that time."""

    erased_at: datetime


@dataclass(frozen=True)
class AlreadyClosing:
    """It was being closed already, or is not active: nothing was done."""


@dataclass(frozen=True)
class TakenBack:
    """The account is open again."""

    user_id: UUID


def close_account(region: str, user_id: UUID, *, erasure_days: int, now: datetime) -> Closing | AlreadyClosing:
    """Sign the person out everywhere, refuse every sign-in from now on, mail the link that takes the account back.

    `purge` erases it `erasure_days` later. Raises LastAdmin for the region's last active administrator.
    """
    user = find_user(region, user_id)
    if user is None:
        return AlreadyClosing()
    keep_an_admin(user)
    closed = db.session.scalar(
        update(User)
        .where(User.id == user_id, User.region == region, User.status == Status.ACTIVE, User.closing_at.is_(None))
        .values(closing_at=now)
        .returning(User.id)
    )
    if closed is None:
        return AlreadyClosing()
    end_all_sessions(user_id, now=now)
    void_temporary_passwords(user_id, now=now)
    void_links(user_id, LinkPurpose.NEW_ADDRESS, now=now)
    erased_at = now + timedelta(days=erasure_days)
    link = make_link(user_id, LinkPurpose.TAKE_BACK_ACCOUNT, now=now)
    link.row.mail_id = put_in_outbox(closing_mail(user, erased_at=erased_at, token=link.token), now=now)
    record(AuditEvent.USER_CLOSING, region=region, actor=user_id, subject=user_id, now=now)
    return Closing(erased_at)


def take_back_account(region: str, token: str, *, erasure_days: int, now: datetime) -> TakenBack | Dead:
    """Open a closing account again by the link of its mail; its sessions stay ended, its password serves again."""
    found = find_take_back(region, token, erasure_days=erasure_days, now=now)
    if isinstance(found, Dead):
        return found
    if not use_link(found.link, now=now):
        return Dead("token_used")
    user_id = found.user.id
    reopened = update(User).where(User.id == user_id, User.closing_at.is_not(None)).values(closing_at=None)
    db.session.execute(reopened)
    record(AuditEvent.USER_CLOSING_CANCELLED, region=region, actor=user_id, subject=user_id, now=now)
    return TakenBack(user_id)


def find_take_back(region: str, token: str, *, erasure_days: int, now: datetime) -> Found | Dead:
    """Return the live link of this token with its account, or why there is none; changes nothing."""
    seconds = erasure_days * 86400
    return find_link(region, token, LinkPurpose.TAKE_BACK_ACCOUNT, life_seconds=seconds, now=now)


def erase_account(region: str, user_id: UUID, *, now: datetime) -> bool:
    """Erase an account and all that names the person: sessions, links, mails to and about them; audit the erasing.

    The audit trail keeps the account's id and nothing else of it. The address is free again. Return False when the
    region has no such account.
    """
    user = find_user(region, user_id)
    if user is None:
        return False
    _erase_mails(user)
    db.session.execute(delete(User).where(User.id == user_id, User.region == region))
    record(AuditEvent.USER_ERASED, region=region, subject=user_id, now=now)
    db.session.flush()
    return True


def _erase_mails(user: User) -> None:
    """Mails to the person under any address the account had or asked for, and mails to others that tell of it."""
    asked_for = db.session.scalars(select(MailLink.mail).where(MailLink.user_id == user.id, MailLink.mail != ""))
    addresses = {user.mail.lower(), user.mail_canonical, *(mail.lower() for mail in asked_for)}
    theirs = (OutboxMail.region == user.region) & func.lower(OutboxMail.recipient).in_(sorted(addresses))
    told_to_others = (OutboxMail.region == user.region) & cast(OutboxMail.context, String).contains(str(user.id))
    db.session.execute(delete(OutboxMail).where(or_(OutboxMail.user_id == user.id, theirs, told_to_others)))
