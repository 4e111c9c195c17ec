"""How long a backup and its restore take: `python -m benchmarks.restore` (100,000 accounts, on each database).

Each account has a session with its refresh token and three lines of the audit trail. Both commands are run as an
operator runs them, each in a process of its own, on throw-away data, as durable as the databases are by default.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from sqlalchemy import insert

from benchmarks.components import OPTIONS
from benchmarks.people import PASSWORD, REGION, row_of
from terristory.app import create_app
from terristory.audit.models import AuditLine
from terristory.auth.models import RefreshToken, Session
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.operations.prepare import prepare
from terristory.passwords.hashing import hash_password
from terristory.settings import PROJECT_ROOT, read_settings
from terristory.user.models import User
from tests.support.environment import service_environment
from tests.support.postgres import Postgres, find_programs
from tests.support.server import FLASK, server_environment

AT_ONCE = 5_000


def fill(url: str, accounts: int) -> None:
    """Prepare an empty database and add the accounts with what hangs on them."""
    settings = read_settings(server_environment(1, service_environment(DATABASE_URL=url)))
    app = create_app(settings)
    with app.app_context():
        prepare(settings)
        password_hash, now = hash_password(PASSWORD), utc_now()
        for first in range(0, accounts, AT_ONCE):
            users = [row_of(number, password_hash, now) for number in range(first, min(first + AT_ONCE, accounts))]
            life = {"created_at": now, "last_used_at": now, "expires_at": now + timedelta(days=30)}
            sessions = [{"id": uuid4(), "user_id": user["id"], **life} for user in users]
            tokens = [
                {
                    "session_id": one["id"],
                    "digest": sha256(one["id"].bytes).hexdigest(),
                    "salt": "s" * 64,
                    "created_at": now,
                }
                for one in sessions
            ]
            lines = [
                {"at": now, "region": REGION, "event": event, "subject": user["id"], "request_id": "", "details": {}}
                for user in users
                for event in ("user.created", "user.confirmed", "user.activated")
            ]
            with transaction():
                for model, rows in ((User, users), (Session, sessions), (RefreshToken, tokens), (AuditLine, lines)):
                    db.session.execute(insert(model), rows)
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


def seconds_of(url: str, *arguments: str) -> float:
    """Run one command on a database and return how long it took. Raises CalledProcessError when it fails."""
    environ = server_environment(1, service_environment(DATABASE_URL=url))
    began = time.perf_counter()
    subprocess.run([*FLASK, *arguments], cwd=PROJECT_ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure(name: str, full: str, empty: str, accounts: int, folder: Path) -> None:
    """Fill one database, back it up, restore the other from it, and print the figures."""
    fill(full, accounts)
    backup = folder / f"{name}.backup"
    saved = seconds_of(full, "backup", str(backup))
    restored = seconds_of(empty, "restore", str(backup))
    size = backup.stat().st_size / 2**20
    print(f"{name}: {accounts} accounts, backup {saved:.1f} s, {size:.0f} MiB, restore {restored:.1f} s")


def main() -> int:
    """Measure on every database that is installed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restore", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    accounts: int = parser.parse_args().accounts
    with tempfile.TemporaryDirectory(prefix="terristory-restore-") as name:
        folder = Path(name)
        measure("SQLite", f"sqlite:///{folder}/full.sqlite", f"sqlite:///{folder}/empty.sqlite", accounts, folder)
        programs = find_programs()
        if programs is None:
            print("PostgreSQL: not installed")
            return 0
        postgres = Postgres(programs, OPTIONS)
        try:
            postgres.start()
            urls = postgres.create_database("full"), postgres.create_database("empty")
            measure("PostgreSQL", *urls, accounts, folder)
        finally:
            postgres.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
