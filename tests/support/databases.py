"""The two databases of the tests: migrated once a worker, and as new before every test."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import flask_migrate
from flask import Flask
from psycopg import sql

from terristory.app import create_app
from terristory.database import transaction
from terristory.extensions import db
from terristory.regions.catalogue import load_regions
from terristory.regions.models import Region
from terristory.settings import PROJECT_ROOT, read_settings
from tests.support import next_release
from tests.support.environment import service_environment
from tests.support.postgres import Postgres


class TestDatabase(Protocol):
    """What a test may ask of its database."""

    name: str
    url: str

    def renew(self) -> None:
        """Bring it back to what the migrations and the catalogue of regions made."""


def migrate(url: str) -> None:
    """Bring an empty database to the head of the migrations, with all regions loaded and open."""
    app = create_app(read_settings(service_environment(DATABASE_URL=url)))
    with app.app_context():
        flask_migrate.upgrade(directory=str(PROJECT_ROOT / "migrations"))
        with transaction():
            load_regions()
            for region in db.session.query(Region):
                region.is_open = True
        if next_release.wanted():
            with db.engine.begin() as connection:
                next_release.migrate_further(connection)
        dispose(app)


def dispose(app: Flask) -> None:
    """Close every connection an app holds."""
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@dataclass
class SqliteDatabase:
    """A file, copied anew from the migrated one."""

    folder: Path
    name: str = "sqlite"

    def __post_init__(self) -> None:
        self.path = self.folder / "test.sqlite"
        self.url = f"sqlite:///{self.path}"
        self._template = self.folder / "migrated.sqlite"
        migrate(f"sqlite:///{self._template}")

    def renew(self) -> None:
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self._template, self.path)


@dataclass
class PostgresDatabase:
    """One database of the worker's cluster, emptied and filled again with what the migrated one held."""

    server: Postgres
    name: str = "postgresql"

    def __post_init__(self) -> None:
        self.url = self.server.create_database("terristory_test")
        migrate(self.url)
        self._connection = self.server.connect("terristory_test")
        tables = [row[0] for row in self._connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )]  # fmt: skip
        self._renewal = self._keep_a_copy(tables)

    def renew(self) -> None:
        self._connection.execute(self._renewal)

    def _keep_a_copy(self, tables: list[str]) -> sql.Composed:
        """Copy the rows that the migrations made, and return the statements that bring them back.

        Triggers and foreign keys sleep meanwhile: the audit trail refuses to be emptied otherwise. DELETE rather than
        TRUNCATE: on small tables it is many times faster, and it does not wait for a forgotten reader.
        """
        run = self._connection.execute
        run("CREATE SCHEMA pristine")
        run("SET session_replication_role = replica")
        run("SET lock_timeout = '5s'")
        statements = []
        for table in tables:
            name = sql.Identifier(table)
            statements.append(sql.SQL("DELETE FROM public.{}").format(name))
            if run(sql.SQL("SELECT EXISTS (SELECT FROM public.{})").format(name)).fetchone() == (True,):
                run(sql.SQL("CREATE TABLE pristine.{0} AS TABLE public.{0}").format(name))
                statements.append(
                    sql.SQL("INSERT INTO public.{0} OVERRIDING SYSTEM VALUE SELECT * FROM pristine.{0}").format(name)
                )
        return sql.SQL("; ").join(statements)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
