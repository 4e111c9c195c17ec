"""A throw-away PostgreSQL cluster on loopback, without any promise of durability."""

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from tests.support.components import Child, free_port, require

# Speed instead of durability; a wait that never ends would hide a test that keeps a transaction open.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "48MB",
    "max_connections": "120",
    "timezone": "UTC",
}


def find_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server programs on this machine, or None."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if folders:
        return max(folders, key=lambda folder: float(folder.parent.name))
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


class Postgres:
    """One cluster. `start`, `stop`, `kill`, `suspend` and `resume` serve the tests of faults."""

    def __init__(self, programs: Path, options: Mapping[str, str] = OPTIONS) -> None:
        self.programs = programs
        self.options = options
        # Not under pytest's folder: that one is closed to the user the server has to run as.
        self.folder = Path(tempfile.mkdtemp(prefix="terristory-postgres-"))
        self.port = free_port()
        self._child: Child | None = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, _unprivileged_user())
        initdb = Child(
            [*_as_unprivileged(), programs / "initdb", "--pgdata", self.folder / "data", "--username", "postgres",
             "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"],
            Path(f"{self.folder}.log"),
        )  # fmt: skip
        if initdb.process.wait() != 0:
            raise RuntimeError(f"initdb failed\n{initdb.output()}")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = [part for name, value in self.options.items() for part in ("-c", f"{name}={value}")]
        self._child = Child(
            [*_as_unprivileged(), self.programs / "postgres", "-D", self.folder / "data", "-p", str(self.port),
             "-c", f"unix_socket_directories={self.folder}", *options],
            Path(f"{self.folder}.log"),
        )  # fmt: skip
        self.child.wait_until_ready(self._answers)

    @property
    def child(self) -> Child:
        """The server's process; it must have been started."""
        assert self._child is not None, "start() comes first"
        return self._child

    def stop(self) -> None:
        """Stop the server, breaking open connections off (PostgreSQL's "fast" shutdown)."""
        self.child.stop(signal.SIGINT)

    def kill(self) -> None:
        """End the server and all its backends as a power cut would; it can be started again."""
        self._signal_all(signal.SIGKILL)
        self.child.kill()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def suspend(self) -> None:
        """Make the server silent: connections stay open and nothing answers.

        Each backend leads its own process group, so all are stopped by their ids.
        """
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the server go on after `suspend`."""
        self._signal_all(signal.SIGCONT)

    def remove(self) -> None:
        """Stop the server for good and delete its files."""
        if self._child is not None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        Path(f"{self.folder}.log").unlink(missing_ok=True)

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of one database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        """Open a connection of the tests' own, in autocommit."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=name, autocommit=True, connect_timeout=2
        )

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database anew (a former one of that name goes) and return its URL."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return self.url(name)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _signal_all(self, sign: signal.Signals) -> None:
        postmaster = psutil.Process(self.child.process.pid)
        for process in (postmaster, *postmaster.children(recursive=True)):
            # A backend may end while the list is read.
            with suppress(psutil.NoSuchProcess):
                process.send_signal(sign)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a cluster for the time of a `with`; skips (or fails in CI) where PostgreSQL is absent."""
    server = Postgres(require("PostgreSQL", find_programs(), "apt install postgresql"))
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _unprivileged_user() -> str:
    """PostgreSQL refuses to run as root; Debian's package brings a user for it."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as_unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    user = _unprivileged_user()
    # The server ends by itself if the test process is killed and cannot stop it.
    return ["setpriv", f"--reuid={user}", f"--regid={_group_of(user)}", "--init-groups", "--pdeathsig", "INT", "--"]


def _group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
