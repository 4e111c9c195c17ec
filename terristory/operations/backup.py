"""Backup and restore of the whole database, on both kinds."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, inspect, select, text, update
from sqlalchemy.engine import URL, make_url

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.models import RefreshToken, Session, TemporaryPassword
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.user.models import MailLink, User


class BackupFailed(Exception):
    """The backup or restore could not be done; the message says why."""


def back_up(database_url: str, target: Path) -> None:
    """Write the whole database to `target` (mode 600), consistent although requests go on. Raises BackupFailed."""
    if target.exists():
        raise BackupFailed(f"{target} exists already")
    if not target.parent.is_dir():
        raise BackupFailed(f"{target.parent} is no folder")
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise BackupFailed("there is no database yet")
    draft = target.with_name(target.name + ".part")
    draft.touch(mode=0o600)
    try:
        if url.get_backend_name() == "sqlite":
            with closing(sqlite3.connect(str(url.database))) as source, closing(sqlite3.connect(draft)) as copy:
                source.backup(copy)
        else:
            _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}"], url)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def restore(database_url: str, source: Path) -> None:
    """Fill an empty database from a backup. Raises BackupFailed when it holds accounts already or the file is bad."""
    if not source.is_file():
        raise BackupFailed(f"{source} is no file")
    if inspect(db.engine).has_table("user") and db.session.scalar(select(User.id).limit(1)) is not None:
        raise BackupFailed("the database holds accounts already: restore into an empty one")
    url = make_url(database_url)
    db.session.remove()
    if url.get_backend_name() == "sqlite":
        db.engine.dispose()
        _restore_sqlite(Path(str(url.database)), source)
    else:
        # A file that is no backup must be known before anything is dropped.
        _run(["pg_restore", "--list", str(source)], url)
        _empty_schema()
        db.engine.dispose()
        _run(
            [
                *("pg_restore", f"--dbname={url.database}", "--no-owner", "--no-privileges"),
                *("--exit-on-error", "--single-transaction", str(source)),
            ],
            url,
        )


def void_what_was_open(now: datetime) -> None:
    """End what a restored copy must not bring back: sessions, refresh tokens, temporary passwords, mailed links.

    A mail that still waits and carries one of these secrets is given up: it would bring a dead link.
    """
    db.session.execute(update(Session).where(Session.ended_at.is_(None)).values(ended_at=now))
    db.session.execute(delete(RefreshToken))
    superseded = {"superseded_at": now}
    db.session.execute(update(TemporaryPassword).where(TemporaryPassword.superseded_at.is_(None)).values(superseded))
    db.session.execute(update(MailLink).where(MailLink.used_at.is_(None)).values(superseded))
    db.session.execute(
        update(OutboxMail)
        .where(OutboxMail.state == MailState.PENDING, OutboxMail.sealed.is_not(None))
        .values(state=MailState.DEAD, sealed=None, last_error="restored")
    )
    record(AuditEvent.SERVICE_RESTORED, region="", now=now)


def _restore_sqlite(target: Path, source: Path) -> None:
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as copy:
        try:
            sound = copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        except sqlite3.DatabaseError:
            sound = False
        if not sound:
            raise BackupFailed(f"{source} is no sound SQLite database")
        with closing(sqlite3.connect(target)) as database:
            copy.backup(database)
    target.chmod(0o600)


def _empty_schema() -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


def _run(command: Sequence[str], url: URL) -> None:
    """Run a PostgreSQL client program; the password goes by the environment, never by the arguments."""
    program = shutil.which(command[0]) or _newest(command[0])
    environment = {
        **os.environ,
        "PGHOST": url.host or "",
        "PGPORT": str(url.port or 5432),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
    }
    environment = {name: value for name, value in environment.items() if value}
    arguments = [program, *command[1:]]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BackupFailed(done.stderr.strip()[:1000] or f"{command[0]} failed")


def _newest(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if not found:
        raise BackupFailed(f"{name} is not installed: install PostgreSQL's client programs")
    return str(found[-1])
