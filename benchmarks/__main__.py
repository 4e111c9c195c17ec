"""`make bench`: measure every goal side by side on one running service, and print goal, figure and verdict."""

import argparse
import os
import shutil
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

from benchmarks.goals import DATABASES, GOALS
from benchmarks.load import SECONDS
from benchmarks.measure import ROUNDS
from benchmarks.report import keep, machine, text_table
from benchmarks.run import Wishes, run
from terristory.settings import PROJECT_ROOT

# Another program on these cores takes part in every figure.
QUIET = 0.25


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    keys = sorted({goal.key for goal in GOALS})
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help=f"rows by their names, or by how several begin (flood, peer): {', '.join(keys)}",
    )
    parser.add_argument("--database", choices=DATABASES, action="append", help="on one database only")
    parser.add_argument("--peers", type=Path, metavar="FOLDER", help="measure beside the services in this folder, too")
    parser.add_argument("--minutes", type=float, help="begin no row after so many minutes (12; 24 with peers)")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="keep the results there, of some rows too")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.only if not any(goal.is_named(name) for goal in GOALS)]
    if unknown:
        parser.error(f"no row is named {', '.join(unknown)}; there are {', '.join(keys)}")
    return asked


def main() -> int:
    """Print the table and keep it; return 1 when a row failed (a verdict is no failure)."""
    asked = read_arguments()
    # Ended from outside, the run still stops what it has started.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    if shutil.which("wrk") is None:
        raise SystemExit("`make bench` needs wrk (Debian, Ubuntu: apt install wrk).")
    at, began, facts = datetime.now().astimezone(), time.monotonic(), machine()
    if os.getloadavg()[0] > QUIET * (os.cpu_count() or 1):
        print("This machine is busy with something else: figures of this run say little.", file=sys.stderr)
    rows = run(
        Wishes(
            tuple(asked.only),
            tuple(asked.database or DATABASES),
            asked.peers,
            asked.minutes or (24 if asked.peers else 12),
        )
    )
    facts["run"] = f"{ROUNDS} rounds of {SECONDS:g} s, {(time.monotonic() - began) / 60:.1f} minutes in all"
    print("\n" + "\n".join(f"{name}: {value}" for name, value in facts.items()) + "\n")
    print(text_table(rows))
    if asked.results or (not asked.only and not asked.database):
        paths = keep(rows, facts, asked.results or PROJECT_ROOT / "benchmarks" / "results", at)
        print("\n" + "\n".join(str(path) for path in paths))
    return 1 if any(row.reason.startswith("failed") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
