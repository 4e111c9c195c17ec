"""The service under measurement: the real `serve`, on loopback, with throw-away data."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.people import PASSWORD, REGION, mail_of
from terristory.settings import PROJECT_ROOT
from tests.support.components import Child, free_port
from tests.support.environment import service_environment
from tests.support.server import server_environment


class Service:
    """One service with `workers` processes; several may share a database. `secret_key` lets them share tokens."""

    def __init__(self, folder: Path, database_url: str, redis_url: str | None, workers: int, secret_key: str) -> None:
        self.workers = workers
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.url}/api/{REGION}"
        self.log = folder / f"serve-{self.port}.log"
        settings = service_environment(
            SECRET_KEY=secret_key,
            DATABASE_URL=database_url,
            REDIS_URL=redis_url or "",
            WEB_WORKERS=workers,
            RATE_LIMITS="off",
            ACCESS_TOKEN_SECONDS=86400,
        )
        self.environment = server_environment(self.port, settings)
        self._child: Child | None = None

    def fill(self) -> None:
        """Make the tables and the people. Raises RuntimeError when that fails."""
        done = subprocess.run(
            _flask("benchmarks.bare", "fill"),
            cwd=PROJECT_ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"the database could not be filled: {done.stderr[-2000:]}")

    def ensure_running(self) -> None:
        """Start it unless it runs; begin its log anew, which grows by a line a request."""
        if self._child is None or not self._child.alive:
            self.start()
        os.truncate(self.log, 0)

    def start(self, app: str = "benchmarks.bare") -> float:
        """Start it and return the seconds from exec until /livez and /readyz both answer 200."""
        began = time.perf_counter()
        self._child = Child(_flask(app, "serve"), self.log, env=self.environment)
        for path in ("/livez", "/readyz"):
            while not _answers(self.url + path):
                if not self._child.alive or time.perf_counter() - began > 30:
                    self._child.kill()
                    raise RuntimeError(f"the service does not start: {self._child.output()[-2000:]}")
                time.sleep(0.003)
        return time.perf_counter() - began

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def sign_in(self, number: int = 0, device: str | None = None) -> dict[str, Any]:
        """Sign one of the people in and return the tokens; while a load before dies away, come back when told to."""
        body = {"login": mail_of(number), "password": PASSWORD} | ({"device": device} if device else {})
        for _try in range(10):
            answer = requests.post(f"{self.api}/auth", json=body, timeout=30)
            if answer.status_code != 503:
                break
            time.sleep(float(answer.headers["Retry-After"]))
        answer.raise_for_status()
        tokens: dict[str, Any] = answer.json()
        return tokens

    def bearer(self) -> dict[str, str]:
        """Return the header of somebody signed in."""
        return {"Authorization": f"Bearer {self.sign_in()['access_token']}"}

    def processes(self) -> list[psutil.Process]:
        """Return its worker processes: the children of the web server (the mail worker has none)."""
        assert self._child is not None, "start() comes first"
        return [worker for child in psutil.Process(self._child.process.pid).children() for worker in child.children()]

    def memory(self) -> float:
        """Return the PSS of its largest worker now, in MiB."""
        return max(float(worker.memory_full_info().pss) for worker in self.processes()) / 2**20


def _flask(app: str, command: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", app, command]


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
