"""Requests for accounts in tests: what somebody says, and what the outbox then holds."""

import re
from typing import Any

from sqlalchemy import select

from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.sealing import open_sealed
from terristory.regions.lookup import find_region
from terristory.user.create_user import Applicant, RequestRules, create_user
from tests.support.captcha import solved_captcha

MAIL = "Jeanne.LeGoff@brest.test"
RULES = RequestRules(confirmation_required=True, erasure_days=7, operator_mail="operateur@test.test", limited=True)
ANSWERS = {"prenom": "Jeanne", "nom": "Le Goff", "mail": MAIL, "organisation": "Brest métropole"}


def ask(now: Any, *, rules: RequestRules = RULES, region: str = "bretagne", **said: str) -> None:
    """Ask for an account as a door does."""
    with transaction():
        create_user(find_region(region), Applicant(**{**ANSWERS, "langue": "fr", **said}), rules, now=now)


def json_answers(client: Any, **more: Any) -> dict[str, Any]:
    """The body of a request over JSON, its captcha solved."""
    captcha = solved_captcha(client, "bretagne", "create_user")
    return {**ANSWERS, "information_lue": True, "captcha": captcha, **more}


def outbox() -> list[OutboxMail]:
    """The mails, oldest first."""
    db.session.expire_all()
    return list(db.session.scalars(select(OutboxMail).order_by(OutboxMail.created_at)))


def templates() -> list[str]:
    """The templates of the mails, in alphabetical order."""
    return sorted(mail.template for mail in outbox())


def secrets_of(template: str) -> list[dict[str, str]]:
    """The secrets of the mails of a template, oldest first."""
    return [open_sealed(mail.sealed) or {} for mail in outbox() if mail.template == template]


def csrf_in(page: Any) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.get_data(as_text=True))
    assert found, page.get_data(as_text=True)
    return found.group(1)
