"""The table: printed, and kept as JSON, Markdown and a picture."""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import psutil

from benchmarks.chart import chart
from benchmarks.goals import Row
from terristory.settings import PROJECT_ROOT
from tests.support.postgres import find_programs

PACKAGES = ("flask", "sqlalchemy", "flask-jwt-extended", "argon2-cffi", "granian")
COLUMNS = ("database", "what", "floor", "goal", "figure", "verdict", "note")


def machine() -> dict[str, str]:
    """Return what the figures depend on: the cores, the versions, and how busy the machine is with other things."""
    postgres = find_programs()
    facts = {
        "cores": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": _version([str(postgres / "postgres"), "--version"]) if postgres else "not installed",
        "Redis": _version(["redis-server", "--version"]),
        "wrk": _version(["wrk", "-v"]),
        "commit": _version(["git", "-C", str(PROJECT_ROOT), "describe", "--always", "--dirty", "--abbrev=12"], r"\S+"),
        "load before the run": f"{os.getloadavg()[0]:.2f}",
    }
    return facts | {name: importlib.metadata.version(name) for name in PACKAGES}


def text_table(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    cells = [COLUMNS, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
    right = {COLUMNS.index(name) for name in ("floor", "goal", "figure")}
    lines = (
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def markdown(rows: Sequence[Row], facts: dict[str, str], title: str, picture: str) -> str:
    """Return the table as a page, with the machine and the picture."""
    table = [COLUMNS, ["---"] * len(COLUMNS), *map(_cells, rows)]
    return "\n".join(
        [
            f"# {title}",
            "",
            f"![{title}]({picture})",
            "",
            *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table),
            "",
            *(f"- {name}: {value}" for name, value in facts.items()),
            "",
        ]
    )


def keep(rows: Sequence[Row], facts: dict[str, str], folder: Path, at: datetime) -> list[Path]:
    """Write the three files, named by the moment, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    name, title = f"bench-{at:%Y-%m-%d-%H%M}", f"make bench, {at:%Y-%m-%d %H:%M}"
    values = [
        {**asdict(row.goal), "figure": row.figure.value if row.figure else None, "verdict": row.verdict}
        | ({"note": row.figure.note, "samples": row.figure.samples} if row.figure else {})
        for row in rows
    ]
    texts = {
        "json": json.dumps({"at": at.isoformat(timespec="seconds"), "machine": facts, "rows": values}, indent=1) + "\n",
        "md": markdown(rows, facts, title, f"{name}.svg"),
        "svg": chart(rows, title),
    }
    paths = [folder / f"{name}.{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def _cells(row: Row) -> list[str]:
    bounds = [f"{'≤ ' if row.goal.less else ''}{bound:g}" for bound in (row.goal.floor, row.goal.goal)]
    note = row.figure.note if row.figure else ""
    return [row.goal.database, row.goal.what, *bounds, row.told, row.verdict, note]


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1) if found else platform.machine()


def _version(command: list[str], pattern: str = r"\d+\.\d+(?:\.\d+)?") -> str:
    if shutil.which(command[0]) is None:
        return "not installed"
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group() if found else "unknown"
