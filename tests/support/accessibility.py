"""What the browser tests find about accessibility, page by page, and the file that the site's statement is made of."""

import json
import os
import re
from collections import Counter
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from terristory.settings import PROJECT_ROOT

ROUTES = PROJECT_ROOT / "tests" / "architecture" / "routes.txt"
FILE = PROJECT_ROOT / "terristory" / "regions" / "accessibility.json"
# `make accessibility` sets it.
RENEWING = os.environ.get("RENEW") == "accessibility"
ERROR_PAGES = "(erreurs)"
PART = {"region": "[a-z-]+", "uuid": "[0-9a-f-]{36}"}


class Findings:
    """What axe said of every state of every page that it was shown."""

    def __init__(self) -> None:
        self.axe = ""
        self.states = 0
        self.pages: set[str] = set()
        self.looked_at: Counter[str] = Counter()
        self.violations: Counter[str] = Counter()
        self.undecided: Counter[str] = Counter()

    def note(self, url: str, response: dict[str, Any]) -> None:
        """Add axe's whole answer about one state of a page; those that only developers see do not count."""
        if kind_of_page(url).startswith("/dev/"):
            return
        self.axe = response["testEngine"]["version"]
        self.states += 1
        self.pages.add(kind_of_page(url))
        for verdict, found in (("violations", self.violations), ("incomplete", self.undecided)):
            for rule in response[verdict]:
                for criterion in criteria_of(rule):
                    found[criterion] += len(rule["nodes"])
        applied = [*response["passes"], *response["violations"], *response["incomplete"]]
        self.looked_at.update({criterion for rule in applied for criterion in criteria_of(rule)})

    def write(self, on: date, chromium: str) -> None:
        """Write the file of the statement."""
        criteria = {
            name: {
                "looked_at": self.looked_at[name],
                "violations": self.violations[name],
                "undecided": self.undecided[name],
            }
            for name in sorted(self.looked_at, key=lambda name: [int(part) for part in name.split(".")])
        }
        run = {
            "on": on.isoformat(),
            "axe": self.axe,
            "chromium": chromium,
            "states": self.states,
            "pages": sorted(self.pages),
            "criteria": criteria,
        }
        FILE.write_text(json.dumps(run, ensure_ascii=False, indent=1) + "\n")


FOUND = Findings()


def criteria_of(rule: dict[str, Any]) -> set[str]:
    """Return the criteria of the RGAA that a rule of axe looks at (its tags name the tests: RGAA-11.1.2 → 11.1)."""
    tags = [re.fullmatch(r"RGAA-(\d+\.\d+)\.\d+", tag) for tag in rule["tags"]]
    return {tag.group(1) for tag in tags if tag}


def kind_of_page(url: str) -> str:
    """Return the pattern of a page's path, whoever it is about; pages that no route serves are error pages."""
    path = urlsplit(url).path
    return next((rule for pattern, rule in _routes() if pattern.fullmatch(path)), ERROR_PAGES)


def plain(route: str) -> str:
    """Return a route as its readers know it: `/<region:region>/` → `/<region>/`."""
    return re.sub(r"<\w+:", "<", route)


@cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    """Every route, those without parameters first: what a form sent shows is a page as well."""
    paths = [line.split()[0] for line in ROUTES.read_text().splitlines()]
    paths.sort(key=lambda path: path.count("<"))
    return [(re.compile(re.sub(r"<(?:(\w+):)?\w+>", _part, path)), plain(path)) for path in paths]


def _part(found: re.Match[str]) -> str:
    return PART.get(found.group(1) or "", "[^/]+")
