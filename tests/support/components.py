"""What every real component of the tests shares: a rule for absence, a free port, a child process that surely ends."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

Found = TypeVar("Found")


def require(component: str, found: Found | None, how: str = "") -> Found:
    """Return `found`; skip the test with a reason when it is None, or fail it when CI is set.

    A laptop may lack PostgreSQL or a browser; on the machine that decides, absence must not look like success.
    """
    if found is None:
        absent(component, how)
    return found


def absent(component: str, how: str = "") -> NoReturn:
    """End the test because `component` is not on this machine: a skip, or a failure when CI is set."""
    reason = f"{component} is not installed" + (f" ({how})" if how else "")
    if os.environ.get("CI"):
        pytest.fail(reason + ", and CI is set", pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], *, seconds: float = 15, what: str) -> None:
    """Return as soon as `holds()` is true; raise TimeoutError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not so within {seconds} s")
        time.sleep(0.02)


def listens(port: int) -> bool:
    """Return whether somebody accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Child:
    """A server run as a child process in its own process group, its output kept in a file."""

    def __init__(self, command: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.command = [str(part) for part in command]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                cwd=Path(__file__).resolve().parents[2],
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        """Everything the process has printed so far."""
        return self.log.read_text(errors="replace")

    def wait_until_ready(self, ready: Callable[[], bool], *, seconds: float = 20) -> None:
        """Return when `ready()`; raise RuntimeError with the output when the process ends or takes too long."""
        try:
            wait_until(lambda: not self.alive or ready(), seconds=seconds, what=self.command[0])
        except TimeoutError as error:
            self.kill()
            raise RuntimeError(f"{error}\n{self.output()}") from error
        if not self.alive:
            raise RuntimeError(f"{self.command[0]} ended with {self.process.returncode}\n{self.output()}")

    def stop(self, sign: signal.Signals = signal.SIGTERM, *, seconds: float = 15) -> int:
        """Ask it to end, kill it when it does not, and return its exit status (minus the signal when killed)."""
        if self.alive:
            self.process.send_signal(sign)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._sweep()
        return self.process.wait()

    def kill(self) -> None:
        """End it, and whatever it started, at once (SIGKILL)."""
        self._sweep()
        self.process.wait()

    def suspend(self) -> None:
        """Freeze the whole group: it keeps its connections and answers nothing (SIGSTOP)."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `suspend`."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def _sweep(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
