"""The first administrator of a development service, with a fresh temporary password at each start."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from terristory.auth.temporary_password import issue_temporary_password
from terristory.database import violates
from terristory.extensions import db
from terristory.regions.lookup import open_regions
from terristory.user.lookup import find_by_mail
from terristory.user.mail_address import folded
from terristory.user.models import Role, Status, User

MAIL = "admin@terristory.test"
PREFERRED_REGION = "bretagne"


@dataclass(frozen=True)
class FirstAdmin:
    """Who may sign in first: region key, mail, temporary password."""

    region: str
    mail: str
    temporary_password: str


def first_admin(*, life_seconds: int, now: datetime) -> FirstAdmin | None:
    """Make the administrator if there is none yet and give a fresh temporary password; None once one was chosen."""
    regions = open_regions()
    if not regions:
        return None
    region = next((item for item in regions if item.key == PREFERRED_REGION), regions[0])
    admin = find_by_mail(region.key, MAIL)
    if admin is None:
        admin = _new_admin(region.key, now)
    if admin.password_hash is not None or admin.status != Status.ACTIVE:
        return None
    issued = issue_temporary_password(admin.id, life_seconds=life_seconds, now=now)
    return FirstAdmin(region.key, admin.mail, issued.password)


def _new_admin(region: str, now: datetime) -> User:
    admin = User(
        region=region,
        mail=MAIL,
        mail_canonical=MAIL,
        prenom="Camille",
        nom="Admin",
        organisation="TerriSTORY",
        role=Role.ADMIN,
        status=Status.ACTIVE,
        created_at=now,
        confirmed_at=now,
        decided_at=now,
        search_text=folded("Camille Admin", MAIL, "TerriSTORY"),
    )
    try:
        with db.session.begin_nested():
            db.session.add(admin)
    except IntegrityError as error:
        # Another host of this development service was first.
        first = find_by_mail(region, MAIL) if violates(error, "uq_user_region_mail") else None
        if first is None:
            raise
        return first
    return admin
