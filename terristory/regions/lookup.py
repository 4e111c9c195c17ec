"""Questions about regions."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from terristory.database import read_rows
from terristory.extensions import db
from terristory.regions.models import Region


def find_region(key: str) -> Region | None:
    """Return the region of that key, open or not."""
    return db.session.get(Region, key)


_OPEN_REGION = select(Region.__table__).where(Region.key == bindparam("key"), Region.is_open)


def find_open_region(key: str) -> Region | None:
    """Return the region of that key if it is open: to the outside a closed one does not exist.

    What comes back belongs to no session and is only to be read: nearly every request wants one, and as an object of
    the session it costs twice the time.
    """
    rows = read_rows(_OPEN_REGION, {"key": key})
    return Region(**rows[0]._mapping) if rows else None


def open_regions() -> Sequence[Region]:
    """Return the open regions by name (their keys sort as their names do, accents aside)."""
    return db.session.scalars(select(Region).where(Region.is_open).order_by(Region.key)).all()


def all_regions() -> Sequence[Region]:
    """Return every region by name (by its key, so that accents do not matter)."""
    return db.session.scalars(select(Region).order_by(Region.key)).all()
