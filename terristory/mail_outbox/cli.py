"""Commands on the outbox: the worker, and what an operator needs when mail does not leave."""

import logging
import signal
import sys
from collections.abc import Iterable, Sequence
from threading import Event
from uuid import UUID

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_mail import Message
from sqlalchemy.exc import SQLAlchemyError

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.delivery import Left, deliver_due, hand_over
from terristory.mail_outbox.lookup import find_mail, is_wiped, newest_mails, stuck_mails
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.rendering import CannotRender, render, subject_of
from terristory.mail_outbox.retry import Retry, retry
from terristory.web.settings_in_force import settings_in_force

log = logging.getLogger("terristory.mail")
mail = AppGroup("mail", help="The outbox: mails that leave, wait, or were given up.")
POLL_SECONDS = 0.5
AFTER_A_FAULT_SECONDS = 2.0


def add_commands(app: Flask) -> None:
    """Add the `mail` commands to `flask`."""
    app.cli.add_command(mail)


@mail.command()
@click.option("--forever", is_flag=True, help="Go on until SIGTERM or SIGINT.")
def deliver(forever: bool) -> None:
    """Send the mails that are due; without a mail server in the settings they stay in the outbox."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = Event()
    # Between two mails, never amid one.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    if not forever:
        click.echo(f"sent: {deliver_due(app, clock=utc_now, stopping=stop.is_set)}")
        return
    while not stop.is_set():
        stop.wait(_one_pass(app, stop))


def _one_pass(app: Flask, stop: Event) -> float:
    try:
        deliver_due(app, clock=utc_now, stopping=stop.is_set)
    except SQLAlchemyError:
        log.exception("the outbox cannot be read; trying again")
        db.session.remove()
        return AFTER_A_FAULT_SECONDS
    return POLL_SECONDS


@mail.command()
@click.argument("mail_id", metavar="[ID]", type=click.UUID, required=False)
def show(mail_id: UUID | None) -> None:
    """List the mails, newest last, or print one with what it says."""
    if mail_id is None:
        for one in reversed(newest_mails()):
            click.echo(_line(one))
        return
    found = find_mail(mail_id)
    if found is None:
        raise click.ClickException("no mail has this id")
    click.echo(f"To: {found.recipient}\nSubject: {_subject(found)}\nState: {found.state}\n")
    if is_wiped(found):
        click.echo("What it said was wiped when it left or was given up.")
        return
    rendered = render(current_app._get_current_object(), found, attempt_at=found.last_attempt_at or utc_now())  # type: ignore[attr-defined]
    click.echo(rendered.text)


def _line(one: OutboxMail) -> str:
    words = [str(one.id), one.created_at.isoformat(timespec="seconds"), one.state, one.recipient, _subject(one)]
    if one.last_error:
        words.append(f"({one.attempts} attempts: {one.last_error})")
    return "  ".join(words)


def _subject(one: OutboxMail) -> str:
    try:
        return subject_of(current_app._get_current_object(), one)  # type: ignore[attr-defined]
    except CannotRender:
        return one.template


@mail.command()
def stuck() -> None:
    """List the mails tried in vain or given up; the exit status is 1 when there are any."""
    mails = stuck_mails()
    for one in mails:
        click.echo(_line(one))
    sys.exit(1 if mails else 0)


@mail.command("retry")
@click.argument("mail_ids", metavar="[ID]…", type=click.UUID, nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every mail that `mail stuck` lists.")
def retry_mails(mail_ids: Sequence[UUID], every: bool) -> None:
    """Have mails tried again at once. One that lost its secret cannot be: do again what it announced."""
    if not mail_ids and not every:
        raise click.UsageError("name mails, or give --all")
    chosen: Iterable[UUID] = [one.id for one in stuck_mails()] if every else mail_ids
    refused = 0
    for mail_id in chosen:
        with transaction():
            found = find_mail(mail_id)
            outcome = retry(found, now=utc_now()) if found is not None else None
        refused += outcome is not Retry.TAKEN
        click.echo(f"{mail_id}  {_RETRY_WORDS[outcome]}")
    sys.exit(1 if refused else 0)


_RETRY_WORDS = {
    None: "unknown",
    Retry.TAKEN: "due now",
    Retry.SENT: "has left already",
    Retry.WIPED: "its secret was wiped when it was given up: do again what it announced (a new link, a new password)",
}


@mail.command("test")
@click.argument("address")
def test_address(address: str) -> None:
    """Send a test mail at once and say what the mail server answered."""
    settings = settings_in_force()
    if settings.smtp is None:
        raise click.ClickException("TERRISTORY_SMTP_URL is not set")
    message = Message(subject="[TerriSTORY] Test", recipients=[address], body="Message d'essai de TerriSTORY.\n")
    if message.has_bad_headers():
        raise click.ClickException("this is not an address")
    outcome = hand_over(settings.smtp, settings, address, message.as_bytes())
    if not isinstance(outcome, Left):
        raise click.ClickException(outcome.reason)
    click.echo(f"{settings.smtp.host}:{settings.smtp.port} took the mail")
