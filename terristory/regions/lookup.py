"""Questions about regions."""

from collections.abc import Sequence

from sqlalchemy import select

from terristory.extensions import db
from terristory.regions.models import Region


def find_region(key: str) -> Region | None:
    """Return the region of that key, open or not."""
    return db.session.get(Region, key)


def find_open_region(key: str) -> Region | None:
    """Return the region of that key if it is open: to the outside a closed one does not exist."""
    return db.session.scalar(select(Region).where(Region.key == key, Region.is_open))


def open_regions() -> Sequence[Region]:
    """Return the open regions by name (their keys sort as their names do, accents aside)."""
    return db.session.scalars(select(Region).where(Region.is_open).order_by(Region.key)).all()


def all_regions() -> Sequence[Region]:
    """Return every region by name (by its key, so that accents do not matter)."""
    return db.session.scalars(select(Region).order_by(Region.key)).all()
