"""Migrations: they make what the models say, and each goes up, down and up again with data in the tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import MetaData, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.temporary_password import issue_temporary_password
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.operations import search_index
from terristory.operations.prepare import MIGRATIONS, database_revision, head_revision, prepare
from terristory.settings import read_settings
from terristory.user.models import User
from tests.support.environment import service_environment
from tests.support.people import an_account
from tests.support.requests_for_accounts import ask

FOLDER = str(MIGRATIONS)


def revisions() -> list[str]:
    """Every revision, oldest first."""
    configuration = Config(str(MIGRATIONS / "alembic.ini"))
    configuration.set_main_option("script_location", FOLDER)
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(configuration).walk_revisions()))]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path, _apps: dict[str, Flask]) -> Iterator[Flask]:
    """An app on a database without any table, within its context."""
    from terristory.app import create_app
    from tests.support.databases import dispose

    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'migrated.sqlite'}"
    else:
        url = request.getfixturevalue("postgres_server").create_database("migrated")
    app = create_app(read_settings(service_environment(DATABASE_URL=url)))
    with app.app_context():
        yield app
        db.session.remove()
    for one in (app, *_apps.values()):
        dispose(one)
    _apps.clear()


def fill() -> None:
    """Put a row in every table that people's acts fill."""
    now = utc_now()
    prepare(current_settings())
    user_id = an_account("jeanne@brest.test")
    ask(now)
    with transaction():
        issued = issue_temporary_password(user_id, life_seconds=3600, now=now)
        mail = MailMessage("bretagne", "jeanne@brest.test", "fr", "admin/activated", {}, {"temporary_password": "x"})
        issued.row.mail_id = put_in_outbox(mail, now=now)
        record(AuditEvent.USER_ACTIVATED, region="bretagne", subject=user_id, now=now)


def current_settings() -> Any:
    """The settings of the app in use."""
    from flask import current_app

    return current_app.config["SETTINGS"]


def is_of_the_schema(name: str | None, kind: str, _parents: Any) -> bool:
    """Whether the models must know a thing: the search index is a help that may be missing."""
    return not (kind == "index" and name == search_index.NAME)


def test_the_head_is_what_the_models_say(empty_app: Flask) -> None:
    flask_migrate.upgrade(directory=FOLDER)
    with db.engine.connect() as connection:
        opts = {"compare_type": True, "render_as_batch": True, "include_name": is_of_the_schema}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, db.metadata) == []


def test_each_migration_goes_up_down_and_up_again_with_data(empty_app: Flask) -> None:
    flask_migrate.upgrade(directory=FOLDER)
    at_head = described()
    fill()
    for revision in reversed(revisions()):
        assert database_revision() == revision
        flask_migrate.downgrade(directory=FOLDER)
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    for revision in revisions():
        flask_migrate.upgrade(directory=FOLDER, revision=revision)
        assert database_revision() == revision
    assert described() == at_head
    fill()
    assert db.session.scalar(select(func.count()).select_from(User)) == 2


def test_migrating_again_at_the_head_loses_no_row(empty_app: Flask) -> None:
    flask_migrate.upgrade(directory=FOLDER)
    fill()
    flask_migrate.upgrade(directory=FOLDER)
    assert database_revision() == head_revision()
    assert db.session.scalar(select(func.count()).select_from(User)) == 2


@pytest.mark.parametrize("statement", ["UPDATE audit_line SET region = 'corse'", "DELETE FROM audit_line"])
def test_the_head_guards_the_audit_trail(empty_app: Flask, statement: str) -> None:
    flask_migrate.upgrade(directory=FOLDER)
    fill()
    with pytest.raises(DBAPIError, match="append only"), transaction():
        db.session.execute(text(statement))


def test_a_migration_that_fails_midway_leaves_the_tables_as_they_were(
    empty_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import op

    made = op.create_table

    def fail_at_the_users(name: str, *columns: Any, **options: Any) -> Any:
        if name == "user":
            raise OSError("the machine stops here")
        return made(name, *columns, **options)

    monkeypatch.setattr(op, "create_table", fail_at_the_users)
    with pytest.raises(OSError, match="stops here"):
        flask_migrate.upgrade(directory=FOLDER)
    assert "region" not in inspect(db.engine).get_table_names()
    monkeypatch.undo()
    flask_migrate.upgrade(directory=FOLDER)
    assert database_revision() == head_revision()


def described() -> dict[str, Any]:
    """The tables as the database itself describes them."""
    metadata = MetaData()
    metadata.reflect(db.engine)
    return {
        name: (
            [(column.name, str(column.type), column.nullable) for column in table.columns],
            sorted(str(index.name) for index in table.indexes),
            sorted(str(constraint.name) for constraint in table.constraints),
        )
        for name, table in metadata.tables.items()
    }


on_postgresql = pytest.mark.parametrize(
    "empty_app", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def validity() -> bool | None:
    """Whether the search index is whole; None when there is none."""
    statement = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_user_search_text')"
    return db.session.scalar(text(statement))


@on_postgresql
def test_a_search_index_comes_with_the_tables_and_is_used(empty_app: Flask) -> None:
    flask_migrate.upgrade(directory=FOLDER)
    fill()
    assert validity() is True
    with db.engine.connect() as connection:
        connection.execute(text("SET enable_seqscan = off"))
        plan = connection.scalars(text("EXPLAIN SELECT id FROM \"user\" WHERE search_text LIKE '%jeann%'")).all()
    assert any("ix_user_search_text" in line for line in plan), plan


@on_postgresql
def test_an_interrupted_search_index_is_made_anew(empty_app: Flask) -> None:
    flask_migrate.upgrade(directory=FOLDER)
    with db.engine.connect() as connection:
        # What CREATE INDEX CONCURRENTLY leaves behind when it is killed.
        connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_user_search_text'::regclass")
        )
    assert validity() is False
    flask_migrate.upgrade(directory=FOLDER)
    assert validity() is True


@on_postgresql
def test_where_the_extension_may_not_be_made_the_tables_are_and_a_warning_tells(
    empty_app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(search_index, "_BUILD", "CREATE INDEX {how} nothing ON nowhere (nothing)")
    flask_migrate.upgrade(directory=FOLDER)
    assert validity() is None
    assert database_revision() == head_revision()
    search_index.keep_search_index()
    assert "no search index" in caplog.text
