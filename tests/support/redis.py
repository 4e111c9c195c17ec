"""A throw-away Redis server on loopback, in memory only."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.support.components import Child, free_port, require


class RedisServer:
    """One server; `start`, `stop`, `kill`, `suspend` and `resume` serve the tests of faults."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The server's process; it must have been started."""
        assert self._child is not None, "start() comes first"
        return self._child

    def start(self) -> None:
        """Start the server (empty) and wait until it answers."""
        self._child = Child(
            [self.program, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no",
             "--dir", self.folder],
            self.folder / "redis.log",
        )  # fmt: skip
        self.child.wait_until_ready(self._answers)

    def stop(self) -> None:
        """Stop the server; what it held is gone."""
        self.child.stop()

    def kill(self) -> None:
        """End the server at once."""
        self.child.kill()

    def suspend(self) -> None:
        """Make the server silent: connections stay open and nothing answers."""
        self.child.suspend()

    def resume(self) -> None:
        """Let the server go on after `suspend`."""
        self.child.resume()

    def client(self) -> Redis:
        """Return a client of the tests' own."""
        return Redis(port=self.port, socket_timeout=2, retry=Retry(NoBackoff(), retries=0))

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """Run a server for the time of a `with`; skips (or fails in CI) where Redis is absent."""
    server = RedisServer(require("Redis", shutil.which("redis-server"), "apt install redis-server"), folder)
    try:
        server.start()
        yield server
    finally:
        if server._child is not None:
            server.kill()
