"""Who a token speaks for, as the database knows it now: session, account and region in one statement."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select

from terristory.auth.access_token import Claims
from terristory.auth.models import Session
from terristory.database import read_rows
from terristory.regions.models import Region
from terristory.user.models import Status, User

# Built once: SQLAlchemy then finds its compiled form by identity. `session_id` and `must_change_password` come from
# the session, all the rest from the account. `replaced_at` is not looked at: the access token of a replaced session
# lives to its end, as in the original.
_ALIVE = (
    select(
        Session.id.label("session_id"),
        Session.must_change_password,
        User.id,
        User.region,
        User.mail,
        User.prenom,
        User.nom,
        User.organisation,
        User.fonction,
        User.territoire,
        User.langue,
        User.role,
        User.status,
        User.created_at,
    )
    .select_from(Session)
    .join(User, User.id == Session.user_id)
    .join(Region, Region.key == User.region)
    .where(
        Session.id == bindparam("session"),
        Session.ended_at.is_(None),
        Session.expires_at > bindparam("now"),
        User.id == bindparam("user"),
        User.region == bindparam("region"),
        User.status == Status.ACTIVE.value,
        User.closing_at.is_(None),
        Region.is_open,
    )
)


def retrieve_user(claims: Claims, *, now: datetime) -> Row[Any] | None:
    """Return the account that a verified token speaks for, as it is now.

    None when its session has ended or is over its life, when the account is not active or is closing, or when its
    region is closed.
    """
    values = {"session": claims.session_id, "user": claims.user_id, "region": claims.region, "now": now}
    rows = read_rows(_ALIVE, values)
    return rows[0] if rows else None
