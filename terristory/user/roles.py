"""The rule that a region never loses its last active administrator."""

from sqlalchemy import select

from terristory.extensions import db
from terristory.regions.models import Region
from terristory.user.errors import LastAdmin
from terristory.user.models import Role, Status, User


def keep_an_admin(user: User) -> None:
    """Refuse what is about to take its power from the region's last active administrator. Raises LastAdmin.

    Holds the region's row until the end of the caller's transaction: of two such acts at once the second judges what
    the first one left. Accounts that are no active administrators pass.
    """
    # NO KEY UPDATE: registrations, whose foreign key looks at the region, do not wait.
    lock = select(Region.key).where(Region.key == user.region).with_for_update(key_share=True)
    db.session.execute(lock).one()
    db.session.refresh(user)
    if user.role != Role.ADMIN or user.status != Status.ACTIVE or user.closing_at is not None:
        return
    another = select(User.id).where(
        User.region == user.region,
        User.role == Role.ADMIN,
        User.status == Status.ACTIVE,
        User.closing_at.is_(None),
        User.id != user.id,
    )
    if db.session.scalar(another.limit(1)) is None:
        raise LastAdmin
