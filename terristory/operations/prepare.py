"""What must hold before the service serves: migrated tables, known regions, the audit's retention."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import upgrade
from sqlalchemy import func, inspect, select, text

from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditRetention
from terristory.audit.trail import record
from terristory.clock import utc_now
from terristory.database import is_sqlite, transaction, unhurried_connection
from terristory.extensions import db
from terristory.regions.catalogue import load_regions
from terristory.settings import PROJECT_ROOT, Settings

MIGRATIONS = PROJECT_ROOT / "migrations"
# Any number that nothing else locks by.
PREPARATION_LOCK = 7_283_544_105


def head_revision() -> str | None:
    """Return the newest revision that the code knows."""
    return _migrations().get_current_head()


def database_revision() -> str | None:
    """Return the revision that the database is at, None when it has no tables."""
    if not inspect(db.engine).has_table("alembic_version"):
        return None
    revision: str | None = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


class Schema(StrEnum):
    """How the tables stand to this code."""

    HEAD = "head"
    # A migration that this code knows is missing: it cannot serve.
    BEHIND = "behind"
    # Newer code has migrated, whose migrations leave the code before it working (docs/exploitation.md).
    AHEAD = "ahead"


class DatabaseBehind(Exception):
    """The tables are older than the code, and whoever starts was told to leave them alone."""


def prepare(settings: Settings, *, migrates: bool = True) -> None:
    """Migrate to the head, add missing regions (open in development), keep the audit's retention in step.

    Without `migrates` the tables stay as they are; raises DatabaseBehind when they are too old to serve.
    """
    with _one_at_a_time():
        if migrates:
            migrate_to_head()
        elif schema_state(database_revision()) is Schema.BEHIND:
            raise DatabaseBehind
        _protect_database_file(current_app.config["SQLALCHEMY_DATABASE_URI"])
        with transaction():
            load_regions(open_all=not settings.production)
            keep_audit_days(settings.keep_audit_days)
            record(AuditEvent.SERVICE_STARTED, region="", now=utc_now())


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one of several hosts that start together prepare their database, and the others find it done (PostgreSQL)."""
    if is_sqlite():
        yield
        return
    # Its end gives the lock back.
    with unhurried_connection() as connection:
        connection.execute(select(func.pg_advisory_lock(PREPARATION_LOCK)))
        yield


def schema_state(revision: str | None) -> Schema:
    """Return how tables at this revision (of `database_revision`) stand to this code."""
    if revision == head_revision():
        return Schema.HEAD
    return Schema.BEHIND if revision is None or revision in _known_revisions() else Schema.AHEAD


def migrate_to_head() -> None:
    """Bring the tables to the newest revision that this code knows; leaves them alone when newer code has migrated."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if schema_state(database_revision()) is Schema.BEHIND:
        db.session.remove()
        upgrade(directory=str(MIGRATIONS))


def keep_audit_days(days: int) -> None:
    """Tell the trigger that guards the audit trail how many days a line must be kept."""
    retention = db.session.get(AuditRetention, 1)
    if retention is None:
        db.session.add(AuditRetention(id=1, days=days))
    elif retention.days != days:
        retention.days = days


@cache
def _known_revisions() -> frozenset[str]:
    return frozenset(script.revision for script in _migrations().walk_revisions())


@cache
def _migrations() -> ScriptDirectory:
    configuration = Config(str(MIGRATIONS / "alembic.ini"))
    configuration.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(configuration)


def _protect_database_file(url: str) -> None:
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).chmod(0o600)
