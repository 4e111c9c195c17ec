"""`serve --web-only`: the web server of a big host, where mail and migrations are other processes' work."""

import sqlite3
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.components import wait_until
from tests.support.environment import service_environment
from tests.support.json_client import JsonClient
from tests.support.server import Server, one_command
from tests.support.smtp import MailServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_it_neither_migrates_nor_delivers_and_a_worker_beside_it_does(tmp_path: Path, mail_server: MailServer) -> None:
    url = f"sqlite:///{tmp_path / 'served.sqlite'}"
    environ = service_environment(DATABASE_URL=url, SMTP_URL=mail_server.url)
    refused = one_command(environ, "serve", "--web-only")
    assert refused.returncode == 1 and "db upgrade" in refused.stderr and "Traceback" not in refused.stderr
    assert one_command(environ, "db", "upgrade").returncode == 0

    server = Server(tmp_path, environ, "--web-only")
    try:
        below = psutil.Process(server.child.process.pid).children(recursive=True)
        assert below and not any("deliver" in child.cmdline() for child in below)
        assert requests.get(server.url + "/readyz", timeout=10).json()["migrations"] == "head"
        assert JsonClient(server.url).ask_for_account("a.b@brest.test").status_code == 201
        assert mail_server.messages == []
        delivered = one_command(environ, "mail", "deliver")
        assert delivered.returncode == 0, delivered.stderr
        assert ("a.b@brest.test",) in [one.recipients for one in mail_server.messages]
        assert server.stop() == 0
        wait_until(lambda: not any(child.is_running() for child in below), what="its processes to end")
    finally:
        server.stop()


def test_it_serves_tables_that_newer_code_has_migrated(tmp_path: Path) -> None:
    path = tmp_path / "served.sqlite"
    environ = service_environment(DATABASE_URL=f"sqlite:///{path}")
    assert one_command(environ, "db", "upgrade").returncode == 0
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = 'of_tomorrow'")
    server = Server(tmp_path, environ, "--web-only")
    assert server.stop() == 0
