"""What is to be reached: the one list of the table's rows. A test compares it with that of `benchmarks/README.md`."""

from dataclasses import dataclass

DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True)
class Goal:
    """One row of the table, before it is measured.

    `key` names it on the command line, `database` the one it is measured on ("" for none or any). Figures are ratios
    unless `unit` says otherwise; more is better unless `less`.
    """

    key: str
    what: str
    floor: float
    goal: float
    database: str = ""
    unit: str = "×"
    less: bool = False

    def is_named(self, name: str) -> bool:
        """Whether a name on the command line means this row: its key, or what several keys begin with (`flood`)."""
        exact = any(goal.key == name for goal in GOALS)
        return self.key == name or (not exact and self.key.startswith(f"{name}-"))

    def judge(self, value: float) -> str:
        """Return where a value stands between floor and goal; either bound itself is reached."""
        if self._reaches(value, self.goal):
            return "goal met"
        return "above the floor" if self._reaches(value, self.floor) else "under the floor"

    def _reaches(self, value: float, bound: float) -> bool:
        return value <= bound if self.less else value >= bound


def _on(database: str) -> tuple[Goal, ...]:
    """Return the rows that each database has; `me` alone has bounds that depend on it."""
    floor, goal = {"SQLite": (0.28, 0.50), "PostgreSQL": (0.15, 0.30)}[database]
    return (
        Goal("sign-in", "sign-ins ÷ bare Argon2id verifications", 0.85, 0.92, database),
        Goal("me", "GET /auth/me ÷ bare route", floor, goal, database),
        Goal("refresh", "refresh rotations ÷ GET /auth/me", 0.2, 0.35, database),
        Goal("registration-page", "registration page ÷ bare route", 0.15, 0.3, database),
        Goal("sign-in-page", "sign-in page ÷ bare route", 0.15, 0.3, database),
        Goal("flood-me", "GET /auth/me in a flood of sign-ins ÷ alone", 0.4, 0.6, database),
        Goal("flood-p99", "GET /auth/me in a flood: 99th percentile", 60, 60, database, "ms", less=True),
        Goal("flood-503", "sign-ins not served that got 503 and Retry-After", 1, 1, database, ""),
        Goal("memory", "memory of a worker under sign-ins (PSS)", 100, 85, database, "MiB", less=True),
        Goal("ready", "ready after start", 1.5, 0.8, database, "s", less=True),
        Goal("processes", "GET /auth/me: two processes ÷ one", 1.8, 1.8, database),
        Goal("growth", "1 M accounts ÷ 1 k: the slowest query", 3, 2, database, less=True),
    )


PAGE_BYTES = Goal("page-bytes", "registration page with all it loads", 80, 50, unit="kB", less=True)

# Each peer with the bounds of `me`; those of sign-in are the same for all.
PEER_BOUNDS = {
    "Flask-Security": (2, 3),
    "fastapi-users": (3, 4),
    "allauth session": (4, 6),
    "allauth JWT": (1.5, 2),
    "sanic-jwt": (0.6, 1.0),
}
PEERS = tuple(
    row
    for peer, (floor, goal) in PEER_BOUNDS.items()
    for row in (
        Goal("peer-me", f"GET /auth/me ÷ {peer}", floor, goal, "SQLite"),
        Goal("peer-sign-in", f"sign-ins ÷ {peer}", 1.0, 1.15, "SQLite"),
    )
)
GOALS: tuple[Goal, ...] = (*_on("SQLite"), *_on("PostgreSQL"), PAGE_BYTES, *PEERS)


@dataclass(frozen=True)
class Figure:
    """What was measured: the median of `samples` where there are several, and what a reader should know of it."""

    value: float
    note: str = ""
    samples: tuple[float, ...] = ()


def in_digits(value: float) -> str:
    """Return a figure with three digits, or with all those before the point."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class Row:
    """One row of the table, measured or not: without a figure, `reason` says why."""

    goal: Goal
    figure: Figure | None = None
    reason: str = ""

    @property
    def told(self) -> str:
        """The figure with its unit, or nothing."""
        return f"{in_digits(self.figure.value)} {self.goal.unit}".strip() if self.figure else ""

    @property
    def verdict(self) -> str:
        """Where the figure stands, or why there is none."""
        return self.goal.judge(self.figure.value) if self.figure else self.reason


def skipped(goal: Goal, why: str) -> Row:
    """Return the row of something that was not measured."""
    return Row(goal, reason=f"skipped: {why}")


def failed(goal: Goal, why: str) -> Row:
    """Return the row of something that could not be measured."""
    return Row(goal, reason=f"failed: {why}")
