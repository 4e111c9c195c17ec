"""Questions about accounts. Every one takes a region: no account is ever found without naming its region."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, select

from terristory.extensions import db
from terristory.user.models import Role, Status, User


def find_by_mail(region: str, mail_canonical: str) -> User | None:
    """Return the account of a region that has this canonical address."""
    return db.session.scalar(select(User).where(User.region == region, User.mail_canonical == mail_canonical))


def find_user(region: str, user_id: UUID) -> User | None:
    """Return the account of that id if it belongs to the region; an id of another region is unknown here."""
    return db.session.scalar(select(User).where(User.id == user_id, User.region == region))


def active_admins(region: str) -> Sequence[User]:
    """Return the region's administrators who may sign in."""
    statement = select(User).where(
        User.region == region, User.role == Role.ADMIN, User.status == Status.ACTIVE, User.closing_at.is_(None)
    )
    return db.session.scalars(statement.order_by(User.created_at)).all()


def count_by_status(region: str) -> dict[str, int]:
    """Return how many accounts of the region stand in each status (all five are named)."""
    rows = db.session.execute(select(User.status, func.count()).where(User.region == region).group_by(User.status))
    counts = {status.value: 0 for status in Status}
    counts.update(rows.all())
    return counts


def lock_user(region: str, user_id: UUID) -> User | None:
    """Return an account of the region as it stands now, held until the end of the caller's transaction."""
    return _locked(select(User).where(User.id == user_id, User.region == region))


def lock_by_mail(region: str, mail_canonical: str) -> User | None:
    """Return the account of this address as it stands now, held until the end of the caller's transaction."""
    return _locked(select(User).where(User.region == region, User.mail_canonical == mail_canonical))


def _locked(statement: Select[User]) -> User | None:
    return db.session.scalar(statement.with_for_update().execution_options(populate_existing=True))
