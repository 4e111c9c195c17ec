"""What the tests of accessibility found, as `make accessibility` last wrote it down: the statement says no more."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

FILE = "accessibility.json"
# RGAA 4.1 has 106 criteria; no program judges them all, and most of those it looks at only in part.
ALL_CRITERIA = 106


@dataclass(frozen=True)
class Criterion:
    """One criterion of the RGAA: on how many states of pages a rule looked at it, and what came of it."""

    name: str
    looked_at: int
    violations: int
    undecided: int


@dataclass(frozen=True)
class Results:
    """One run of the tests: when, with what, over which kinds of pages (the patterns of their paths)."""

    on: date
    axe: str
    chromium: str
    states: int
    pages: tuple[str, ...]
    criteria: tuple[Criterion, ...]

    @property
    def violated(self) -> tuple[Criterion, ...]:
        """The criteria that the site was seen to break."""
        return tuple(criterion for criterion in self.criteria if criterion.violations)

    @property
    def undecided(self) -> tuple[Criterion, ...]:
        """The criteria on which a program left something for a person to judge."""
        return tuple(criterion for criterion in self.criteria if criterion.undecided)


@cache
def latest_tests() -> Results:
    """Return the latest run (the file is read once a process: a release brings new files and new processes)."""
    said = json.loads(files("terristory.regions").joinpath(FILE).read_text("utf-8"))
    criteria = tuple(Criterion(name, **found) for name, found in said["criteria"].items())
    return Results(
        on=date.fromisoformat(said["on"]),
        axe=said["axe"],
        chromium=said["chromium"],
        states=said["states"],
        pages=tuple(said["pages"]),
        criteria=criteria,
    )
