"""Backup and restore: everything comes back, but nothing that was open."""

import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from terristory.auth.models import RefreshToken, Session
from terristory.auth.temporary_password import issue_temporary_password
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.operations.backup import BackupFailed, back_up, restore
from terristory.user.models import User
from tests.support.people import an_account


@pytest.fixture
def empty_database(database: Any, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Return the address of another database of the same kind, with nothing in it."""
    if database.name == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    server = request.getfixturevalue("own_postgres")
    url: str = server.create_database("empty")
    return url


def test_a_backup_brings_the_accounts_back_and_nothing_that_was_open(
    app: Flask, settings: Any, empty_database: str, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    now = utc_now()
    kept, erased = an_account("kept@example.fr"), an_account("erased@example.fr")
    with transaction():
        session = Session(user_id=kept, created_at=now, last_used_at=now, expires_at=now + timedelta(days=1))
        db.session.add(session)
        db.session.flush()
        db.session.add(RefreshToken(session_id=session.id, digest="d" * 64, salt="s", created_at=now))
        issued = issue_temporary_password(kept, life_seconds=3600, now=now)
        secrets = {"temporary_password": issued.password}
        mail = MailMessage("bretagne", "kept@example.fr", "fr", "admin/activated", {}, secrets)
        issued.row.mail_id = put_in_outbox(mail, now=now)
        db.session.get(User, erased).closing_at = now - timedelta(days=8)
    file = tmp_path / "backup"
    back_up(settings.database_url, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    other = make_app(DATABASE_URL=empty_database)
    with other.app_context():
        result = other.test_cli_runner().invoke(args=["restore", str(file)])
        assert result.exit_code == 0, result.output
        assert db.session.scalars(select(User.mail)).all() == ["kept@example.fr"]
        assert db.session.scalars(select(Session.ended_at)).one() is not None
        assert db.session.scalar(select(func.count()).select_from(RefreshToken)) == 0
        waiting = db.session.scalars(select(OutboxMail)).one()
        assert (waiting.state, waiting.sealed) == ("dead", None)
        body = {"login": "kept@example.fr", "password": issued.password}
        assert other.test_client().post("/api/bretagne/auth", json=body).status_code == 401
        db.session.remove()


def test_a_database_with_accounts_is_not_overwritten(app: Flask, settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    back_up(settings.database_url, file)
    an_account("here@example.fr")
    with pytest.raises(BackupFailed, match="accounts already"):
        restore(settings.database_url, file)


def test_a_backup_never_overwrites_a_file(app: Flask, settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("precious")
    with pytest.raises(BackupFailed, match="exists"):
        back_up(settings.database_url, file)
    assert file.read_text() == "precious"


def test_a_failed_backup_leaves_no_file(app: Flask, settings: Any, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed):
        back_up(settings.database_url, tmp_path / "no" / "backup")
    with pytest.raises(BackupFailed):
        back_up("sqlite:////nowhere/at/all.sqlite", tmp_path / "backup")
    assert list(tmp_path.glob("backup*")) == []


def test_a_file_that_is_no_backup_is_refused(app: Flask, settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("this is no database " * 100)
    result = app.test_cli_runner().invoke(args=["restore", str(file)])
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert db.session.scalar(select(func.count()).select_from(User)) == 0
