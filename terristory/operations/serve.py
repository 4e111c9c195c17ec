"""One command serves: prepare once, then the web server and (unless told otherwise) one mail worker as children."""

import ctypes
import gc
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import FrameType

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from terristory.operations.metrics import share_counters
from terristory.settings import PROJECT_ROOT, Settings

log = logging.getLogger("terristory.serve")
# Requests in flight get this long to finish, then the processes end.
GRACE_SECONDS = 20
RESTART_SECONDS = 2.0
POLL_SECONDS = 0.05
# Connections that one process keeps waiting; beyond, the kernel's queue holds them back.
BACKPRESSURE_PER_THREAD = 64
HEADER_READ_MILLISECONDS = 10_000
_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8


def serve(app: Flask, settings: Settings, *, delivers: bool = True) -> int:
    """Run until SIGTERM or SIGINT; return the exit status (0 after a clean stop, 1 when the server died).

    Without `delivers` no mail worker is started: one runs elsewhere.
    """
    metrics_folder = Path(tempfile.mkdtemp(prefix="terristory-metrics-"))
    share_counters(metrics_folder)
    try:
        return _Supervisor(app, settings, delivers).run()
    finally:
        shutil.rmtree(metrics_folder, ignore_errors=True)


def numeric(host: str) -> str:
    """Return the address of a name such as `localhost`, IPv4 first: the server takes no names. Addresses stay."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return str(min(found, key=lambda one: one[0] != socket.AF_INET)[4][0])


def is_free(host: str, port: int) -> bool:
    """Return whether nobody listens at this address yet (two servers would share the port without a word)."""
    family, kind, _protocol, _name, address = socket.getaddrinfo(numeric(host), port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def run_web_server(app: Flask, settings: Settings) -> None:
    """Serve `app`, built already, until SIGTERM (granian, WSGI; no websockets: CVE-2026-42544)."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_parent()
    _use_one_arena()

    def load() -> Flask:
        _die_with_parent()
        return app

    server = Server(
        "wsgi:app",
        address=numeric(settings.host),
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        backpressure=settings.web_threads * BACKPRESSURE_PER_THREAD,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_MILLISECONDS),
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
        log_access=False,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=load, wrap_loader=False)


def mail_command() -> list[str]:
    """Return the command of the mail worker."""
    return [sys.executable, "-m", "flask", "--app", "wsgi", "mail", "deliver", "--forever"]


@dataclass
class _Supervisor:
    """Holds the two children. The mail worker is started again when it dies; the server's death ends everything."""

    app: Flask
    settings: Settings
    delivers: bool = True
    stopping: bool = False
    mail: subprocess.Popen[bytes] | None = None
    mail_ended_at: float = field(default=float("-inf"))

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        # Forked, not started anew: the app is built already, and its memory is shared.
        # What the app is made of is left alone by the collector, whose marks would unshare every page of it.
        gc.collect()
        gc.freeze()
        fork = multiprocessing.get_context("fork")
        web = fork.Process(name="web", target=run_web_server, args=(self.app, self.settings))
        web.start()
        try:
            while not self.stopping and web.is_alive():
                if self.delivers:
                    self._keep_mail_worker()
                time.sleep(POLL_SECONDS)
            if not self.stopping:
                log.error("the web server ended by itself with status %s", web.exitcode)
        finally:
            _end_web(web)
            if self.mail is not None:
                _end(self.mail)
        return 0 if self.stopping else 1

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _keep_mail_worker(self) -> None:
        if self.mail is not None and self.mail.poll() is not None:
            log.error("the mail worker ended with status %s; it is started again", self.mail.returncode)
            self.mail, self.mail_ended_at = None, time.monotonic()
        if self.mail is None and time.monotonic() - self.mail_ended_at > RESTART_SECONDS:
            environment = {"MALLOC_ARENA_MAX": "1", **os.environ}
            self.mail = subprocess.Popen(mail_command(), cwd=PROJECT_ROOT, env=environment, preexec_fn=_die_with_parent)


def _end_web(web: ForkProcess) -> None:
    if web.is_alive():
        web.terminate()
        web.join(GRACE_SECONDS + 5)
    if web.is_alive():
        web.kill()
        web.join()


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


def _use_one_arena() -> None:
    # As MALLOC_ARENA_MAX=1 does for a new process. Each arena of glibc's keeps the 19 MiB of its last Argon2: two of
    # them cost a worker 20 MiB more, and Python's lock leaves threads little to quarrel about in one.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
