"""Time that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

import time_machine

START = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


class Clock:
    """The clock of the whole process (tokens, captcha, limits, rows); it stands still between moves."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def move(self, **amount: float) -> datetime:
        """Move forward, `move(seconds=31)`, `move(days=8)`, or back with negative numbers; return the new present."""
        self._traveller.shift(timedelta(**amount))
        return self.now()
