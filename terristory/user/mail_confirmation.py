"""Links mailed to prove a mailbox: 256 random bits, only their digest kept, each serves once."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from terristory.extensions import db
from terristory.mail_outbox.outbox import last_attempt_at
from terristory.settings import digest_of
from terristory.user.models import LinkPurpose, MailLink, Status, User

EXPIRED = "token_expired"
USED = "token_used"
UNKNOWN = "token_unknown"


@dataclass(frozen=True)
class NewLink:
    """A link just made: the token goes into the mail's secrets, the mail's id into `row.mail_id`."""

    token: str = field(repr=False)
    row: MailLink


@dataclass(frozen=True)
class Found:
    """A live link and its account."""

    user: User
    link: MailLink


@dataclass(frozen=True)
class Dead:
    """No live link: `code` is token_expired (also superseded), token_used or token_unknown."""

    code: str


def make_link(user_id: UUID, purpose: LinkPurpose, *, mail: str = "", now: datetime) -> NewLink:
    """Make a link; the account's older ones of that purpose die, but for links back to a former address.

    Those live on: a thief who changes the address twice must not kill the link that its owner got.
    """
    if purpose != LinkPurpose.TAKE_BACK_ADDRESS:
        void_links(user_id, purpose, now=now)
    token = secrets.token_urlsafe(32)
    row = MailLink(user_id=user_id, purpose=purpose, mail=mail, token_digest=digest_of(token), created_at=now)
    db.session.add(row)
    db.session.flush()
    return NewLink(token, row)


def void_links(user_id: UUID, *purposes: LinkPurpose, now: datetime, since: datetime | None = None) -> None:
    """Let the account's live links of these purposes die; only those made at `since` or later, if given."""
    statement = update(MailLink).where(
        MailLink.user_id == user_id,
        MailLink.purpose.in_(purposes),
        MailLink.used_at.is_(None),
        MailLink.superseded_at.is_(None),
    )
    if since is not None:
        statement = statement.where(MailLink.created_at >= since)
    db.session.execute(statement.values(superseded_at=now))


def find_link(region: str, token: str, purpose: LinkPurpose, *, life_seconds: int, now: datetime) -> Found | Dead:
    """Return the live link of this token and its account, or why there is none; changes nothing.

    Its life counts from its making or from the latest attempt to deliver its mail. A link of registration is only
    good as long as its account waits for it.
    """
    statement = (
        select(MailLink, User)
        .join(User, User.id == MailLink.user_id)
        .where(MailLink.token_digest == digest_of(token), MailLink.purpose == purpose, User.region == region)
    )
    row = db.session.execute(statement).one_or_none()
    if row is None:
        return Dead(UNKNOWN)
    link, user = row
    if link.used_at is not None:
        return Dead(USED)
    begun = max(link.created_at, last_attempt_at(link.mail_id) or link.created_at)
    waited_for = purpose != LinkPurpose.REGISTRATION or user.status == Status.UNCONFIRMED
    if link.superseded_at is not None or now >= begun + timedelta(seconds=life_seconds) or not waited_for:
        return Dead(EXPIRED)
    return Found(user, link)


def use_link(link: MailLink, *, now: datetime) -> bool:
    """Spend a link in the caller's transaction; False when it has served or died meanwhile: exactly one wins."""
    statement = (
        update(MailLink)
        .where(MailLink.id == link.id, MailLink.used_at.is_(None), MailLink.superseded_at.is_(None))
        .values(used_at=now)
        .returning(MailLink.id)
    )
    return db.session.execute(statement).scalar_one_or_none() is not None
