"""Asking for an account: one answer whatever is known of the address; what differs is the mail."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.database import violates
from terristory.extensions import db
from terristory.mail_outbox.outbox import may_mail, put_in_outbox
from terristory.regions.models import Region
from terristory.user.lookup import lock_by_mail
from terristory.user.mail_address import canonical_mail, canonical_or_blank
from terristory.user.mail_confirmation import make_link, void_links
from terristory.user.mails import (
    already_registered_mail,
    closing_notice_mail,
    confirm_mail,
    disabled_notice_mail,
    received_mail,
    under_review_mail,
)
from terristory.user.models import LinkPurpose, Status, User
from terristory.user.notices import announce_request
from terristory.user.profile import refresh_search_text

# The notice on personal data that applicants are shown; a new wording gets a new version.
INFORMATION_VERSION = "2026-1"
MOST_MAILS = 3
HOUR = timedelta(hours=1)
_GIVEN = ("prenom", "nom", "mail", "organisation", "fonction", "territoire", "motif", "langue", "without_script")


@dataclass(frozen=True)
class Applicant:
    """What somebody who asks for an account said; `without_script`: the form came with a ticket."""

    prenom: str
    nom: str
    mail: str
    organisation: str
    langue: str
    fonction: str = ""
    territoire: str = ""
    motif: str = ""
    without_script: bool = False


@dataclass(frozen=True)
class RequestRules:
    """The settings that bear on a request. `limited`: mails to one address and to admins are counted."""

    confirmation_required: bool
    erasure_days: int
    operator_mail: str
    limited: bool


def create_user(region: Region, applicant: Applicant, rules: RequestRules, *, now: datetime) -> None:
    """Take a request for an account, and mail what its address's state calls for.

    The caller learns nothing of that state (OWASP Authentication: no enumeration). A new address starts an account;
    `unconfirmed` and `refused` ones begin again with the new data; the owner of any other is told where it stands. Of
    parallel requests for one address one starts the account. Raises BadMailAddress.
    """
    user, is_new = _account_of(region.key, canonical_mail(applicant.mail), applicant, now)
    may_write = _may_write(region.key, user.mail_canonical, rules, now)
    if user.closing_at is not None or user.status not in (Status.UNCONFIRMED, Status.REFUSED):
        if may_write:
            write_by_state(user, rules, now=now)
        return
    if is_new or user.status == Status.REFUSED:
        record(AuditEvent.USER_CREATED, region=region.key, now=now, subject=user.id, details={"again": not is_new})
    _begin(user, applicant, rules, now)
    if may_write and user.status == Status.AWAITING:
        put_in_outbox(received_mail(user, sent_at=now), now=now)
    elif may_write:
        write_by_state(user, rules, now=now)
    if user.status == Status.AWAITING:
        announce_request(user, operator_mail=rules.operator_mail, limited=rules.limited, now=now)
    db.session.flush()


def resend_confirmation(region: Region, mail: str, rules: RequestRules, *, now: datetime) -> None:
    """Write once more to an address what its state calls for; silently nothing where no account is.

    Counted with the requests for that address. A refused request is only taken up again by asking again.
    """
    canonical = canonical_or_blank(mail)
    user = lock_by_mail(region.key, canonical)
    if not _may_write(region.key, canonical, rules, now) or user is None:
        return
    if user.status == Status.UNCONFIRMED:
        record(AuditEvent.USER_CONFIRMATION_RESENT, region=region.key, now=now, subject=user.id)
    write_by_state(user, rules, now=now)
    db.session.flush()


def write_by_state(user: User, rules: RequestRules, *, now: datetime) -> None:
    """Put in the outbox the mail that tells the owner of an address where the account stands, and what to do."""
    if user.status == Status.DISABLED:
        put_in_outbox(disabled_notice_mail(user), now=now)
    elif user.closing_at is not None:
        back = make_link(user.id, LinkPurpose.TAKE_BACK_ACCOUNT, now=now)
        erased_at = user.closing_at + timedelta(days=rules.erasure_days)
        back.row.mail_id = put_in_outbox(closing_notice_mail(user, back.token, erased_at=erased_at), now=now)
    elif user.status == Status.UNCONFIRMED:
        link = make_link(user.id, LinkPurpose.REGISTRATION, now=now)
        link.row.mail_id = put_in_outbox(confirm_mail(user, link.token), now=now)
    elif user.status == Status.AWAITING:
        put_in_outbox(under_review_mail(user), now=now)
    elif user.status == Status.ACTIVE:
        put_in_outbox(already_registered_mail(user), now=now)


def _account_of(region: str, canonical: str, applicant: Applicant, now: datetime) -> tuple[User, bool]:
    while True:
        user = lock_by_mail(region, canonical)
        if user is not None:
            return user, False
        user = _insert(region, canonical, applicant, now)
        if user is not None:
            return user, True
        # Somebody was faster: look again, and wait there until that transaction is over.


def _insert(region: str, canonical: str, applicant: Applicant, now: datetime) -> User | None:
    given = {name: getattr(applicant, name) for name in _GIVEN}
    user = User(region=region, mail_canonical=canonical, status=Status.UNCONFIRMED, created_at=now, **given)
    try:
        with db.session.begin_nested():
            db.session.add(user)
    except IntegrityError as error:
        if not violates(error, "uq_user_region_mail"):
            raise
        return None
    return user


def _begin(user: User, applicant: Applicant, rules: RequestRules, now: datetime) -> None:
    """Let the request start (again) with this data; an earlier refusal stays for the admins to see."""
    for name in _GIVEN:
        setattr(user, name, getattr(applicant, name))
    user.status = Status.UNCONFIRMED if rules.confirmation_required else Status.AWAITING
    user.created_at, user.confirmed_at, user.reminded_at = now, None, None
    user.password_hash, user.information_version = None, INFORMATION_VERSION
    refresh_search_text(user)
    if user.status == Status.AWAITING:
        void_links(user.id, LinkPurpose.REGISTRATION, now=now)


def _may_write(region: str, canonical: str, rules: RequestRules, now: datetime) -> bool:
    whom = f"{region}:{canonical}"
    return not rules.limited or may_mail("registration", whom, most=MOST_MAILS, period=HOUR, now=now)
