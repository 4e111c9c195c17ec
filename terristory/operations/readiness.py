"""Readiness: what the service needs to do its work, checked now."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from terristory.database import ping
from terristory.extensions import db, limiter
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.operations.prepare import Schema, database_revision, schema_state

# A mail that has been due for so long says that no worker delivers.
MOST_LAG = timedelta(minutes=15)


@dataclass(frozen=True)
class Readiness:
    """The state of each dependency; `ready` is false when one without which people are turned away fails."""

    ready: bool
    database: str
    migrations: str
    outbox: str
    limiter: str

    def details(self) -> dict[str, str | bool]:
        """Return the details as plain values."""
        return asdict(self)


def readiness(*, delivers_mail: bool, now: datetime) -> Readiness:
    """Check the database, its migrations, the outbox's lag (when mail is delivered at all) and the limiter's store."""
    try:
        ping()
        schema = schema_state(database_revision())
        lag = None if schema is Schema.BEHIND else oldest_due(now)
    except SQLAlchemyError:
        return Readiness(False, "down", "unknown", "unknown", limiter_state())
    lagging = delivers_mail and lag is not None and lag > MOST_LAG
    outbox = "lagging" if lagging else "ok"
    return Readiness(schema is not Schema.BEHIND, "ok", schema.value, outbox, limiter_state())


def oldest_due(now: datetime) -> timedelta | None:
    """Return for how long the mail due longest has been due, None when none is."""
    statement = select(func.min(OutboxMail.next_attempt_at)).where(
        OutboxMail.state == MailState.PENDING, OutboxMail.next_attempt_at <= now
    )
    due = db.session.scalar(statement)
    return None if due is None else now - due


def limiter_state() -> str:
    """Return `off`, `shared` (Redis), `fallback` (Redis is down: limits count per process) or `process`."""
    if not limiter.enabled:
        return "off"
    try:
        healthy = limiter.storage.check()
    except Exception:
        healthy = False
    if type(limiter.storage).__name__ == "MemoryStorage":
        return "process"
    return "shared" if healthy else "fallback"
