"""What the service stands on, started for the time of a run: PostgreSQL and Redis, where they are installed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import Postgres, find_programs
from tests.support.redis import RedisServer

# As an operator runs it, unlike the tests' cluster: what is committed is on the disk.
OPTIONS = {"listen_addresses": "127.0.0.1", "shared_buffers": "128MB", "timezone": "UTC"}


@dataclass(frozen=True)
class Stand:
    """Where the data are: by database the URL of an empty one, or None; Redis, or None."""

    databases: dict[str, str | None]
    redis_url: str | None
    postgres: Postgres | None = None

    def new_postgresql(self, name: str) -> str:
        """Return the URL of one more empty database. Raises RuntimeError where PostgreSQL is not installed."""
        if self.postgres is None:
            raise RuntimeError("PostgreSQL is not installed")
        return self.postgres.create_database(name)

    @property
    def workers(self) -> int:
        """How many processes the service runs: the one that is allowed without Redis, else two."""
        return 2 if self.redis_url else 1


@contextmanager
def stand(folder: Path, wanted: tuple[str, ...]) -> Iterator[Stand]:
    """Start what is installed of the databases wanted, and Redis, for the time of a `with`."""
    redis_program, postgres_programs = shutil.which("redis-server"), find_programs()
    redis = RedisServer(redis_program, folder) if redis_program else None
    postgres = Postgres(postgres_programs, OPTIONS) if postgres_programs and "PostgreSQL" in wanted else None
    try:
        if redis:
            redis.start()
        if postgres:
            postgres.start()
        urls = {
            "SQLite": f"sqlite:///{folder / 'bench.sqlite'}",
            "PostgreSQL": postgres.create_database("bench") if postgres else None,
        }
        yield Stand({name: urls[name] for name in wanted}, redis.url if redis else None, postgres)
    finally:
        if postgres:
            postgres.remove()
        if redis:
            redis.stop()
