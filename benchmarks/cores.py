"""Where the time of the cores goes while something is loaded: into the service, or into all that stands around it."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from benchmarks.load import Load


@dataclass(frozen=True)
class Worked:
    """A load, and how many cores the service's workers and everything else (wrk, the database, …) kept busy."""

    load: Load
    service: float
    others: float


def watch(workers: list[psutil.Process], act: Callable[[], Load]) -> Worked:
    """Load, and measure the cores meanwhile. What others do on this machine counts for nobody."""
    began, run, service = time.perf_counter(), _of_this_run(), _of(workers)
    load = act()
    seconds = time.perf_counter() - began
    used = (_of(workers) - service) / seconds
    return Worked(load, used, max(0.0, (_of_this_run() - run) / seconds - used))


def growth_with_whole_cores(one: Worked, two: Worked, cores: int | None = None) -> float:
    """Return how the rate grew from one process to two, as if each had a core for itself.

    Two processes, the load and the database do not fit on two cores. So the growth seen is divided by the growth that
    the cores left over allowed, never more than double: a process that waits instead of working is a loss all the same.
    """
    left = max(0.1, (cores or os.cpu_count() or 1) - two.others)
    allowed = min(2.0, left / one.service)
    return 2 * (two.load.rate / one.load.rate) / allowed


def _of(processes: list[psutil.Process]) -> float:
    return sum(float(times.user + times.system) for times in (process.cpu_times() for process in processes))


def _of_this_run() -> float:
    # All that this process has started lives below it. What has ended there (wrk, a database's backend) is in the
    # account of its parent.
    total, here = 0.0, psutil.Process()
    for process in [here, *here.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += float(times.user + times.system + times.children_user + times.children_system)
    return total
