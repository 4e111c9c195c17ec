"""Loads: what wrk gets from an address, and what the cores do without any service."""

import json
import os
import re
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from argon2 import PasswordHasher

SECONDS = float(os.environ.get("BENCH_SECONDS") or 3)
SCRIPTS = Path(__file__).resolve().parent / "wrk"
READERS = 32
SIGNING_IN = 16
# Who is turned away comes back after at most so long: a shorter load would be over before.
LONGEST_WAIT_SECONDS = 3
# So many sign-ins may be waiting for their answers before the flood slows down.
FLOODING = 192


class LoadFailed(Exception):
    """The answers were not those that were to be measured."""


@dataclass(frozen=True)
class Load:
    """What wrk saw. The last four are counted by the scripts that read statuses: 200, 503, a 503 without
    `Retry-After` (one of them, too), anything else."""

    seconds: float
    answers: int
    error_answers: int
    broken: int
    p50: float
    p99: float
    served: int
    turned_away: int
    without_retry_after: int
    refused: int
    # How many cores wrk itself used: far below one, else wrk was measured and not the service.
    generator: float = 0.0

    @property
    def rate(self) -> float:
        """Good answers a second; of a plain load (no status was counted) all of them were good."""
        return (self.served or self.answers) / self.seconds


@dataclass(frozen=True)
class Bare:
    """What goes on without any service; nothing generates a load then."""

    rate: float
    generator: float = 0.0


class RunningLoad:
    """A load under way."""

    def __init__(
        self,
        url: str,
        connections: int,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        script: str = "report.lua",
        arguments: tuple[str, ...] = (),
    ) -> None:
        names = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
        # wrk takes whole seconds only.
        self.limit = max(1, round(seconds))
        self.process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", f"-d{self.limit}s", "--timeout", "10s", "-s", script, *names, url]
            + (["--", *arguments] if arguments else []),
            cwd=SCRIPTS,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def result(self) -> Load:
        """Wait for its end and return what it saw. Raises LoadFailed when wrk failed or never connected."""
        before = _seconds_of_ended_children()
        try:
            output, _ = self.process.communicate(timeout=self.limit + 30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise LoadFailed("wrk did not end") from None
        found = re.search(r"^\{.*\}$", output, re.MULTILINE)
        if self.process.returncode != 0 or not found:
            raise LoadFailed(output.strip().splitlines()[-1] if output.strip() else "wrk said nothing")
        used = (_seconds_of_ended_children() - before) / self.limit
        load = Load(**json.loads(found.group()), generator=used)
        if load.answers == 0:
            raise LoadFailed("no answer came")
        return load


def _seconds_of_ended_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read(url: str, headers: Mapping[str, str] | None = None) -> Load:
    """Ask for one address again and again. Raises LoadFailed unless every answer is good."""
    first = requests.get(url, headers=dict(headers or {}), timeout=10, allow_redirects=False)
    if first.status_code != 200:
        raise LoadFailed(f"{url} answers {first.status_code}")
    load = RunningLoad(url, READERS, seconds=SECONDS, headers=headers).result()
    if load.error_answers or load.broken:
        raise LoadFailed(f"{load.error_answers} errors and {load.broken} broken requests, of {load.answers} answers")
    return load


@contextmanager
def lines_in_a_file(lines: Iterable[str]) -> Iterator[str]:
    """Keep lines in a file for the time of a `with`, and give its name."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        yield file.name


def sign_in(url: str, bodies: Iterable[str], content_type: str = "application/json") -> Load:
    """Sign people in; who is turned away comes back when told to. Raises LoadFailed when a password was refused."""
    with lines_in_a_file(bodies) as name:
        load = RunningLoad(
            url,
            SIGNING_IN,
            seconds=max(SECONDS, LONGEST_WAIT_SECONDS),
            script="sign_in.lua",
            arguments=(name, content_type, "patient"),
        ).result()
    if load.refused or load.broken or not load.served:
        raise LoadFailed(f"{load.served} signed in, {load.refused} refused, {load.broken} broken")
    return load


def rotate(url: str, tokens: Iterable[str]) -> Load:
    """Refresh sessions, each with its latest token. Raises LoadFailed unless every answer brings a successor."""
    with lines_in_a_file(tokens) as name:
        load = RunningLoad(url, READERS, seconds=SECONDS, script="rotate.lua", arguments=(name,)).result()
    if load.refused or load.broken:
        raise LoadFailed(f"{load.served} refreshed, {load.refused} refused, {load.broken} broken")
    return load


def verify_bare(password: str) -> Bare:
    """Verify on all cores, a thread each (19 MiB, t=2, p=1)."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
    stored = hasher.hash(password)
    counts: list[int] = []
    began = time.perf_counter()

    def verify() -> None:
        count = 0
        while time.perf_counter() < began + SECONDS:
            hasher.verify(stored, password)
            count += 1
        counts.append(count)

    threads = [threading.Thread(target=verify) for _core in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The last one of each thread ends after its time: what is counted is divided by what it took.
    return Bare(sum(counts) / (time.perf_counter() - began))
