"""A migration that is killed, and an index whose building is cut off: nothing half done stays, and again works."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect

from terristory.settings import PROJECT_ROOT
from tests.support.components import wait_until
from tests.support.environment import EMPTY_SETTINGS, service_environment
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# `db upgrade` in a process that kills itself at the moment it is told: at the n-th thing that a migration does.
MORTAL_UPGRADE = """
import os, signal, sys
from alembic import op

left = int(sys.argv[1])

def mortal(act):
    def do(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments, **options)
    return do

for name in ("create_table", "execute"):
    setattr(op, name, mortal(getattr(op, name)))

from terristory.app import create_app
from terristory.operations.prepare import migrate_to_head
from terristory.settings import environment, read_settings

with create_app(read_settings(environment())).app_context():
    migrate_to_head()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'killed.sqlite'}"
    url: str = request.getfixturevalue("postgres_server").create_database("killed")
    return url


def run(url: str, *command: str) -> subprocess.Popen[bytes]:
    """Start a process on a database, with the settings of the tests."""
    environment = {**os.environ, **EMPTY_SETTINGS, **service_environment(DATABASE_URL=url)}
    return subprocess.Popen(
        [sys.executable, *command], cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def tables(url: str) -> set[str]:
    """The tables of a database, without the one in which Alembic takes notes."""
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def test_a_migration_killed_at_any_moment_leaves_nothing_and_works_again(empty_url: str) -> None:
    died = 0
    # Every third moment: a start takes a second.
    for moment in range(1, 100, 3):
        upgrade = run(empty_url, "-c", MORTAL_UPGRADE, str(moment))
        said, _ = upgrade.communicate(timeout=60)
        if upgrade.returncode == 0:
            break
        assert upgrade.returncode == -signal.SIGKILL, said.decode()
        assert tables(empty_url) == set()
        died += 1
    assert died >= 4
    assert {"user", "audit_line", "outbox_mail"} <= tables(empty_url)


@pytest.fixture
def crowded_url(postgres_server: Postgres) -> str:
    """The URL of a migrated PostgreSQL database with accounts enough for an index to take its time."""
    url = postgres_server.create_database("crowded")
    upgrade = run(url, "-m", "flask", "--app", "wsgi", "db", "upgrade")
    said, _ = upgrade.communicate(timeout=60)
    assert upgrade.returncode == 0, said.decode()
    with postgres_server.connect("crowded") as connection:
        connection.execute("DROP INDEX ix_user_search_text")
        connection.execute("SET session_replication_role = replica")
        columns: list[tuple[Any, ...]] = connection.execute(
            "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns"
            " WHERE table_name = 'user' AND is_nullable = 'NO' AND column_default IS NULL"
        ).fetchall()
        values = {"uuid": "gen_random_uuid()", "boolean": "false", "timestamp with time zone": "now()"}
        each = [
            values.get(kind, f"left(md5(n::text) || md5((-n)::text), {longest or 64})")
            for _name, kind, longest in columns
        ]
        names = ", ".join(f'"{name}"' for name, *_rest in columns)
        connection.execute(f'INSERT INTO "user" ({names}) SELECT {", ".join(each)} FROM generate_series(1, 60000) n')  # type: ignore[arg-type]
    return url


@pytest.mark.postgresql
def test_an_index_whose_building_is_cut_off_is_made_anew(crowded_url: str, postgres_server: Postgres) -> None:
    with postgres_server.connect("crowded") as watcher:

        def builders() -> list[tuple[int]]:
            return watcher.execute("SELECT pid FROM pg_stat_progress_create_index").fetchall()

        def validity() -> list[tuple[bool]]:
            return watcher.execute(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_user_search_text')"
            ).fetchall()

        upgrade = run(crowded_url, "-m", "flask", "--app", "wsgi", "db", "upgrade")
        wait_until(lambda: bool(builders()), what="the index is being built")
        for (pid,) in builders():
            watcher.execute("SELECT pg_terminate_backend(%s)", (pid,))
        upgrade.communicate(timeout=60)
        assert validity() == [(False,)]

        again = run(crowded_url, "-m", "flask", "--app", "wsgi", "db", "upgrade")
        said, _ = again.communicate(timeout=120)
        assert again.returncode == 0, said.decode()
        assert validity() == [(True,)]


@pytest.mark.postgresql
def test_accounts_are_written_while_the_index_is_built(crowded_url: str, postgres_server: Postgres) -> None:
    """No long locks: a request for an account does not wait for the end of the building."""
    with postgres_server.connect("crowded") as watcher:
        upgrade = run(crowded_url, "-m", "flask", "--app", "wsgi", "db", "upgrade")
        wait_until(
            lambda: bool(watcher.execute("SELECT FROM pg_stat_progress_create_index").fetchall()),
            what="the index is being built",
        )
        watcher.execute("SET statement_timeout = '500ms'")
        written = watcher.execute('UPDATE "user" SET nom = \'Le Goff\' WHERE id = (SELECT id FROM "user" LIMIT 1)')
        still = watcher.execute("SELECT FROM pg_stat_progress_create_index").fetchall()
        assert written.rowcount == 1
        assert still, "the index was ready before the account was written: make it longer"
        said, _ = upgrade.communicate(timeout=120)
        assert upgrade.returncode == 0, said.decode()
