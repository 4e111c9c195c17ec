"""Questions about accounts. Every one takes a region: no account is ever found without naming its region."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, bindparam, func, select

from terristory.database import read_rows
from terristory.extensions import db
from terristory.user.models import Role, Status, User


def _as_it_stands(statement: Select[User]) -> Select[User]:
    return statement.with_for_update().execution_options(populate_existing=True)


# Built once: a sign-in asks these, and making each anew cost more than running it.
_PASSWORD_OF = select(User.id, User.password_hash).where(
    User.region == bindparam("region"), User.mail_canonical == bindparam("mail")
)
_LOCKED = _as_it_stands(select(User).where(User.id == bindparam("account"), User.region == bindparam("region")))
_LOCKED_BY_MAIL = _as_it_stands(
    select(User).where(User.region == bindparam("region"), User.mail_canonical == bindparam("mail"))
)


def find_by_mail(region: str, mail_canonical: str) -> User | None:
    """Return the account of a region that has this canonical address."""
    return db.session.scalar(select(User).where(User.region == region, User.mail_canonical == mail_canonical))


def password_of(region: str, mail_canonical: str) -> tuple[UUID | None, str | None]:
    """Return the id of the account of this address and its stored password; (None, None) when there is no account."""
    rows = read_rows(_PASSWORD_OF, {"region": region, "mail": mail_canonical})
    return (rows[0].id, rows[0].password_hash) if rows else (None, None)


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
    return db.session.scalar(_LOCKED, {"account": user_id, "region": region})


def lock_by_mail(region: str, mail_canonical: str) -> User | None:
    """Return the account of this address as it stands now, held until the end of the caller's transaction."""
    return db.session.scalar(_LOCKED_BY_MAIL, {"region": region, "mail": mail_canonical})
