"""`flask --app wsgi serve` as a process: what it prints, how it starts, how it ends."""

import os
import signal
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.components import listens, wait_until
from tests.support.server import Server

pytestmark = pytest.mark.slow
MakeServer = Callable[..., Server]


def children(server: Server) -> list[psutil.Process]:
    """Return every process below the supervisor."""
    return psutil.Process(server.child.process.pid).children(recursive=True)


def mail_workers(server: Server) -> list[psutil.Process]:
    """Return the processes that deliver mail."""
    found = []
    for child in children(server):
        with suppress(psutil.Error):  # it ended meanwhile
            if "deliver" in child.cmdline():
                found.append(child)
    return found


def test_a_development_start_says_where_it_is_and_who_may_enter(make_server: MakeServer) -> None:
    server = make_server()
    base = server.environ["TERRISTORY_PUBLIC_URL"]
    lines = server.output().splitlines()
    admin = server.first_admin()
    assert lines[:4] == [
        f"site: {base}/{admin['region']}/",
        f"sign-in: {base}/{admin['region']}/connexion",
        f"admin page: {base}/{admin['region']}/admin/comptes",
        f"outbox: {base}/dev/courriels",
    ]
    assert set(admin) == {"region", "mail", "temporary password"}


def test_each_start_gives_a_fresh_temporary_password(make_server: MakeServer) -> None:
    server = make_server()
    first = server.first_admin()["temporary password"]
    server.stop()
    server.restart()
    wait_until(lambda: server.output().count("temporary password: ") == 2, what="the second password")
    passwords = [line for line in server.output().splitlines() if line.startswith("temporary password: ")]
    assert first in passwords[0] and passwords[0] != passwords[1]


def test_it_starts_on_an_empty_database_with_all_regions_open(make_server: MakeServer) -> None:
    server = make_server()
    assert len(requests.get(server.url + "/api/regions", timeout=5).json()["regions"]) == 18
    assert requests.get(server.url + "/readyz", timeout=5).json()["migrations"] == "head"


def test_the_database_file_is_its_owners_only(make_server: MakeServer) -> None:
    server = make_server()
    path = Path(server.environ["TERRISTORY_DATABASE_URL"].removeprefix("sqlite:///"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_answer_tells_a_version(make_server: MakeServer) -> None:
    headers = requests.get(make_server().url + "/livez", timeout=5).headers
    assert not any(character.isdigit() for character in headers.get("Server", ""))


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_all_it_started(make_server: MakeServer, sign: signal.Signals) -> None:
    server = make_server()
    wait_until(lambda: len(mail_workers(server)) == 1, what="the mail worker")
    below = children(server)
    assert server.child.stop(sign) == 0
    gone, alive = psutil.wait_procs(below, timeout=5)
    assert alive == [] and len(gone) >= 3
    assert not listens(server.port)


def test_a_request_in_flight_at_the_end_is_answered(make_server: MakeServer) -> None:
    server = make_server(RATE_LIMITS=False)
    answers: list[int] = []
    faults: list[str] = []
    stopping = threading.Event()

    def ask() -> None:
        while True:
            begun_before = not stopping.is_set()
            try:
                answers.append(requests.get(server.url + "/api/regions", timeout=20).status_code)
            except requests.ConnectionError as error:
                # Once asked to stop it takes no new connection; what it accepted before, it answers.
                if begun_before and "refused" not in str(error):
                    faults.append(str(error))
                return

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    time.sleep(0.5)
    stopping.set()
    status = server.stop()
    for asker in askers:
        asker.join(30)
    assert status == 0
    assert len(answers) > 4 and set(answers) == {200}
    assert faults == []


def test_a_mail_worker_that_dies_is_started_again(make_server: MakeServer) -> None:
    server = make_server()
    wait_until(lambda: len(mail_workers(server)) == 1, what="the mail worker")
    first = mail_workers(server)[0]
    first.kill()
    wait_until(
        lambda: any(worker.pid != first.pid for worker in mail_workers(server)), seconds=20, what="another mail worker"
    )
    assert requests.get(server.url + "/livez", timeout=5).status_code == 200


def test_a_web_worker_that_dies_is_started_again(make_server: MakeServer) -> None:
    server = make_server()
    web = next(child for child in children(server) if child.children())
    # The server takes a death within its first seconds for a crash loop.
    time.sleep(6)
    web.children()[0].kill()

    def answers() -> bool:
        try:
            return requests.get(server.url + "/livez", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    wait_until(answers, seconds=15, what="a new web worker")


def test_a_supervisor_that_is_killed_leaves_nothing_behind(make_server: MakeServer) -> None:
    server = make_server()
    wait_until(lambda: len(mail_workers(server)) == 1, what="the mail worker")
    below = children(server)
    os.kill(server.child.process.pid, signal.SIGKILL)
    _gone, alive = psutil.wait_procs(below, timeout=15)
    assert alive == []
    wait_until(lambda: not listens(server.port), what="the port to be free")


def test_a_second_start_on_the_same_port_fails_and_leaves_the_first_password_alone(make_server: MakeServer) -> None:
    server = make_server()
    with pytest.raises(RuntimeError, match="PORT"):
        server.command("serve", seconds=40)
    assert requests.get(server.url + "/livez", timeout=5).status_code == 200
    admin = server.first_admin()
    body = {"login": admin["mail"], "password": admin["temporary password"]}
    assert requests.post(f"{server.url}/api/{admin['region']}/auth", json=body, timeout=10).status_code == 200


@pytest.mark.redis
def test_counters_of_two_processes_add_up(make_server: MakeServer, redis_server: object) -> None:
    server = make_server(REDIS_URL=redis_server.url, WEB_WORKERS=2)  # type: ignore[attr-defined]
    for _ in range(40):
        requests.get(server.url + "/api/regions", timeout=5)
    headers = {"Authorization": "Bearer " + server.environ["TERRISTORY_METRICS_TOKEN"]}
    text = requests.get(server.url + "/metrics", headers=headers, timeout=5).text
    counted = next(
        line for line in text.splitlines() if line.startswith("terristory_requests_total") and "/api/regions" in line
    )
    assert float(counted.split()[-1]) == 40
