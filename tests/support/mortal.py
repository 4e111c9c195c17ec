"""The service in processes that die: each request is served by a process of its own, killed (-9) at a chosen moment.

A moment is anything that a death could tear apart: each statement to the database, each commit before and after it,
each step of a talk with the mail server before and after it. They are counted, so that a test can go through all.
"""

import json
import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.support.components import free_port
from tests.support.server import server_environment

MOST_MOMENTS = 80


@dataclass(frozen=True)
class Answer:
    """What a process that lived to its end answered."""

    status: int
    body: Any


class Mortal:
    """Sends each order to a process of its own. Use `mortal_service`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.mortal"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=server_environment(free_port(), environ),
        )  # fmt: skip

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        die_at: int | None = None,
    ) -> Answer | None:
        """Make a request; None when its process died at moment `die_at` (from 1 on)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._send({"method": method, "path": path, "body": body, "headers": headers, "die_at": die_at})

    def deliver(self, *, later: float = 0, die_at: int | None = None) -> Answer | None:
        """Deliver what is due `later` seconds from now; None when the process died."""
        return self._send({"later": later, "die_at": die_at})

    def close(self) -> None:
        """End the process that gives birth to the others."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def _send(self, order: dict[str, Any]) -> Answer | None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if told["ended_by"] == signal.SIGKILL:
            return None
        assert told["ended_by"] == 0, told
        return Answer(told["status"], told["body"])


@contextmanager
def mortal_service(environ: Mapping[str, str]) -> Iterator[Mortal]:
    """Have one for the time of a `with`."""
    mortal = Mortal(environ)
    try:
        yield mortal
    finally:
        mortal.close()


def _serve() -> None:
    from terristory.app import create_app
    from terristory.passwords.hashing import configure_hashing
    from terristory.settings import environment, read_settings

    app = create_app(read_settings(environment()))
    configure_hashing(memory_kib=64, time_cost=1, threads=1, waiters=4)
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            result = _obey(app, json.loads(line))
            os.write(writer, json.dumps(result).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            result = json.loads(pipe.read() or b"{}")
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"ended_by": abs(status), **result}), flush=True)


def _obey(app: Any, order: dict[str, Any]) -> dict[str, Any]:
    from terristory.clock import utc_now
    from terristory.mail_outbox.delivery import deliver_due

    if order["die_at"] is not None:
        _die_at(order["die_at"])
    if "later" in order:
        later = timedelta(seconds=order["later"])
        with app.app_context():
            return {"status": 200, "body": deliver_due(app, clock=lambda: utc_now() + later)}
    response = app.test_client().open(
        order["path"], method=order["method"], json=order["body"], headers=order["headers"]
    )
    return {"status": response.status_code, "body": response.get_json(silent=True)}


def _die_at(moment: int) -> None:
    from sqlalchemy import Engine, event
    from sqlalchemy.orm import Session

    left = moment

    def pass_a_moment(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", pass_a_moment)
    event.listen(Session, "before_commit", pass_a_moment)
    event.listen(Session, "after_commit", pass_a_moment)
    for name in ("ehlo", "mail", "rcpt", "data", "quit"):
        _surround(smtplib.SMTP, name, pass_a_moment)


def _surround(owner: type, name: str, pass_a_moment: Any) -> None:
    step = getattr(owner, name)

    def surrounded(*arguments: Any, **options: Any) -> Any:
        pass_a_moment()
        result = step(*arguments, **options)
        pass_a_moment()
        return result

    setattr(owner, name, surrounded)


if __name__ == "__main__":
    _serve()
