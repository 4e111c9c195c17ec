"""How the work of the automatic check grows for a network that keeps failing to sign in."""

from datetime import datetime

from sqlalchemy import select

from terristory.auth.models import Failure
from terristory.auth.throttle import CAPTCHA_AFTER, FORGOTTEN_AFTER
from terristory.extensions import db
from terristory.settings import digest_of

FAILURES_PER_LEVEL = 20


def work_level(network: str, *, now: datetime) -> int:
    """Return how many times the work doubles: once for every FAILURES_PER_LEVEL failures beyond those without check."""
    key = digest_of(f"network:{network}")
    statement = select(Failure.count).where(Failure.key == key, Failure.last_at > now - FORGOTTEN_AFTER)
    return max(0, (db.session.scalar(statement) or 0) - CAPTCHA_AFTER) // FAILURES_PER_LEVEL
