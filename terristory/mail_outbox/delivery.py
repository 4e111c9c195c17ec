"""The only place that talks to the mail server: claim a row, write the mail, hand it over, settle the row.

Each mail leaves at least once: when the acknowledgement is lost the same mail, with the same Message-ID, leaves again.
"""

import logging
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from secrets import SystemRandom
from urllib.parse import urlsplit

from flask import Flask
from flask_mail import Message
from sqlalchemy import or_, select, update

from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.mail_outbox.rendering import RenderedMail, render
from terristory.settings import Settings, SmtpServer

log = logging.getLogger("terristory.mail")
SMTP_SECONDS = 10.0
# Longer than all the steps of one delivery together: only a worker that died loses its claim.
LEASE = timedelta(seconds=180)
RETRY_SECONDS = (5, 30, 120, 600, 3600, 14400)
GIVE_UP_AFTER = timedelta(days=3)
_JITTER = SystemRandom()


@dataclass(frozen=True)
class Left:
    """The server took the mail."""


@dataclass(frozen=True)
class Later:
    """It did not leave this time: no server, no answer, or an answer that asks to come back (4xx)."""

    reason: str


@dataclass(frozen=True)
class Never:
    """It will never leave: the server refused it for good (5xx), or it cannot be written."""

    reason: str


Outcome = Left | Later | Never


def deliver_due(app: Flask, *, clock: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> int:
    """Try every mail that is due, one after the other, until none is or `stopping()`; return how many left.

    Without a mail server in the settings nothing is tried: mails stay readable in the outbox.
    """
    settings: Settings = app.config["SETTINGS"]
    if settings.smtp is None:
        return 0
    left = 0
    while not stopping():
        mail = claim(now=clock())
        if mail is None:
            break
        outcome = attempt(app, settings.smtp, mail)
        settle(mail, outcome, now=clock())
        left += isinstance(outcome, Left)
    return left


def claim(*, now: datetime) -> OutboxMail | None:
    """Take the mail that has been due longest, for the time of a lease, and note the attempt; None when none is due.

    Two workers never take the same: PostgreSQL skips locked rows, SQLite lets one transaction write at a time. The
    attempt is noted before it begins, since the life of the secret counts from it.
    """
    free = or_(OutboxMail.leased_until.is_(None), OutboxMail.leased_until <= now)
    due = (
        select(OutboxMail.id)
        .where(OutboxMail.state == MailState.PENDING, OutboxMail.next_attempt_at <= now, free)
        .order_by(OutboxMail.next_attempt_at, OutboxMail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    with transaction():
        mail_id = db.session.scalar(due)
        if mail_id is None:
            return None
        mail = db.session.get_one(OutboxMail, mail_id)
        mail.leased_until = now + LEASE
        mail.last_attempt_at = now
        mail.attempts += 1
        db.session.flush()
    # What was claimed stays as it was read, whatever happens to the row meanwhile.
    db.session.expunge(mail)
    return mail


def attempt(app: Flask, server: SmtpServer, mail: OutboxMail) -> Outcome:
    """Write the mail and hand it over; never raises for what is the mail's or the server's fault."""
    if mail.last_attempt_at is None:
        raise ValueError("a mail is attempted after its claim")
    try:
        rendered = render(app, mail, attempt_at=mail.last_attempt_at)
        content = message_of(mail, rendered, sent_at=mail.last_attempt_at).as_bytes()
    except Exception as error:
        # One mail that cannot be written must not keep the others waiting.
        log.exception("mail %s cannot be written", mail.id)
        return Never(f"cannot be written: {type(error).__name__}: {error}")
    settings: Settings = app.config["SETTINGS"]
    return hand_over(server, settings, mail.recipient, content)


def message_of(mail: OutboxMail, rendered: RenderedMail, *, sent_at: datetime) -> Message:
    """Return the mail as Flask-Mail's message, for one recipient; raises ValueError when a header has a line break."""
    message = Message(
        subject=rendered.subject,
        recipients=[mail.recipient],
        body=rendered.text,
        html=rendered.html,
        reply_to=rendered.reply_to or None,
        date=sent_at.timestamp(),
        extra_headers={"Auto-Submitted": "auto-generated", "Content-Language": mail.langue},
    )
    message.msgId = mail.message_id
    if message.has_bad_headers():
        raise ValueError("a header has a line break")
    return message


def hand_over(server: SmtpServer, settings: Settings, recipient: str, content: bytes) -> Outcome:
    """Give one message to the mail server over our own connection.

    Flask-Mail's has no timeout and checks no certificate. What fails before the message is offered (no server,
    certificate, login) is never the message's fault and is tried again.
    """
    sender = parseaddr(settings.mail_from)[1]
    greeting = urlsplit(settings.public_url).hostname or "localhost"
    try:
        connection = _connect(server, greeting)
    except (OSError, smtplib.SMTPException) as error:
        log.error("the mail server cannot be used: %s", _reason(error))
        return Later(_reason(error))
    try:
        connection.sendmail(sender, [recipient], content)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = error.recipients[recipient]
        return _verdict(code, words)
    except smtplib.SMTPResponseException as error:
        return _verdict(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Later(_reason(error))
    else:
        # It has left already: a server that does not say goodbye changes nothing.
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
        return Left()
    finally:
        connection.close()


def _connect(server: SmtpServer, greeting: str) -> smtplib.SMTP:
    if server.security == "tls":
        context = ssl.create_default_context()
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, greeting, timeout=SMTP_SECONDS, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, greeting, timeout=SMTP_SECONDS)
    try:
        if server.security == "starttls":
            connection.starttls(context=ssl.create_default_context())
        if server.user is not None:
            connection.login(server.user, server.password or "")
    except BaseException:
        connection.close()
        raise
    return connection


def _verdict(code: int, words: bytes | str) -> Outcome:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    reason = f"{code} {text}"
    return Never(reason) if 500 <= code < 600 else Later(reason)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def settle(mail: OutboxMail, outcome: Outcome, *, now: datetime) -> None:
    """Write down what became of an attempt; what left or was given up loses its values and secrets.

    A mail that did not leave is tried again after a growing, jittered delay, and given up after three days.
    """
    if isinstance(outcome, Later) and now - mail.created_at >= GIVE_UP_AFTER:
        outcome = Never(outcome.reason)
    # A worker whose lease ran out has nothing to say any more, except that the mail has left.
    ours = [OutboxMail.id == mail.id]
    match outcome:
        case Left():
            ended = {"state": MailState.SENT, "sent_at": now, "last_error": ""} | _wiped()
        case Later(reason):
            ours += [OutboxMail.state == MailState.PENDING, OutboxMail.attempts == mail.attempts]
            ended = {"next_attempt_at": now + _delay(mail.attempts), "last_error": _short(reason)}
            log.warning("mail %s waits after attempt %d: %s", mail.id, mail.attempts, _short(reason))
        case Never(reason):
            ours += [OutboxMail.state == MailState.PENDING, OutboxMail.attempts == mail.attempts]
            # Without a secret nothing in it has gone: it can be tried again by hand.
            wiped = _wiped() if mail.sealed is not None else {}
            ended = {"state": MailState.DEAD, "last_error": _short(reason)} | wiped
            log.error("mail %s (%s) is given up: %s", mail.id, mail.template, _short(reason))
    with transaction():
        db.session.execute(update(OutboxMail).where(*ours).values(leased_until=None, **ended))


def _wiped() -> dict[str, object]:
    return {"sealed": None, "context": {}}


def _delay(attempts: int) -> timedelta:
    longest = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
    return timedelta(seconds=longest * _JITTER.uniform(0.8, 1.2))


def _short(reason: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in reason)[:200]
