"""Confirming the address of a request and choosing its password, in one step; and taking a request back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.regions.models import Region
from terristory.user.create_user import RequestRules
from terristory.user.lookup import lock_user
from terristory.user.mail_confirmation import EXPIRED, USED, Dead, Found, find_link, use_link
from terristory.user.mails import received_mail
from terristory.user.models import LinkPurpose, Status, User
from terristory.user.notices import announce_request


def confirm_user(
    region: Region, token: str, password_hash: str, rules: RequestRules, *, life_seconds: int, now: datetime
) -> User | Dead:
    """Prove the mailbox by its link, set the password, hand the request to the region; or say why the link is dead.

    The password is chosen here and nowhere before, so nobody plants one on somebody else's address. Of parallel
    confirmations one wins.
    """
    found = find_link(region.key, token, LinkPurpose.REGISTRATION, life_seconds=life_seconds, now=now)
    if isinstance(found, Dead):
        return found
    # The account is held before its link, in the same order as by a request that begins it again.
    user = lock_user(region.key, found.user.id)
    if user is None:
        return Dead(EXPIRED)
    if user.status != Status.UNCONFIRMED or not use_link(found.link, now=now):
        db.session.refresh(found.link)
        return Dead(USED if found.link.used_at is not None else EXPIRED)
    user.status, user.confirmed_at, user.password_hash = Status.AWAITING, now, password_hash
    record(AuditEvent.USER_CONFIRMED, region=region.key, now=now, actor=user.id, subject=user.id)
    put_in_outbox(received_mail(user, sent_at=user.created_at), now=now)
    announce_request(user, operator_mail=rules.operator_mail, limited=rules.limited, now=now)
    db.session.flush()
    return user


def find_request(region: Region, token: str, *, life_seconds: int, now: datetime) -> Found | Dead:
    """Return the request that a confirmation link stands for, or why there is none; changes nothing."""
    return find_link(region.key, token, LinkPurpose.REGISTRATION, life_seconds=life_seconds, now=now)


def withdraw_request(region: Region, user_id: UUID, *, now: datetime) -> bool:
    """Erase a request that nobody has decided, with its mails; False when it is no longer one."""
    waiting = (Status.UNCONFIRMED, Status.AWAITING)
    erased = (
        delete(User)
        .where(User.id == user_id, User.region == region.key, User.status.in_(waiting))
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    if db.session.execute(erased).scalar_one_or_none() is None:
        return False
    db.session.execute(delete(OutboxMail).where(OutboxMail.user_id == user_id))
    record(AuditEvent.USER_WITHDRAWN, region=region.key, now=now, actor=user_id, subject=user_id)
    db.session.flush()
    return True
