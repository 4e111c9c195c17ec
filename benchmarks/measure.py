"""How each figure about the service itself is made. Ratios are measured in turn, A B A B …, and their median counts."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

from benchmarks.cores import growth_with_whole_cores, watch
from benchmarks.goals import Figure, in_digits
from benchmarks.load import (
    FLOODING,
    READERS,
    SECONDS,
    SIGNING_IN,
    Bare,
    Load,
    LoadFailed,
    RunningLoad,
    lines_in_a_file,
    read,
    rotate,
    sign_in,
    verify_bare,
)
from benchmarks.people import PASSWORD, PEOPLE, REGION, sign_in_bodies
from benchmarks.service import Service
from benchmarks.weight import page_bytes

ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 5)
FLOOD = 4
LEAST_FLOOD = 3
# Before a flood counts: the service serves a crowd of a moment, and only then begins to turn people away.
FLOOD_LEAD_SECONDS = 2


class NotHere(Exception):
    """This figure cannot be measured on this machine; the words say why."""


def in_turn(one: Callable[[], Load], other: Callable[[], Load | Bare]) -> Figure:
    """Measure two rates in turn and return the median of their ratios."""
    pairs = [(one(), other()) for _round in range(ROUNDS)]
    ratios = tuple(first.rate / second.rate for first, second in pairs)
    rates, generators = (
        [statistics.median(values) for values in zip(*both, strict=True)]
        for both in (
            [(first.rate, second.rate) for first, second in pairs],
            [(first.generator, second.generator) for first, second in pairs],
        )
    )
    note = (
        f"{min(ratios):.2f}–{max(ratios):.2f}: {rates[0]:.0f}/s against {rates[1]:.0f}/s"
        f" (wrk on {generators[0]:.2f}, {generators[1]:.2f} cores)"
    )
    return Figure(statistics.median(ratios), note, ratios)


def median(samples: list[float], note: str = "") -> Figure:
    """Return the median of samples, with their span."""
    span = f"{in_digits(min(samples))}–{in_digits(max(samples))}"
    return Figure(statistics.median(samples), f"{span}, {note}" if note else span, tuple(samples))


@dataclass
class Subject:
    """The service on one database. `another(workers)` gives one more on the same data, not started yet."""

    service: Service
    another: Callable[[int], Service]

    @cached_property
    def bearer(self) -> dict[str, str]:
        """The header of somebody signed in."""
        return self.service.bearer()

    def bare(self) -> Load:
        """Load the bare route."""
        return read(f"{self.service.url}/bench/hello")

    def me(self) -> Load:
        """Load GET /auth/me, all checks on."""
        return read(f"{self.service.api}/auth/me", self.bearer)

    def sign_in(self) -> Load:
        """Sign people in."""
        return sign_in(f"{self.service.api}/auth", sign_in_bodies())


def sign_in_against_argon2(subject: Subject) -> dict[str, Figure]:
    """Sign in, and verify the same passwords without any service."""
    return {"sign-in": in_turn(subject.sign_in, lambda: verify_bare(PASSWORD))}


def me_against_bare(subject: Subject) -> dict[str, Figure]:
    """Ask who one is, and ask the bare route."""
    return {"me": in_turn(subject.me, subject.bare)}


def refresh_against_me(subject: Subject) -> dict[str, Figure]:
    """Rotate the tokens of named devices. Each round starts with new sessions, opened before its clock starts."""

    def rotation() -> Load:
        # More than connections: what an answer under way holds, wrk must not need.
        sessions = range(READERS + READERS // 2)
        tokens = [subject.service.sign_in(number % PEOPLE, f"device {number}") for number in sessions]
        return rotate(f"{subject.service.api}/auth/refresh", [item["refresh_token"] for item in tokens])

    return {"refresh": in_turn(rotation, subject.me)}


def pages_against_bare(subject: Subject) -> dict[str, Figure]:
    """Open the two pages that everybody opens."""
    pages = {"registration-page": "inscription", "sign-in-page": "connexion"}
    site = f"{subject.service.url}/{REGION}"
    return {key: in_turn(partial(read, f"{site}/{path}"), subject.bare) for key, path in pages.items()}


def weight(subject: Subject) -> dict[str, Figure]:
    """Weigh the registration page."""
    total, files = page_bytes(subject.service.url, f"/{REGION}/inscription")
    return {"page-bytes": Figure(total / 1000, f"the page and {files} files, nothing from another site")}


def flood(subject: Subject) -> dict[str, Figure]:
    """Ask for FLOOD times the sign-ins that the service serves, whatever it answers, and read `me` meanwhile."""
    # The best of three: measured too low, it would make a small flood.
    capacity = max(subject.sign_in().rate for _time in range(3))
    kept, p99, alone, floods = [], [], [], []
    for _round in range(ROUNDS):
        alone.append(subject.me())
        flooded, seen = _me_in_a_flood(subject, FLOOD * capacity)
        floods.append(seen)
        kept.append(flooded.rate / alone[-1].rate)
        p99.append(flooded.p99)
    reached = statistics.median(seen.answers / seen.seconds for seen in floods) / capacity
    if reached < LEAST_FLOOD:
        raise LoadFailed(f"the flood reached only {reached:.1f} times the capacity of {capacity:.0f}/s")
    rest = sum(seen.answers - seen.served + seen.broken for seen in floods)
    well = sum(seen.turned_away - seen.without_retry_after for seen in floods)
    if not rest:
        raise LoadFailed("nobody was turned away")
    note = f"flood of {reached:.1f} × {capacity:.0f}/s"
    return {
        "flood-me": median(kept, note),
        "flood-p99": median(p99, f"alone {statistics.median(load.p99 for load in alone):.0f} ms"),
        "flood-503": Figure(well / rest, f"{well} of {rest}; {sum(seen.served for seen in floods)} were served"),
    }


def _me_in_a_flood(subject: Subject, per_second: float) -> tuple[Load, Load]:
    with lines_in_a_file(sign_in_bodies()) as name:
        running = RunningLoad(
            f"{subject.service.api}/auth",
            FLOODING,
            seconds=FLOOD_LEAD_SECONDS + SECONDS + 1,
            script="sign_in.lua",
            arguments=(name, "application/json", f"{per_second:.3f}"),
        )
        try:
            time.sleep(FLOOD_LEAD_SECONDS)
            flooded = subject.me()
        finally:
            seen = running.result()
    return flooded, seen


def memory(subject: Subject) -> dict[str, Figure]:
    """Look at the workers' memory while people sign in."""
    samples: list[float] = []
    with lines_in_a_file(sign_in_bodies()) as name:
        running = RunningLoad(
            f"{subject.service.api}/auth",
            SIGNING_IN,
            seconds=max(4, 2 * SECONDS),
            script="sign_in.lua",
            arguments=(name, "application/json", "patient"),
        )
        try:
            while running.process.poll() is None:
                samples.append(subject.service.memory())
                time.sleep(0.2)
        finally:
            running.result()
    return {"memory": Figure(max(samples), f"the largest of {len(samples)} looks at {subject.service.workers} workers")}


def ready(subject: Subject) -> dict[str, Figure]:
    """Start the service as people run it, on a database that has been prepared, until it lives and is ready."""
    seconds = []
    for _round in range(ROUNDS):
        service = subject.another(subject.service.workers)
        try:
            seconds.append(service.start("wsgi"))
        finally:
            service.stop()
    return {"ready": median(seconds)}


def one_process_and_two(subject: Subject) -> dict[str, Figure]:
    """Ask one process who one is, then two."""
    if subject.service.workers < 2:
        raise NotHere("without Redis one process serves (apt install redis-server)")
    single = subject.another(1)
    single.start()
    try:
        samples, seen, others = [], [], []
        for _round in range(ROUNDS):
            one = watch(single.processes(), lambda: read(f"{single.api}/auth/me", subject.bearer))
            two = watch(subject.service.processes(), subject.me)
            samples.append(growth_with_whole_cores(one, two))
            seen.append(two.load.rate / one.load.rate)
            others.append(two.others)
    finally:
        single.stop()
    note = (
        f"seen {statistics.median(seen):.2f} × while load and database kept {statistics.median(others):.2f}"
        f" of {os.cpu_count()} cores busy"
    )
    return {"processes": median(samples, note)}


# By the rows that each makes. The page weighs the same on every database.
ON_EACH_DATABASE: dict[tuple[str, ...], Callable[[Subject], dict[str, Figure]]] = {
    ("sign-in",): sign_in_against_argon2,
    ("me",): me_against_bare,
    ("refresh",): refresh_against_me,
    ("registration-page", "sign-in-page"): pages_against_bare,
    ("flood-me", "flood-p99", "flood-503"): flood,
    ("memory",): memory,
    ("ready",): ready,
    ("processes",): one_process_and_two,
    ("page-bytes",): weight,
}
