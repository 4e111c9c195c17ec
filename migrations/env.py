"""How migrations run: one transaction on both databases, one process at a time."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from terristory.database import unhurried_connection
from terristory.operations.search_index import keep_search_index

db = current_app.extensions["migrate"].db
# Any number of ours: two hosts that start together must not migrate together.
LOCK = 7_262_031


def render_item(kind: str, item: object, _autogen_context: object) -> str | bool:
    """Write our UTC column as what the database sees, so that migrations do not depend on the code of the day."""
    if kind == "type" and type(item).__name__ == "UtcDateTime":
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_sqlite() -> None:
    """SQLite: foreign keys are off while tables are copied (a dropped table would cascade), and checked at the end."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            run(connection)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise RuntimeError("the migration leaves rows that point nowhere")
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        finally:
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def run_on_postgresql() -> None:
    """PostgreSQL: DDL is transactional; waiting for a lock on a table in use is bounded, so nobody queues behind us."""
    with unhurried_connection() as unhurried:
        connection = unhurried.execution_options(isolation_level="READ COMMITTED")
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        connection.execute(text("SELECT set_config('lock_timeout', '5s', true)"))
        run(connection)
        connection.commit()
    keep_search_index()


if context.is_offline_mode():
    raise SystemExit("Migrations need a database: use `flask --app wsgi db upgrade`.")
if db.engine.dialect.name == "sqlite":
    run_on_sqlite()
else:
    run_on_postgresql()
