"""Questions about regions."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

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

    What comes back belongs to no session and is only to be read: nearly every request wants one, and making an object
    takes as long as reading its row. So requests that have read the same row share one.
    """
    rows = read_rows(_OPEN_REGION, {"key": key})
    return _as_read(tuple(rows[0])) if rows else None


@lru_cache(maxsize=64)
def _as_read(row: tuple[Any, ...]) -> Region:
    return Region(**dict(zip(Region.__table__.columns.keys(), row, strict=True)))


def open_regions() -> Sequence[Region]:
    """Return the open regions by name (their keys sort as their names do, accents aside)."""
    return db.session.scalars(select(Region).where(Region.is_open).order_by(Region.key)).all()


def all_regions() -> Sequence[Region]:
    """Return every region by name (by its key, so that accents do not matter)."""
    return db.session.scalars(select(Region).order_by(Region.key)).all()
