"""One command serves: prepare once, then the web server and one mail worker as children, stopped together."""

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from terristory.settings import PROJECT_ROOT, Settings

log = logging.getLogger("terristory.serve")
# Requests in flight get this long to finish, then the processes end.
GRACE_SECONDS = 20
RESTART_SECONDS = 2.0
POLL_SECONDS = 0.1
# Connections that one process keeps waiting; beyond, the kernel's queue holds them back.
BACKPRESSURE_PER_THREAD = 64
_PR_SET_PDEATHSIG = 1


def web_command(settings: Settings) -> list[str]:
    """Return the command of the web server (granian, WSGI, no websockets: CVE-2026-42544)."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1"),
        *("--host", settings.host, "--port", str(settings.port)),
        *("--workers", str(settings.web_workers), "--blocking-threads", str(settings.web_threads)),
        *("--backpressure", str(settings.web_threads * BACKPRESSURE_PER_THREAD)),
        *("--http1-header-read-timeout", "10000"),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(GRACE_SECONDS)),
        *("--no-access-log", "--log-level", "warning"),
        "wsgi:app",
    ]


def mail_command() -> list[str]:
    """Return the command of the mail worker."""
    return [sys.executable, "-m", "flask", "--app", "wsgi", "mail", "deliver", "--forever"]


def child_environment(settings: Settings, metrics_folder: Path) -> dict[str, str]:
    """Return the environment of the children: few malloc arenas (memory), shared counters, small numeric libraries."""
    return {
        "MALLOC_ARENA_MAX": "2",
        **os.environ,
        "PORT": str(settings.port),
        "HOST": settings.host,
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_folder),
    }


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; return the exit status (0 after a clean stop, 1 when the server died)."""
    metrics_folder = Path(tempfile.mkdtemp(prefix="terristory-metrics-"))
    try:
        return _Supervisor(settings, child_environment(settings, metrics_folder)).run()
    finally:
        shutil.rmtree(metrics_folder, ignore_errors=True)


@dataclass
class _Supervisor:
    """Holds the two children. The mail worker is started again when it dies; the server's death ends everything."""

    settings: Settings
    environment: dict[str, str]
    stopping: bool = False
    mail: subprocess.Popen[bytes] | None = None
    mail_ended_at: float = field(default=0.0)

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        web = self._start(web_command(self.settings))
        try:
            while not self.stopping and web.poll() is None:
                self._keep_mail_worker()
                time.sleep(POLL_SECONDS)
            if not self.stopping:
                log.error("the web server ended by itself with status %s", web.returncode)
        finally:
            _end(web)
            if self.mail is not None:
                _end(self.mail)
        return 0 if self.stopping else 1

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=PROJECT_ROOT, env=self.environment, preexec_fn=_die_with_parent)

    def _keep_mail_worker(self) -> None:
        if self.mail is not None and self.mail.poll() is not None:
            log.error("the mail worker ended with status %s; it is started again", self.mail.returncode)
            self.mail, self.mail_ended_at = None, time.monotonic()
        if self.mail is None and time.monotonic() - self.mail_ended_at > RESTART_SECONDS:
            self.mail = self._start(mail_command())


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(timeout=GRACE_SECONDS + 5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _die_with_parent() -> None:
    # A supervisor killed with -9 must not leave a server behind that holds the port (Linux; elsewhere nothing).
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
