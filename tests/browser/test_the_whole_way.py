"""The main job, as people do it: a request, a confirmation, a decision, a first sign-in, in a real browser."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.pages import check_page, watched_page
from tests.support.server import Server
from tests.support.smtp import MailServer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
NEW_PASSWORD = "girafe violon tempête 7 carottes"
ADMIN_PASSWORD = "moulin orage boussole 3 tiroirs"


@pytest.fixture
def server(make_server: Callable[..., Server], mail_server: MailServer) -> Server:
    return make_server(SMTP_URL=mail_server.url)


def link_in(mail: Any, path: str) -> str:
    """The link of a mail whose path holds `path`; both parts must carry it."""
    text, html = mail.part("plain"), mail.part("html")
    found = re.search(rf"http://\S*{path}\S*", text)
    assert found, text
    assert found.group().rstrip(".") in html
    return found.group().rstrip(".")


def mail_to(mail_server: MailServer, address: str, subject: str) -> Any:
    """The first mail to an address with that subject, once it has come."""
    mail_server.wait_for(1)
    for _attempt in range(200):
        for mail in mail_server.messages:
            if address in mail.recipients and subject in mail.message["Subject"]:
                return mail
        time.sleep(0.1)
    raise AssertionError([(mail.recipients, mail.message["Subject"]) for mail in mail_server.messages])


def sign_in(page: Page, base: str, mail: str, password: str) -> None:
    page.goto(f"{base}/connexion")
    page.get_by_label("Adresse électronique (obligatoire)").fill(mail)
    page.get_by_label("Mot de passe (obligatoire)", exact=True).fill(password)
    page.get_by_role("button", name="Se connecter").click()


def ask_for_an_account(page: Page, base: str, mail: str) -> None:
    page.goto(f"{base}/inscription")
    page.get_by_label("Prénom (obligatoire)").fill("Jeanne")
    page.get_by_label("Nom (obligatoire)", exact=True).fill("Le Goff-Ÿ")
    page.get_by_label("Adresse électronique professionnelle (obligatoire)").fill(mail)
    page.get_by_label("Organisation (obligatoire)").fill("Brest métropole")
    page.get_by_label("Pourquoi demandez-vous un compte ? (facultatif)").fill("Suivre notre plan climat.")
    page.get_by_label("J'ai lu l'information sur mes données personnelles (obligatoire)").check()


@pytest.fixture(params=["light", "dark"])
def visitor(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="fr-FR", color_scheme=request.param)
    context.set_default_timeout(15_000)
    yield context
    context.close()


def test_a_person_asks_confirms_is_let_in_and_signs_in(
    server: Server, mail_server: MailServer, visitor: BrowserContext, chromium: Browser
) -> None:
    admin = server.first_admin()
    base = f"{server.url}/{admin['region']}"
    with watched_page(visitor) as page:
        page.goto(base + "/")
        check_page(page)
        page.get_by_role("main").get_by_role("link", name="Demander un compte").click()
        expect(page).to_have_title("Demander un compte – TerriSTORY Bretagne")
        check_page(page)
        page.get_by_role("button", name="Envoyer ma demande").click()
        expect(page).to_have_title(re.compile("^Erreur : "))
        check_page(page)
        ask_for_an_account(page, base, "Jeanne.LeGoff@brest-metropole.test")
        page.get_by_role("button", name="Envoyer ma demande").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
        check_page(page)
        page.goto(link_in(mail_to(mail_server, "Jeanne.LeGoff@brest-metropole.test", "Confirmez"), "/confirmer/"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez votre adresse")
        check_page(page)
        page.get_by_label("Créez un mot de passe (obligatoire)").fill("azertyuiop12")
        page.get_by_role("button", name="Confirmer mon adresse").click()
        expect(page).to_have_title(re.compile("^Erreur : "))
        check_page(page)
        page.get_by_label("Créez un mot de passe (obligatoire)").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Confirmer mon adresse").click()
        expect(page.get_by_text("Adresse confirmée")).to_be_visible()
        check_page(page)
        sign_in(page, base, "jeanne.legoff@BREST-metropole.test", NEW_PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text("Votre demande est à l'étude")
        check_page(page)

    admin_context = chromium.new_context(locale="fr-FR")
    with watched_page(admin_context) as page:
        link = link_in(mail_to(mail_server, admin["mail"], "Nouvelle demande"), "/admin/comptes/")
        page.goto(link)
        check_page(page)
        page.get_by_label("Adresse électronique (obligatoire)").fill(admin["mail"])
        page.get_by_label("Mot de passe (obligatoire)", exact=True).fill(admin["temporary password"])
        page.get_by_role("button", name="Se connecter").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Choisissez un nouveau mot de passe")
        check_page(page)
        page.locator("input[name=new_password]").fill(ADMIN_PASSWORD)
        page.get_by_role("main").locator("button[type=submit]").last.click()
        page.goto(link)
        expect(page.get_by_role("main")).to_contain_text("Brest métropole")
        check_page(page)
        page.goto(f"{base}/admin/comptes")
        expect(page.get_by_role("heading", level=1)).to_have_text("Demandes à examiner (1)")
        check_page(page)
        page.goto(link)
        page.get_by_role("button", name="Valider le compte").click()
        expect(page.get_by_text("Compte de Jeanne Le Goff-Ÿ validé.")).to_be_visible()
        check_page(page)
    admin_context.close()

    mail_to(mail_server, "Jeanne.LeGoff@brest-metropole.test", "Votre compte est activé")
    with watched_page(visitor) as page:
        sign_in(page, base, "jeanne.legoff@brest-metropole.test", NEW_PASSWORD)
        expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()
        check_page(page)
        page.goto(f"{base}/compte")
        check_page(page)
        expect(page.get_by_role("main")).to_contain_text("Jeanne")
        page.get_by_role("button", name="Se déconnecter").click()
        expect(page).to_have_url(re.compile(r"/bretagne/$"))
        check_page(page)


WITHOUT_WORKER = "delete window.Worker; window.Worker = undefined;"
HANGING_WORKER = "window.Worker = class { postMessage() {} terminate() {} addEventListener() {} };"


@pytest.mark.parametrize("how", ["no script", "no Worker", pytest.param("a worker that hangs", marks=pytest.mark.slow)])
def test_a_request_needs_no_working_script(
    make_server: Callable[..., Server], mail_server: MailServer, chromium: Browser, how: str
) -> None:
    server = make_server(SMTP_URL=mail_server.url, NO_SCRIPT_WAIT_SECONDS=3)
    context = chromium.new_context(locale="fr-FR", java_script_enabled=how != "no script")
    context.set_default_timeout(45_000)
    if how == "no Worker":
        context.add_init_script(WITHOUT_WORKER)
    if how == "a worker that hangs":
        context.add_init_script(HANGING_WORKER)
    page = context.new_page()
    base = f"{server.url}/bretagne"
    ask_for_an_account(page, base, "sans.script@brest-metropole.test")
    page.wait_for_timeout(3200)
    page.get_by_role("button", name="Envoyer ma demande").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie", timeout=45_000)
    mail_to(mail_server, "sans.script@brest-metropole.test", "Confirmez")
    context.close()
