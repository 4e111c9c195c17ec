"""Many requests at the same instant."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import create_engine, text

Call = Callable[[], Any]
AT_ONCE = 16


def all_at_once(calls: Sequence[Call]) -> list[Any]:
    """Make every call in a thread of its own, none before all threads are there; return the answers in order."""
    start = Barrier(len(calls))

    def run(call: Call) -> Any:
        start.wait(20)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(run, call) for call in calls]]


def count(database: Any, statement: str) -> int:
    """The one number that a statement asks of a test database."""
    engine = create_engine(database.url)
    try:
        with engine.connect() as connection:
            return int(connection.execute(text(statement)).scalar_one())
    finally:
        engine.dispose()
