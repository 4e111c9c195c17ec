"""One run: every row in turn, each by itself, so that one which fails takes no other with it."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.components import Stand, stand
from benchmarks.goals import DATABASES, GOALS, Figure, Goal, Row, failed, skipped
from benchmarks.measure import ON_EACH_DATABASE, NotHere, Subject
from benchmarks.peers import PEERS, beside, working_copy
from benchmarks.service import Service
from terristory.settings import generate_secret

GROWTH = "it takes its time and is measured by itself: python -m benchmarks.growth"


def in_short(words: str) -> str:
    """Return words on one line, the middle left out of many: a program that fails tells its reason at the end."""
    words = " ".join(words.split())
    return words if len(words) <= 320 else f"{words[:100]} … {words[-200:]}"


@dataclass(frozen=True)
class Wishes:
    """What to measure: rows by their keys (all when empty), databases, the folder of the peers, at most how long."""

    only: tuple[str, ...] = ()
    databases: tuple[str, ...] = DATABASES
    peers: Path | None = None
    minutes: float = 12

    def wants(self, goal: Goal) -> bool:
        """Whether this row is to be in the table."""
        on_it = goal.database in ("", *self.databases)
        return on_it and (not self.only or any(goal.is_named(name) for name in self.only))


@dataclass
class Run:
    """A run under way: the rows that have been made, and when it has to end."""

    wishes: Wishes
    rows: dict[Goal, Row] = field(default_factory=dict)
    ends_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends_at = time.monotonic() + 60 * self.wishes.minutes

    def take(self, goals: Sequence[Goal], act: Callable[[], dict[str, Figure]]) -> None:
        """Make the rows of some goals by one measurement; a failure becomes their row."""
        goals = [goal for goal in goals if self.wishes.wants(goal) and goal not in self.rows]
        if not goals:
            return
        if time.monotonic() > self.ends_at:
            self.leave_out(goals, f"the {self.wishes.minutes:g} minutes of this run were over")
            return
        try:
            figures = act()
            made = {goal: Row(goal, figures[goal.key]) for goal in goals}
        except NotHere as why:
            made = {goal: skipped(goal, str(why)) for goal in goals}
        except Exception as error:
            self.give_up(goals, error)
            return
        self.rows |= made
        for row in made.values():
            _say(row)

    def give_up(self, goals: Sequence[Goal], error: Exception) -> None:
        """Make the rows of goals that an error has kept from being measured."""
        words = in_short(f"{type(error).__name__}: {error}")
        for goal in goals:
            if self.wishes.wants(goal) and goal not in self.rows:
                self.rows[goal] = failed(goal, words)
                _say(self.rows[goal])

    def leave_out(self, goals: Sequence[Goal], why: str) -> None:
        """Make the rows of goals that are not measured."""
        for goal in goals:
            if self.wishes.wants(goal) and goal not in self.rows:
                self.rows[goal] = skipped(goal, why)

    def in_order(self) -> list[Row]:
        """Return the rows in the order of the goals."""
        return [self.rows[goal] for goal in GOALS if goal in self.rows]


def run(wishes: Wishes) -> list[Row]:
    """Measure all that is wished for on throw-away data, and return the rows of the table."""
    this = Run(wishes)
    this.leave_out([goal for goal in GOALS if goal.key == "growth"], GROWTH)
    with tempfile.TemporaryDirectory(prefix="terristory-bench-") as name:
        folder = Path(name)
        with stand(folder, wishes.databases) as here:
            for database, url in here.databases.items():
                _on_database(this, database, url, here, folder)
    # Whatever is still without a row had no service to be measured on.
    this.leave_out(GOALS, "no database to measure it on")
    return this.in_order()


def _on_database(this: Run, database: str, url: str | None, here: Stand, folder: Path) -> None:
    goals = [goal for goal in GOALS if goal.database in (database, "")]
    of_it = [goal for goal in goals if goal.database]
    if url is None:
        this.leave_out(of_it, f"{database} is not installed")
        return
    if not any(this.wishes.wants(goal) and goal not in this.rows for goal in goals):
        return
    try:
        with _subject(url, here, folder) as subject:
            _say(f"{database}, {subject.service.workers} worker(s)")
            for keys, measure in ON_EACH_DATABASE.items():
                this.take([goal for goal in goals if goal.key in keys], partial(_measured, measure, subject))
            if database == "SQLite":
                _beside_peers(this, subject, folder)
    except Exception as error:
        this.give_up(of_it, error)


def _measured(measure: Callable[[Subject], dict[str, Figure]], subject: Subject) -> dict[str, Figure]:
    subject.service.ensure_running()
    return measure(subject)


@contextmanager
def _subject(url: str, here: Stand, folder: Path) -> Iterator[Subject]:
    secret = generate_secret()

    def another(workers: int) -> Service:
        return Service(folder, url, here.redis_url, workers, secret)

    service = another(here.workers)
    service.fill()
    try:
        service.start()
        yield Subject(service, another)
    finally:
        service.stop()


def _beside_peers(this: Run, subject: Subject, folder: Path) -> None:
    of_peers = [goal for goal in GOALS if goal.key.startswith("peer-")]
    if this.wishes.peers is None:
        this.leave_out(of_peers, "no PEERS=<folder> was given")
        return
    if subject.service.workers < 2:
        this.leave_out(of_peers, "peers have two workers; without Redis the service has one")
        return
    if not any(this.wishes.wants(goal) for goal in of_peers):
        return
    copies = working_copy(this.wishes.peers)
    for peer in PEERS:
        this.take(
            [goal for goal in of_peers if goal.what.endswith(f"÷ {peer.name}")],
            partial(_measured, partial(beside, peer, copies, folder), subject),
        )


def _say(row: Row | str) -> None:
    if isinstance(row, Row):
        row = f"  {row.goal.what}: {', '.join(filter(None, (row.told, row.verdict)))}"
    print(row, file=sys.stderr, flush=True)
