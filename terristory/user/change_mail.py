"""Changing the address of an account: proved from the new one, told to the old one, which can take it back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.database import violates
from terristory.extensions import db
from terristory.mail_outbox.outbox import may_mail, put_in_outbox
from terristory.user.lookup import find_by_mail, lock_user
from terristory.user.mail_address import canonical_mail
from terristory.user.mail_confirmation import EXPIRED, USED, Dead, Found, find_link, make_link, use_link, void_links
from terristory.user.mails import address_change_asked_mail, address_changed_mail, confirm_new_address_mail
from terristory.user.models import LinkPurpose, Status, User
from terristory.user.profile import refresh_search_text

MOST_MAILS = 3
HOUR = timedelta(hours=1)


class Asked(Enum):
    """What became of a wish for another address: SAME, it is the present one; else SENT, taken or not."""

    SAME = "same"
    SENT = "sent"


@dataclass(frozen=True)
class MailChanged:
    """The account has the new address; sessions and temporary passwords are for the caller to end."""

    user: User
    old_mail: str


def ask_mail_change(user: User, new_mail: str, *, limited: bool, now: datetime) -> Asked:
    """Mail a link to the wished address, and warn the present one. The door has checked the password.

    A taken address gets the same outcome and no link. `limited`: at most MOST_MAILS an hour per account, and the same
    outcome beyond. Raises BadMailAddress.
    """
    canonical = canonical_mail(new_mail)
    if canonical == user.mail_canonical:
        return Asked.SAME
    record(AuditEvent.USER_MAIL_CHANGE_ASKED, region=user.region, now=now, actor=user.id, subject=user.id)
    if limited and not may_mail("new_address", str(user.id), most=MOST_MAILS, period=HOUR, now=now):
        return Asked.SENT
    put_in_outbox(address_change_asked_mail(user, new_mail), now=now)
    if find_by_mail(user.region, canonical) is None:
        link = make_link(user.id, LinkPurpose.NEW_ADDRESS, mail=new_mail, now=now)
        link.row.mail_id = put_in_outbox(confirm_new_address_mail(user, new_mail, link.token), now=now)
    db.session.flush()
    return Asked.SENT


def confirm_mail_change(region: str, token: str, *, life_seconds: int, now: datetime) -> MailChanged | Dead:
    """Give the account the address that this link proves, and send the former one a link back.

    An address taken meanwhile makes the link a dead one.
    """
    found = find_link(region, token, LinkPurpose.NEW_ADDRESS, life_seconds=life_seconds, now=now)
    if isinstance(found, Dead):
        return found
    user = _spend(found, now)
    if isinstance(user, Dead):
        return user
    old_mail = user.mail
    if user.status != Status.ACTIVE or user.closing_at is not None or not _set_mail(user, found.link.mail):
        return Dead(EXPIRED)
    back = make_link(user.id, LinkPurpose.TAKE_BACK_ADDRESS, mail=old_mail, now=now)
    back.row.mail_id = put_in_outbox(address_changed_mail(user, old_mail, back.token), now=now)
    record(AuditEvent.USER_MAIL_CHANGED, region=region, now=now, actor=user.id, subject=user.id)
    db.session.flush()
    return MailChanged(user, old_mail)


def take_back_address(region: str, token: str, *, life_seconds: int, now: datetime) -> MailChanged | Dead:
    """Give the account its former address again; links to and from later addresses die.

    A request for the former address that never proved it does not stand in the way: a thief could have made it.
    """
    found = find_link(region, token, LinkPurpose.TAKE_BACK_ADDRESS, life_seconds=life_seconds, now=now)
    if isinstance(found, Dead):
        return found
    user = _spend(found, now)
    if isinstance(user, Dead):
        return user
    _clear_the_way(region, found.link.mail)
    old_mail = user.mail
    if not _set_mail(user, found.link.mail):
        return Dead(EXPIRED)
    void_links(user.id, LinkPurpose.NEW_ADDRESS, now=now)
    void_links(user.id, LinkPurpose.TAKE_BACK_ADDRESS, since=found.link.created_at, now=now)
    record(AuditEvent.USER_MAIL_TAKEN_BACK, region=region, now=now, actor=user.id, subject=user.id)
    db.session.flush()
    return MailChanged(user, old_mail)


def _spend(found: Found, now: datetime) -> User | Dead:
    """Hold the account and spend its link."""
    user = lock_user(found.user.region, found.user.id)
    if user is None:
        return Dead(EXPIRED)
    if not use_link(found.link, now=now):
        db.session.refresh(found.link)
        return Dead(USED if found.link.used_at is not None else EXPIRED)
    return user


def _set_mail(user: User, mail: str) -> bool:
    """Set the address; False when another account of the region has it, also since a moment ago."""
    try:
        with db.session.begin_nested():
            user.mail, user.mail_canonical = mail, canonical_mail(mail)
            refresh_search_text(user)
    except IntegrityError as error:
        if not violates(error, "uq_user_region_mail"):
            raise
        return False
    return True


def _clear_the_way(region: str, mail: str) -> None:
    unproved = delete(User).where(
        User.region == region, User.mail_canonical == canonical_mail(mail), User.status == Status.UNCONFIRMED
    )
    db.session.execute(unproved.execution_options(synchronize_session=False))
