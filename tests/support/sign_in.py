"""Signing in through each door, in tests."""

import html
import re

from terristory.auth.temporary_password import issue_temporary_password
from terristory.clock import utc_now
from terristory.database import transaction
from tests.support.environment import PASSWORD

MAIL = "jeanne@exemple.fr"
WRONG = "autre phrase de passe 7"
PAGE = "/bretagne/connexion"
INCORRECT = "L'adresse électronique ou le mot de passe est incorrect."


def hidden(page, name):
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    return found.group(1) if found else ""


def text(answer):
    """The words of a page, as people read them."""
    return html.unescape(answer.get_data(as_text=True))


def by_page(client, login=MAIL, password=PASSWORD, path=PAGE, **more):
    page = text(client.get(path))
    kept = {name: hidden(page, name) for name in ("csrf_token", "ticket", "next")}
    return client.post(PAGE, data={**kept, "login": login, "password": password, **more})


def by_json(client, login=MAIL, password=PASSWORD, **more):
    return client.post("/api/bretagne/auth", json={"login": login, "password": password, **more})


def by_browser(client, login=MAIL, password=PASSWORD, **more):
    return client.post("/api/bretagne/user/auth", json={"login": login, "password": password, **more})


def temporary_of(user_id, life_seconds=3600):
    with transaction():
        return issue_temporary_password(user_id, life_seconds=life_seconds, now=utc_now()).password


def cookies_of(answer):
    return {cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")}
