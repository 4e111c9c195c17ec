"""Two roles on PostgreSQL: the serving one does all the service needs, and cannot touch tables or the past."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import requests

from terristory.settings import PROJECT_ROOT
from tests.support.components import free_port
from tests.support.environment import service_environment
from tests.support.json_client import PASSWORD, JsonClient, wait_for_link
from tests.support.postgres import Postgres
from tests.support.server import Server, server_environment
from tests.support.smtp import MailServer

pytestmark = [pytest.mark.slow, pytest.mark.postgresql, pytest.mark.timeout(120)]
SCRIPT = PROJECT_ROOT / "deploy" / "postgresql-roles.sql"
NEW_PASSWORD = "moulin orage boussole 3 tiroirs"


class TwoRoles:
    """A database of the owner's, with the two addresses that lead to it."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        with postgres.connect() as connection:
            connection.execute("CREATE ROLE terristory_owner LOGIN")
            connection.execute("CREATE ROLE terristory LOGIN")
            connection.execute("CREATE DATABASE served OWNER terristory_owner TEMPLATE template0")

    def url(self, role: str) -> str:
        """The address of the database for a role."""
        return f"postgresql+psycopg://{role}@127.0.0.1:{self.postgres.port}/served"

    def connect(self, role: str) -> psycopg.Connection:
        """Open a connection as a role, in autocommit."""
        return psycopg.connect(
            host="127.0.0.1", port=self.postgres.port, user=role, dbname="served", autocommit=True, connect_timeout=2
        )

    def command(self, role: str, *arguments: str, **settings: str | int | bool) -> subprocess.CompletedProcess[str]:
        """Run one command of ours as a role."""
        environ = server_environment(free_port(), service_environment(DATABASE_URL=self.url(role), **settings))
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            capture_output=True, text=True, env=environ, timeout=60, check=False, cwd=PROJECT_ROOT,
        )  # fmt: skip

    def separate(self) -> None:
        """Run the script of the documentation as the owner."""
        with self.connect("terristory_owner") as connection:
            connection.execute(SCRIPT.read_text())


@pytest.fixture
def roles(own_postgres: Postgres) -> TwoRoles:
    """Migrated by the owner, then separated."""
    made = TwoRoles(own_postgres)
    done = made.command("terristory_owner", "db", "upgrade")
    assert done.returncode == 0, done.stderr
    made.separate()
    return made


def test_the_whole_way_works_as_the_serving_role(
    roles: TwoRoles, make_server: Callable[..., Server], mail_server: MailServer, tmp_path: Path
) -> None:
    server = make_server(DATABASE_URL=roles.url("terristory"), RATE_LIMITS=False, SMTP_URL=mail_server.url)
    first = server.first_admin()
    person, admin = JsonClient(server.url, first["region"]), JsonClient(server.url, first["region"])
    admin.sign_in_first_time(first["mail"], first["temporary password"], NEW_PASSWORD)
    assert person.ask_for_account("a.b@brest.test").status_code == 201
    # The admin's new password is told by mail too.
    received = mail_server.wait_for(2, seconds=20)
    text = next(one.part("plain") for one in received if one.recipients == ("a.b@brest.test",))
    token = text.split("/confirmer/")[1].split()[0]
    assert person.call("POST", "/user/confirm", {"token": token, "password": PASSWORD}).status_code == 204
    user = admin.call("GET", "/admin/users?status=awaiting").json()["users"][0]
    assert admin.call("POST", f"/admin/users/{user['id']}/activate", {}).status_code == 200
    tokens = person.sign_in("a.b@brest.test", PASSWORD, device="tablette")
    answer = person.call("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    assert answer.status_code == 200
    assert person.call("POST", "/auth/logout").status_code == 204
    mail_server.wait_for(5, seconds=20)
    assert requests.get(server.url + "/readyz", timeout=10).status_code == 200
    assert roles.command("terristory", "backup", str(tmp_path / "backup")).returncode == 0


@pytest.mark.parametrize(
    "statement",
    [
        'DROP TABLE "user"',
        'TRUNCATE "user" CASCADE',
        'ALTER TABLE "user" ADD COLUMN extra text',
        "CREATE TABLE extra (id integer)",
        "CREATE TEMPORARY TABLE extra (id integer)",
        "UPDATE audit_line SET event = 'nothing.happened'",
        "DELETE FROM audit_line",
        "TRUNCATE audit_line",
        "ALTER TABLE audit_line DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_line_append_only ON audit_line",
        "CREATE OR REPLACE FUNCTION audit_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "UPDATE alembic_version SET version_num = '0000'",
        "SET session_replication_role = replica",
    ],
)
def test_the_serving_role_is_denied(separated: TwoRoles, statement: str) -> None:
    with separated.connect("terristory") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.fixture(scope="module")
def separated(postgres_server: Postgres) -> Iterator[TwoRoles]:
    """The same for the denials, made once: nothing they try changes it."""
    made = TwoRoles(postgres_server)
    assert made.command("terristory_owner", "db", "upgrade").returncode == 0
    made.separate()
    yield made
    with postgres_server.connect() as connection:
        connection.execute("DROP DATABASE served WITH (FORCE)")
        connection.execute("DROP ROLE terristory")
        connection.execute("DROP ROLE terristory_owner")


def test_a_table_of_a_later_migration_can_be_used_at_once_and_separating_twice_changes_nothing(roles: TwoRoles) -> None:
    roles.separate()
    with roles.connect("terristory_owner") as owner, roles.connect("terristory") as serving:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, word text)")
        serving.execute("INSERT INTO later (word) VALUES ('here')")
        assert serving.execute("SELECT id, word FROM later").fetchall() == [(1, "here")]


def test_serving_an_old_database_says_who_has_to_migrate_it(own_postgres: Postgres) -> None:
    roles = TwoRoles(own_postgres)
    with roles.connect("terristory_owner") as owner:
        owner.execute("GRANT USAGE ON SCHEMA public TO terristory")
    done = roles.command("terristory", "serve")
    assert done.returncode == 1
    assert "db upgrade" in done.stderr and "Traceback" not in done.stderr


def test_the_owner_purges_old_lines_and_the_serving_role_is_told_that_it_may_not(roles: TwoRoles) -> None:
    old = datetime.now(UTC) - timedelta(days=400)
    with roles.connect("terristory") as serving:
        serving.execute(
            "INSERT INTO audit_line (at, region, event, request_id, details) VALUES (%s, '', 'user.erased', '', '{}')",
            (old,),
        )
        refused = roles.command("terristory", "purge")
        assert refused.returncode == 1
        assert "owner" in refused.stderr and "Traceback" not in refused.stderr
        assert serving.execute("SELECT count(*) FROM audit_line WHERE event = 'user.erased'").fetchone() == (1,)
        done = roles.command("terristory_owner", "purge")
        assert done.returncode == 0, done.stderr
        assert "audit_lines: 1" in done.stdout
        assert serving.execute("SELECT count(*) FROM audit_line WHERE event = 'user.erased'").fetchone() == (0,)


def test_a_restore_by_the_owner_then_the_script_serves_again(
    roles: TwoRoles, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    assert roles.command("terristory_owner", "backup", str(file)).returncode == 0
    refused = roles.command("terristory", "restore", str(file))
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    restored = roles.command("terristory_owner", "restore", str(file))
    assert restored.returncode == 0, restored.stderr
    roles.separate()
    server = make_server(DATABASE_URL=roles.url("terristory"))
    assert JsonClient(server.url).ask_for_account("a.b@brest.test").status_code == 201
    assert wait_for_link(server.url, "a.b@brest.test", "confirmer")
