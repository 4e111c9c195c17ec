"""An account made by an operator: the first administrator of a region, or somebody invited."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy.exc import IntegrityError

from terristory.admin.errors import MailTaken
from terristory.admin.mails import invitation_mail
from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.temporary_password import issue_temporary_password
from terristory.database import violates
from terristory.extensions import db
from terristory.mail_outbox.outbox import put_in_outbox
from terristory.user.mail_address import canonical_mail, folded
from terristory.user.models import Role, Status, User


@dataclass(frozen=True)
class Person:
    """Who the account is for; every text is trimmed and printable."""

    prenom: str
    nom: str
    mail: str
    organisation: str


@dataclass(frozen=True)
class Created:
    """The new account, and its temporary password unless it waits for a decision."""

    user: User
    temporary_password: str | None


def create_account(
    region: str, person: Person, *, role: Role, active: bool, send_mail: bool, life_seconds: int, now: datetime
) -> Created:
    """Make an account, active with a temporary password (mailed as an invitation with `send_mail`), or awaiting.

    Raises BadMailAddress, and MailTaken when the region has an account of that address.
    """
    user = User(
        id=uuid4(),
        region=region,
        mail=person.mail,
        mail_canonical=canonical_mail(person.mail),
        prenom=person.prenom,
        nom=person.nom,
        organisation=person.organisation,
        role=role,
        status=Status.ACTIVE if active else Status.AWAITING,
        created_at=now,
        decided_at=now if active else None,
        search_text=folded(person.prenom, person.nom, person.mail, person.organisation),
    )
    try:
        with db.session.begin_nested():
            db.session.add(user)
    except IntegrityError as error:
        if not violates(error, "uq_user_region_mail"):
            raise
        raise MailTaken from None
    record(AuditEvent.USER_CREATED, region=region, subject=user.id, now=now, details={"by": "operator", "role": role})
    if not active:
        return Created(user, None)
    issued = issue_temporary_password(user.id, life_seconds=life_seconds, now=now)
    if send_mail:
        mail = invitation_mail(user, issued.password, life_seconds=life_seconds)
        issued.row.mail_id = put_in_outbox(mail, now=now)
    return Created(user, issued.password)
