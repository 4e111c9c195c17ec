"""A forgotten password, the whole way in a real browser: from the sign-in page to the new password."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import MEMBER_PASSWORD, MakeMember, SignIn
from tests.support.components import wait_until
from tests.support.json_client import mails_of
from tests.support.pages import check_page, watched_page
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
NEW_PASSWORD = "casserole hibou 58 marée lente"
MAIL = "oubli@brest.test"
SENT = (
    "Si un compte actif existe pour {}, un mot de passe provisoire vient d'être envoyé. Il sert une seule fois, "
    "pendant une heure. Votre mot de passe actuel reste valable."
)
BEFORE_THE_PASSWORD = "Votre mot de passe provisoire (minuscules et chiffres, à copier tel quel) :"


def ask_for_a_temporary_password(page: Page, served: Server, mail: str) -> None:
    page.goto(f"{served.url}/bretagne/connexion")
    page.get_by_role("link", name="Mot de passe oublié ?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recevoir un mot de passe provisoire")
    page.locator("input[name=mail]").fill(mail)
    page.get_by_role("button", name="Envoyer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")


def temporary_password(served: Server) -> str:
    """The newest temporary password mailed to MAIL, once it is there."""
    found: list[str] = []

    def has_come() -> bool:
        for text in mails_of(served.url, MAIL):
            found.extend(re.findall(re.escape(BEFORE_THE_PASSWORD) + r"\s+([a-z0-9]{8,16})\s", text))
        return bool(found)

    wait_until(has_come, seconds=10, what="the mail with the temporary password")
    return found[-1]


def test_a_forgotten_password_is_replaced_by_way_of_a_temporary_one(
    served: Server, make_member: MakeMember, sign_in: SignIn, browser_context: BrowserContext
) -> None:
    make_member(MAIL)
    with watched_page(browser_context) as page:
        ask_for_a_temporary_password(page, served, MAIL)
        expect(page.get_by_role("main")).to_contain_text(SENT.format(MAIL))
        check_page(page)
        temporary = temporary_password(served)
        page.get_by_role("main").get_by_role("link", name="Se connecter").click()
        sign_in(page, MAIL, temporary)
        expect(page.get_by_role("heading", level=1)).to_have_text("Choisissez un nouveau mot de passe")
        check_page(page)
        page.goto(f"{served.url}/bretagne/compte")
        expect(page.get_by_role("heading", level=1)).to_have_text("Choisissez un nouveau mot de passe")
        page.get_by_label("Nouveau mot de passe (obligatoire)").fill(temporary)
        page.get_by_role("button", name="Enregistrer le nouveau mot de passe").click()
        expect(page).to_have_title(re.compile("^Erreur : Choisissez un nouveau mot de passe"))
        check_page(page)
        page.get_by_label("Nouveau mot de passe (obligatoire)").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Enregistrer le nouveau mot de passe").click()
        expect(page.get_by_role("status")).to_contain_text("Votre nouveau mot de passe est enregistré.")
        page.goto(f"{served.url}/bretagne/compte")
        expect(page.get_by_role("heading", level=1)).to_have_text("Mon compte")
        page.get_by_role("button", name="Se déconnecter").click()
        sign_in(page, MAIL, temporary)
        expect(page.get_by_role("alert")).to_contain_text("Ce mot de passe provisoire a expiré ou a déjà servi.")
        check_page(page)
        page.get_by_role("link", name="En recevoir un autre").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Recevoir un mot de passe provisoire")
        sign_in(page, MAIL, MEMBER_PASSWORD)
        expect(page.get_by_role("alert")).to_contain_text("L'adresse électronique ou le mot de passe est incorrect.")
        sign_in(page, MAIL, NEW_PASSWORD)
        expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()


def test_an_unknown_address_gets_the_same_page(served: Server, browser_context: BrowserContext) -> None:
    with watched_page(browser_context) as page:
        ask_for_a_temporary_password(page, served, "inconnu@brest.test")
        expect(page.get_by_role("main")).to_contain_text(SENT.format("inconnu@brest.test"))
    assert mails_of(served.url, "inconnu@brest.test") == []
