"""What the database says about the migrations it has seen."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from terristory.database import transaction
from terristory.extensions import db


@contextmanager
def tables_at(revision: str | None) -> Iterator[None]:
    """Let the database say that its tables are at a revision, or at none."""
    before = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    with transaction():
        db.session.execute(text("DELETE FROM alembic_version"))
        if revision is not None:
            db.session.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    try:
        yield
    finally:
        with transaction():
            db.session.execute(text("DELETE FROM alembic_version"))
            db.session.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": before})
