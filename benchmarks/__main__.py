"""`make bench`: measure the goals side by side on one running service, and print goal, figure and verdict."""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from terristory.settings import generate_secret

ROUNDS = 3
SECONDS = 4
PASSWORD = "moulin orage boussole 3 tiroirs"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Figure:
    """One row of the table: `value` is a ratio unless `unit` says otherwise; more is better unless `less`."""

    name: str
    value: float
    floor: float
    goal: float
    unit: str = ""
    less: bool = False

    @property
    def verdict(self) -> str:
        """Where the value stands between floor and goal."""
        sign = -1 if self.less else 1
        if sign * self.value >= sign * self.goal:
            return "goal met"
        return "above the floor" if sign * self.value >= sign * self.floor else "under the floor"


class Service:
    """The service and its bare route, on throw-away data."""

    def __init__(self, folder: Path, redis_url: str | None, workers: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {
            "SECRET_KEY": generate_secret(),
            "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL") or f"sqlite:///{folder / 'bench.sqlite'}",
            "RATE_LIMITS": "off",
            "CAPTCHA_COST": "1",
            "WEB_WORKERS": str(workers),
            "REDIS_URL": redis_url or "",
            "PUBLIC_URL": self.url,
            "ACCESS_TOKEN_SECONDS": "86400",
        }
        named = {f"TERRISTORY_{name}": value for name, value in settings.items()}
        self.environment = {**os.environ, **named, "PORT": str(self.port), "MALLOC_ARENA_MAX": "2"}
        self.workers = workers

    def command(self, *arguments: str) -> str:
        """Run a `flask` command and return its output."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve for the time of a `with`, request logs thrown away."""
        command = [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1", "--no-access-log"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)),
            *("--blocking-threads", "4", "--log-level", "error", "benchmarks.bare:app"),
        ]
        with open(os.devnull, "wb") as nowhere:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=nowhere, stdout=nowhere)
            try:
                wait_until_alive(self.url)
                self.process = psutil.Process(process.pid)
                yield
            finally:
                process.terminate()
                process.wait(timeout=30)

    def memory_per_worker(self) -> float:
        """Return the largest PSS of a worker, in MiB."""
        children = self.process.children(recursive=True)
        return max(child.memory_full_info().pss for child in children) / 2**20


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_alive(url: str) -> float:
    """Wait for /livez; return how long it took, in seconds."""
    began = time.perf_counter()
    while time.perf_counter() - began < 30:
        try:
            if requests.get(url + "/livez", timeout=1).ok:
                return time.perf_counter() - began
        except requests.RequestException:
            time.sleep(0.01)
    raise RuntimeError("the service does not start")


def load(url: str, connections: int, *, headers: dict[str, str] | None = None, script: str | None = None) -> float:
    """Return the requests per second that wrk gets from a URL; raises when anything but 2xx or 3xx came."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", url]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        if script:
            file.write(script)
            file.flush()
            command += ["-s", file.name]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if failed and not script:
        raise RuntimeError(output)
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    total = re.search(r"(\d+) requests in", output)
    if not found or not total:
        raise RuntimeError(output)
    good = 1 - (int(failed.group(1)) if failed else 0) / max(1, int(total.group(1)))
    return float(found.group(1)) * good


def ratio(one: Callable[[], float], other: Callable[[], float]) -> float:
    """Measure two things in turn, A B A B …, and return the median of the ratios."""
    return statistics.median(one() / other() for _round in range(ROUNDS))


def sign_in_script(mail: str) -> str:
    """Return a wrk script that signs in over JSON."""
    body = json.dumps({"login": mail, "password": PASSWORD})
    return f"""wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [[{body}]]\n"""


def bare_argon2_per_second() -> float:
    """Return how many bare verifications all cores do per second (19 MiB, t=2, p=1)."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
    stored = hasher.hash(PASSWORD)
    counts: list[int] = []

    def verify() -> None:
        until, count = time.perf_counter() + SECONDS, 0
        while time.perf_counter() < until:
            hasher.verify(stored, PASSWORD)
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=verify) for _core in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def page_bytes(url: str) -> int:
    """Return the bytes of a page and of everything of ours that it loads, uncompressed."""
    page = requests.get(url, timeout=10)
    names = set(re.findall(r'(?:href|src|data-[a-z-]+)="(/static/[^"]+)"', page.text))
    return len(page.content) + sum(
        len(requests.get(url.split("/bretagne")[0] + name, timeout=10).content) for name in names
    )


def measure(service: Service) -> list[Figure]:
    """Measure every goal on a running service."""
    mail = "bench@terristory.test"
    signed_in = requests.post(
        f"{service.url}/api/bretagne/auth", json={"login": mail, "password": PASSWORD}, timeout=30
    ).json()
    bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
    hello = f"{service.url}/bench/hello"

    def bare() -> float:
        return load(hello, 32)

    def me() -> float:
        return load(f"{service.url}/api/bretagne/auth/me", 32, headers=bearer)

    def sign_in() -> float:
        return load(f"{service.url}/api/bretagne/auth", 8, script=sign_in_script(mail))

    figures = [
        Figure("GET /auth/me ÷ bare route", ratio(me, bare), 0.28, 0.50),
        Figure("sign-in ÷ bare argon2", ratio(sign_in, bare_argon2_per_second), 0.85, 0.92),
        Figure(
            "registration page ÷ bare route",
            ratio(lambda: load(f"{service.url}/bretagne/inscription", 32), bare),
            0.15,
            0.3,
        ),
        Figure(
            "sign-in page ÷ bare route", ratio(lambda: load(f"{service.url}/bretagne/connexion", 32), bare), 0.15, 0.3
        ),
        Figure("registration page", page_bytes(f"{service.url}/bretagne/inscription") / 1000, 80, 50, "kB", less=True),
        Figure("memory per worker (PSS)", service.memory_per_worker(), 100, 85, "MiB", less=True),
    ]
    alone = me()
    with flooded_by_sign_ins(service.url, mail, per_second=4 * sign_in()):
        time.sleep(1.5)
        flooded = me()
    return [*figures, Figure("GET /auth/me during a flood of sign-ins ÷ alone", flooded / alone, 0.4, 0.6)]


@contextmanager
def flooded_by_sign_ins(url: str, mail: str, *, per_second: float) -> Iterator[None]:
    """Ask for sign-ins at a fixed rate (open loop, whatever the answers) for the time of a `with`."""
    stop = threading.Event()
    callers = 24

    def flood() -> None:
        session, body = requests.Session(), {"login": mail, "password": PASSWORD}
        due = time.perf_counter()
        while not stop.is_set():
            due += callers / per_second
            session.post(f"{url}/api/bretagne/auth", json=body, timeout=60)
            time.sleep(max(0.0, due - time.perf_counter()))

    threads = [threading.Thread(target=flood) for _caller in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def main() -> None:
    """Print the table."""
    if shutil.which("wrk") is None:
        raise SystemExit("`make bench` needs wrk (Debian: apt install wrk).")
    redis_url = os.environ.get("BENCH_REDIS_URL")
    workers = 2 if redis_url else 1
    with tempfile.TemporaryDirectory() as name:
        service = Service(Path(name), redis_url, workers)
        service.command("db", "upgrade")
        service.command("regions", "load")
        created = service.command(
            "create-user",
            "--region",
            "bretagne",
            "--mail",
            "bench@terristory.test",
            "--prenom",
            "Banc",
            "--nom",
            "Essai",
        )
        temporary = created.strip().splitlines()[-1].split()[-1]
        with service.running():
            base = f"{service.url}/api/bretagne"
            body = {"login": "bench@terristory.test", "password": temporary}
            token = requests.post(f"{base}/auth", json=body, timeout=30).json()["access_token"]
            answer = requests.put(
                f"{base}/user/password",
                json={"new_password": PASSWORD},
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
            )
            answer.raise_for_status()
            figures = measure(service)
    backend = service.environment["TERRISTORY_DATABASE_URL"].split(":")[0]
    print(f"\n{workers} worker(s), {os.cpu_count()} cores, {backend}, Python {sys.version.split()[0]}\n")
    print(f"{'what':52} {'floor':>8} {'goal':>8} {'figure':>8}  verdict")
    for figure in figures:
        print(
            f"{figure.name:52} {figure.floor:8.2f} {figure.goal:8.2f} {figure.value:8.2f}"
            f"  {figure.verdict} {figure.unit}"
        )


if __name__ == "__main__":
    main()
