"""From a row of the outbox to the words of a mail, in the recipient's language and the region's time zone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from flask import Flask, g, render_template, url_for

from terristory.i18n import speaking
from terristory.mail_outbox import words
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.sealing import open_sealed
from terristory.regions.lookup import find_region
from terristory.settings import Settings


class CannotRender(Exception):
    """The mail can never be written: its secret cannot be opened, or its region is gone."""


@dataclass(frozen=True)
class RenderedMail:
    """A mail ready to leave. `reply_to` is the region's contact, or "" when it names none."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    reply_to: str


def subject_of(app: Flask, mail: OutboxMail) -> str:
    """Return the subject: the region's name and constant words, so that no header holds what a person wrote."""
    with _as_the_recipient(app, mail):
        return _subject(mail)


def render(app: Flask, mail: OutboxMail, *, attempt_at: datetime) -> RenderedMail:
    """Render both parts. Links come from PUBLIC_URL alone; lives of secrets count from `attempt_at`.

    Raises CannotRender, and whatever a broken template raises.
    """
    secrets = open_sealed(mail.sealed)
    if secrets is None:
        raise CannotRender("its secret cannot be opened: the root secret was changed twice")
    with _as_the_recipient(app, mail):
        subject = _subject(mail)
        values = {**mail.context, **secrets, **_common_values(app, mail, attempt_at), "subject": subject}
        text = render_template(f"mail/{mail.template}/body.txt", **values)
        html = render_template(f"mail/{mail.template}/body.html", **values)
        return RenderedMail(subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", html, g.region.contact)


@contextmanager
def _as_the_recipient(app: Flask, mail: OutboxMail) -> Iterator[None]:
    settings: Settings = app.config["SETTINGS"]
    # A context of its own: the reader of /dev/courriels has another language and another region.
    with app.app_context(), app.test_request_context(base_url=settings.public_url):
        g.region = find_region(mail.region)
        if g.region is None:
            raise CannotRender("its region is not in the catalogue")
        with speaking(mail.langue):
            yield


def _subject(mail: OutboxMail) -> str:
    words_of_subject = render_template(f"mail/{mail.template}/subject.txt").strip()
    return f"[TerriSTORY {g.region.nom}] {words_of_subject}"


def _common_values(app: Flask, mail: OutboxMail, attempt_at: datetime) -> dict[str, Any]:
    settings: Settings = app.config["SETTINGS"]
    return {
        "region": g.region,
        "langue": mail.langue,
        "attempt_at": attempt_at,
        "confirmation_seconds": settings.confirmation_seconds,
        "url_for": partial(url_for, _external=True),
        "said": words.said,
        "said_mail": words.said_mail,
        "in_words": words.in_words,
        "until": partial(words.end_of_life, attempt_at),
        "moment": words.moment,
        "quoted": words.quoted,
    }
