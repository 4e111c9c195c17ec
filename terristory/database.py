"""The database: base class, UTC times, transactions, and the names of broken constraints."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, Executable, Index, UniqueConstraint, case, event, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError, InvalidatePoolError, ProgrammingError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import Pool
from sqlalchemy.types import TypeDecorator

from terristory.extensions import db
from terristory.settings import digest_of

SQLITE_BUSY_MILLISECONDS = 5000
RESTED_SECONDS = 1.0
_one_writer = threading.Lock()


class Base(DeclarativeBase):
    """The base class of every table; Flask-SQLAlchemy's session and engines serve it."""

    metadata = db.metadata


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: aware in Python on both databases; a naive value is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextmanager
def transaction() -> Iterator[None]:
    """Do everything inside in one transaction: all of it is committed, or none when an exception leaves.

    Reads before it ran in AUTOCOMMIT; what they loaded is read again inside. SQLite begins IMMEDIATE: a deferred
    transaction that reads and then writes fails at once with "database is locked", whatever the timeout.
    """
    session = db.session
    session.rollback()
    session.expire_all()
    with _turn_to_write():
        if is_sqlite():
            session.connection().exec_driver_sql("BEGIN IMMEDIATE")
        else:
            session.connection(execution_options={"isolation_level": "READ COMMITTED"})
        try:
            yield
            session.commit()
        except BaseException:
            session.rollback()
            raise


@contextmanager
def _turn_to_write() -> Iterator[None]:
    """SQLite lets one writer in: let the threads of this process queue, whom it would have sleep and try again.

    Whoever has waited too long goes on: the database itself then says that it is locked.
    """
    waiting = is_sqlite() and _one_writer.acquire(timeout=SQLITE_BUSY_MILLISECONDS / 1000)
    try:
        yield
    finally:
        if waiting:
            _one_writer.release()


def give_back_connection() -> None:
    """Return the connection of the reads so far to the pool, keeping what they loaded: slow work comes next."""
    if db.session.registry.has():
        db.session.commit()


def read_rows(statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
    """Run a read and return its rows.

    Within a session's transaction where there is one. Otherwise on a connection of its own: most requests ask for a
    row or two, and making a session for them would cost more than all the rest of the read.
    """
    if db.session.registry.has():
        return db.session.connection().execute(statement, values or {}).all()
    with db.engine.connect() as connection:
        return connection.execute(statement, values or {}).all()


def is_sqlite() -> bool:
    """Return whether the embedded database is in use."""
    return db.engine.dialect.name == "sqlite"


def violates(error: IntegrityError, constraint: str) -> bool:
    """Return whether `error` comes from the named unique constraint.

    PostgreSQL names the constraint; SQLite names its columns ("UNIQUE constraint failed: user.region, user.mail"), so
    they are compared with those of the constraint or index of that name in the metadata.
    """
    if isinstance(error.orig, sqlite3.IntegrityError):
        return _columns_of(constraint) == str(error.orig).rpartition("constraint failed: ")[2]
    diagnostics = getattr(error.orig, "diag", None)
    return diagnostics is not None and diagnostics.constraint_name == constraint


def is_denied(error: ProgrammingError) -> bool:
    """Return whether the database's role has no right to do what was asked (PostgreSQL: insufficient_privilege)."""
    return getattr(error.orig, "sqlstate", None) == "42501"


def _columns_of(constraint: str) -> str:
    for table in db.metadata.tables.values():
        uniques: list[UniqueConstraint | Index] = [*table.indexes]
        uniques += [item for item in table.constraints if isinstance(item, UniqueConstraint)]
        for item in uniques:
            if item.name == constraint:
                return ", ".join(f"{table.name}.{column.name}" for column in item.columns)
    raise LookupError(f"no constraint is named {constraint}")


def engine_options(database_url: str, threads: int) -> dict[str, Any]:
    """Return the engine's options: reads in AUTOCOMMIT, bounded waits, a pool as wide as the server's threads."""
    options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    if database_url.startswith("sqlite"):
        options["connect_args"] = {"timeout": SQLITE_BUSY_MILLISECONDS / 1000}
        return options
    options["connect_args"] = {
        "connect_timeout": 3,
        "options": "-c statement_timeout=9000 -c lock_timeout=8000 -c idle_in_transaction_session_timeout=30000",
        "application_name": "terristory",
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 8000,
    }
    # One more than the threads for the health check; waiting for a connection is bounded like a statement.
    options |= {"pool_size": threads + 1, "max_overflow": 4, "pool_timeout": 5}
    return options


@event.listens_for(Engine, "do_connect")
def _connect_patiently(dialect: Dialect, _record: Any, arguments: Any, parameters: dict[str, Any]) -> Any:
    if dialect.driver != "psycopg":
        return None
    # Here, so that the driver is not loaded where the embedded database serves.
    from terristory.postgresql import PatientConnection

    return PatientConnection.connect(*arguments, **parameters)


@event.listens_for(Pool, "checkin")
def _note_its_rest(_connection: Any, record: Any) -> None:
    record.info["rests_since"] = monotonic()


@event.listens_for(Pool, "checkout")
def _ask_for_a_sign_of_life(connection: Any, record: Any, _proxy: Any) -> None:
    """Have a connection that died while idle replaced (`pool_pre_ping`, whose own question waits for ever).

    One that was at work a moment ago is not asked: on a busy service that would be every second thing the database is
    asked. Should it have died in that moment, one request gets a 503, and SQLAlchemy replaces all that are as old.
    """
    if isinstance(connection, sqlite3.Connection) or monotonic() - record.info.get("rests_since", 0) < RESTED_SECONDS:
        return
    if not connection.gives_a_sign_of_life():
        raise InvalidatePoolError


@contextmanager
def unhurried_connection() -> Iterator[Connection]:
    """PostgreSQL: open a connection of its own, in AUTOCOMMIT, whose statements and locks may take their time."""
    with db.engine.connect() as connection:
        connection.connection.driver_connection.patience = None  # type: ignore[union-attr]
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        # SQLAlchemy counts even these as a transaction, and lets nobody choose an isolation level within one.
        connection.commit()
        try:
            yield connection
        finally:
            # Closed for good: nobody inherits its patience, and whatever it holds ends with it.
            connection.invalidate()


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def ping() -> None:
    """Ask the database for a sign of life; raises SQLAlchemy's OperationalError when it has none."""
    db.session.execute(text("SELECT 1"))


def take_from_quota(table: Any, key: str, *, most: int, period: timedelta, now: datetime) -> bool:
    """Count one use under `key` and return whether it is within `most` in a window of `period`.

    One atomic upsert, so that a burst of parallel requests cannot pass together. `table` is a mapped class with the
    columns `key`, `since` and `count`; a window begins at the first use after the former one is over.
    """
    insert = sqlite_insert if is_sqlite() else postgresql_insert
    over = table.since <= now - period
    statement = (
        insert(table)
        .values(key=digest_of(key), since=now, count=1)
        .on_conflict_do_update(
            index_elements=[table.key],
            set_={
                "since": case((over, now), else_=table.since),
                "count": case((over, 1), else_=table.count + 1),
            },
        )
        .returning(table.count)
    )
    return int(db.session.execute(statement).scalar_one()) <= most
