"""The whole service as people run it: `flask --app wsgi serve` on a free port of loopback."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from terristory.settings import PREFIX
from tests.support.components import Child, free_port
from tests.support.environment import EMPTY_SETTINGS

# What a child may know of the machine it runs on; no setting of the person who runs the tests.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "VIRTUAL_ENV")


class Server:
    """One running service with its child processes. Use `running_server` to have it stopped at the end."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *options: str) -> None:
        self.folder = folder
        self.options = options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environ = server_environment(self.port, environ)
        self.child = self._start()

    def restart(self) -> None:
        """Start it again after `stop` or `kill`, on the same port and with the same environment."""
        self.child = self._start()

    def stop(self) -> int:
        """Ask it to end as an operator does (SIGTERM) and return its exit status."""
        return self.child.stop()

    def kill(self) -> None:
        """End it and its children as a power cut would."""
        self.child.kill()

    def output(self) -> str:
        """Everything it has printed so far."""
        return self.child.output()

    def first_admin(self) -> dict[str, str]:
        """Return what the latest development start printed of the first admin: region, mail, temporary password."""
        lines = re.findall(r"^(region|mail|temporary password): (.+)$", self.output(), re.MULTILINE)
        return {name: value.strip() for name, value in lines}

    def command(self, *arguments: str, seconds: float = 60) -> str:
        """Run one `flask --app wsgi …` command in the same environment and return what it printed.

        Raises RuntimeError with the output when it fails.
        """
        done = subprocess.run(
            [*FLASK, *arguments],
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=seconds,
            check=False,
            cwd=Path(__file__).resolve().parents[2],
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def _start(self) -> Child:
        child = Child([*FLASK, "serve", *self.options], self.folder / f"serve-{self.port}.log", env=self.environ)
        child.wait_until_ready(self._lives, seconds=40)
        return child

    def _lives(self) -> bool:
        # In production only its public name is answered.
        name = {"Host": urlsplit(self.environ[PREFIX + "PUBLIC_URL"]).netloc}
        try:
            return requests.get(self.url + "/livez", headers=name, timeout=2).status_code == 200
        except requests.RequestException:
            return False


FLASK = (sys.executable, "-m", "flask", "--app", "wsgi")


def server_environment(port: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a child: a few names of this machine, no setting but those given."""
    machine = {name: os.environ[name] for name in INHERITED if name in os.environ}
    place = {"HOST": "127.0.0.1", "PORT": str(port), PREFIX + "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return {**machine, "PYTHONUNBUFFERED": "1", **EMPTY_SETTINGS, **place, **environ}


def one_command(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command of the service to its end, where no server needs to run."""
    return subprocess.run(
        [*FLASK, *arguments],
        env=server_environment(1, environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )


@contextmanager
def running_server(folder: Path, environ: Mapping[str, str]) -> Iterator[Server]:
    """Run the service for the time of a `with`; `environ` holds its settings (a DATABASE_URL at least)."""
    server = Server(folder, environ)
    try:
        yield server
    finally:
        server.stop()
