"""A look at everything an operator should know, in one list."""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.operations.prepare import Schema, database_revision, head_revision, schema_state
from terristory.operations.readiness import MOST_LAG, limiter_state, oldest_due
from terristory.operations.search_index import has_search_index
from terristory.regions.lookup import open_regions
from terristory.settings import Settings
from terristory.user.lookup import active_admins
from terristory.user.models import Status, User

SMTP_SECONDS = 5
MOST_SKEW = timedelta(seconds=5)
LONG_WAIT = timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """One line of the report: `level` is `ok`, `warning` (look at it soon) or `fault` (people are hit)."""

    level: str
    subject: str
    words: str


def examine(settings: Settings, now: datetime) -> list[Finding]:
    """Look at the database, migrations, clock, mail, limits, settings, regions and waiting requests."""
    try:
        revision = database_revision()
    except SQLAlchemyError:
        return [Finding("fault", "database", "does not answer"), *_settings(settings), _smtp(settings)]
    migrations = _migrations(revision)
    if migrations.level == "fault":
        return [migrations]
    return [
        Finding("ok", "database", db.engine.dialect.name),
        migrations,
        _clock(now),
        _smtp(settings),
        *_outbox(settings, now),
        _limits(),
        *_settings(settings),
        *_regions(),
        *_search(),
        _oldest_request(now),
    ]


def _migrations(revision: str | None) -> Finding:
    match schema_state(revision):
        case Schema.HEAD:
            return Finding("ok", "migrations", f"at {revision}")
        case Schema.AHEAD:
            words = f"the tables are at {revision}, made by newer code: finish the upgrade"
            return Finding("warning", "migrations", words)
        case Schema.BEHIND:
            return Finding("fault", "migrations", f"the tables are at {revision}, the code wants {head_revision()}")


def _clock(now: datetime) -> Finding:
    theirs = db.session.scalar(select(func.now()))
    if isinstance(theirs, str):
        theirs = datetime.fromisoformat(theirs)
    if theirs is None:
        return Finding("warning", "clock", "the database does not tell the time")
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    skew = abs(now - theirs)
    level = "ok" if skew <= MOST_SKEW else "fault"
    return Finding(level, "clock", f"{skew.total_seconds():.1f} s from the database's")


def _smtp(settings: Settings) -> Finding:
    server = settings.smtp
    if server is None:
        return Finding("warning", "mail", "no SMTP_URL: mails stay in the outbox")
    place = f"{server.host}:{server.port}"
    try:
        with socket.create_connection((server.host, server.port), timeout=SMTP_SECONDS) as plain:
            if server.security == "tls":
                with ssl.create_default_context().wrap_socket(plain, server_hostname=server.host) as secured:
                    greeting = secured.recv(512)
            else:
                greeting = plain.recv(512)
    except OSError as error:
        return Finding("fault", "mail", f"{place} fails: {type(error).__name__}")
    if not greeting.startswith(b"220"):
        return Finding("fault", "mail", f"{place} does not greet as a mail server")
    return Finding("ok", "mail", f"{place} answers; `flask --app wsgi mail test ADDRESS` tries the rest")


def _outbox(settings: Settings, now: datetime) -> list[Finding]:
    findings = []
    dead = db.session.scalar(select(func.count()).where(OutboxMail.state == MailState.DEAD)) or 0
    if dead:
        findings.append(Finding("fault", "outbox", f"{dead} mails were given up: `flask --app wsgi mail stuck`"))
    lag = oldest_due(now)
    if settings.smtp is not None and lag is not None and lag > MOST_LAG:
        findings.append(Finding("fault", "outbox", f"mail has been due for {lag}: does the mail worker run?"))
    return findings or [Finding("ok", "outbox", "nothing is stuck")]


def _limits() -> Finding:
    state = limiter_state()
    if state == "fallback":
        return Finding("fault", "limits", "Redis does not answer: limits count per process")
    if state == "off":
        return Finding("warning", "limits", "RATE_LIMITS is off")
    return Finding("ok", "limits", "shared through Redis" if state == "shared" else "counted in the one process")


def _settings(settings: Settings) -> list[Finding]:
    findings = []
    if settings.production and settings.trusted_proxies == 0:
        words = "TRUSTED_PROXIES is 0: behind a proxy, every limit would count its address instead of the client's"
        findings.append(Finding("warning", "proxies", words))
    if settings.secret_key_previous:
        words = "SECRET_KEY_PREVIOUS is set: remove it once the longest link or session of before is over (30 days)"
        findings.append(Finding("warning", "secret", words))
    return findings


def _regions() -> list[Finding]:
    findings = []
    for region in open_regions():
        if not active_admins(region.key):
            findings.append(Finding("warning", region.key, "has no administrator: its requests go to OPERATOR_MAIL"))
        if not region.contact:
            findings.append(Finding("warning", region.key, "has no contact (`regions set --contact`)"))
    return findings


def _search() -> list[Finding]:
    if has_search_index():
        return []
    words = "has no index (extension pg_trgm): `db upgrade` as a role that may create it"
    return [Finding("warning", "search", words)]


def _oldest_request(now: datetime) -> Finding:
    oldest = db.session.scalar(select(func.min(User.confirmed_at)).where(User.status == Status.AWAITING))
    if oldest is None:
        return Finding("ok", "requests", "none is waiting")
    level = "warning" if now - oldest > LONG_WAIT else "ok"
    return Finding(level, "requests", f"the oldest waits for {(now - oldest).days} days")
