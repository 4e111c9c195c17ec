"""The index that makes the administrators' search fast on a big PostgreSQL. A help, and no part of the schema.

It needs an extension that not every operator may create, and must be built without holding anybody up, which no
migration within a transaction can do. Without it everything works, a search just reads all of a region's accounts.
"""

import logging

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from terristory.database import is_sqlite, unhurried_connection
from terristory.extensions import db

log = logging.getLogger("terristory.migrations")
NAME = "ix_user_search_text"
_IS_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
_HAS_ACCOUNTS = text('SELECT EXISTS (SELECT FROM "user")')
_BUILD = f'CREATE INDEX {{how}} {NAME} ON "user" USING gin (search_text gin_trgm_ops)'


def has_search_index() -> bool:
    """Return whether searches have their index, or need none (SQLite)."""
    return is_sqlite() or bool(db.session.scalar(_IS_VALID, {"name": NAME}))


def keep_search_index() -> None:
    """Build the index where it is missing, and anew where an interrupted build has left a broken one (PostgreSQL).

    Readers and writers go on meanwhile. Where the role may not, a warning tells and nothing else happens.
    """
    if is_sqlite():
        return
    with unhurried_connection() as connection:
        valid = connection.scalar(_IS_VALID, {"name": NAME})
        if valid:
            return
        try:
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            if valid is False:
                connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")
            # It waits for whoever is at work; a host that waits for us to prepare the database would wait for ever.
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            # Of an empty table it is made at once, and three hosts that start together do not wait for one another.
            how = "CONCURRENTLY" if connection.scalar(_HAS_ACCOUNTS) else ""
            connection.exec_driver_sql(_BUILD.format(how=how))
        except DBAPIError as error:
            log.warning("no search index, searches will be slow on many accounts: %s", error.orig)
