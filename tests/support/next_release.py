"""Tables as the next release may leave them for this one: with more in them, and nothing else (decision 0013).

`SCHEMA=next pytest …` gives every test such a database (`make test-next`). What this release does must not mind: while
hosts are upgraded one after the other, and after a step back, it serves on what the newer code has made.
"""

import os

from sqlalchemy import Connection, text

from terristory.extensions import db

REVISION = "next"


def wanted() -> bool:
    """Whether the tests are to run on the next release's tables."""
    return os.environ.get("SCHEMA") == REVISION


def migrate_further(connection: Connection) -> None:
    """Do to every table all that a migration may do to it (decision 0013)."""
    for table in db.metadata.tables:
        for statement in (
            f'ALTER TABLE "{table}" ADD COLUMN next_note VARCHAR(200)',
            f'ALTER TABLE "{table}" ADD COLUMN next_count INTEGER NOT NULL DEFAULT 0',
            f'CREATE INDEX ix_next_{table} ON "{table}" (next_count)',
        ):
            connection.execute(text(statement))
    connection.execute(
        text(
            "CREATE TABLE next_thing (id INTEGER PRIMARY KEY, region VARCHAR(40) NOT NULL REFERENCES region (key),"
            " user_id CHAR(32) NOT NULL, about VARCHAR(200) NOT NULL DEFAULT '')"
        )
    )
    connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": REVISION})
