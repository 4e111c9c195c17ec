"""One's own account in a real browser: by keyboard, by mouse, and without any script."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import MEMBER_PASSWORD, MakeMember, SignIn
from tests.support.json_client import JsonClient, wait_for_link
from tests.support.pages import check_page, watched_page
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
NEW_PASSWORD = "casserole hibou 58 marée lente"
HAS_FOCUS = "field => field === document.activeElement"


def tab_to(page: Page, target: Locator, most: int = 40) -> None:
    """Press Tab until the target has the focus."""
    for _attempt in range(most):
        page.keyboard.press("Tab")
        if target.evaluate(HAS_FOCUS):
            return
    raise AssertionError(f"{target} is not reached by Tab")


def test_a_profile_is_changed_by_keyboard_alone(
    served: Server, make_member: MakeMember, sign_in: SignIn, browser_context: BrowserContext
) -> None:
    make_member("clavier@brest.test")
    with watched_page(browser_context) as page:
        page.goto(f"{served.url}/bretagne/compte")
        tab_to(page, page.get_by_label("Adresse électronique (obligatoire)"))
        page.keyboard.type("clavier@brest.test")
        tab_to(page, page.get_by_label("Mot de passe (obligatoire)", exact=True))
        page.keyboard.type(MEMBER_PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Mon compte")
        tab_to(page, page.get_by_role("link", name="Modifier : Fonction"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Modifier mon profil")
        tab_to(page, page.get_by_label("Fonction (facultatif)"))
        page.keyboard.type("Chargée de mission")
        page.keyboard.press("Enter")
        expect(page).to_have_title(re.compile("^Erreur : Modifier mon profil"))
        assert page.locator("[data-error-summary]").evaluate(HAS_FOCUS)
        check_page(page)
        page.locator("[data-error-summary]").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        confirmation = page.get_by_label("Je confirme ces changements (obligatoire)")
        assert confirmation.evaluate(HAS_FOCUS)
        page.keyboard.press("Space")
        tab_to(page, page.get_by_role("button", name="Enregistrer"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Votre profil est enregistré.")
        expect(page.get_by_role("main")).to_contain_text("Chargée de mission")


def test_a_changed_password_is_shown_on_demand_and_closes_the_other_sessions(
    served: Server, make_member: MakeMember, sign_in: SignIn, browser_context: BrowserContext
) -> None:
    other = make_member("secret@brest.test")
    other.sign_in("secret@brest.test", MEMBER_PASSWORD, device="Firefox sur Windows")
    with watched_page(browser_context) as page:
        sign_in(page, "secret@brest.test", MEMBER_PASSWORD)
        page.goto(f"{served.url}/bretagne/compte")
        page.get_by_role("link", name="Modifier : Mot de passe").click()
        new = page.get_by_label("Nouveau mot de passe (obligatoire)")
        page.get_by_label("Mot de passe actuel (obligatoire)").fill(MEMBER_PASSWORD)
        new.fill("azertyuiop12")
        page.get_by_role("button", name="Afficher : Nouveau mot de passe").click()
        expect(new).to_have_attribute("type", "text")
        page.get_by_role("button", name="Masquer : Nouveau mot de passe").click()
        expect(new).to_have_attribute("type", "password")
        page.get_by_role("button", name="Enregistrer le nouveau mot de passe").click()
        expect(page).to_have_title(re.compile("^Erreur : "))
        expect(new).to_have_value("")
        check_page(page)
        page.get_by_label("Mot de passe actuel (obligatoire)").fill(MEMBER_PASSWORD)
        new.fill(NEW_PASSWORD)
        page.get_by_role("button", name="Enregistrer le nouveau mot de passe").click()
        expect(page.get_by_role("status")).to_contain_text("Votre nouveau mot de passe est enregistré.")
        assert other.call("GET", "/auth/me").status_code == 401
        page.goto(f"{served.url}/bretagne/compte")
        expect(page.get_by_role("heading", level=1)).to_have_text("Mon compte")


def test_other_sessions_are_listed_and_closed_one_by_one_and_together(
    served: Server, make_member: MakeMember, sign_in: SignIn, browser_context: BrowserContext
) -> None:
    member = make_member("sessions@brest.test")
    devices = [JsonClient(served.url) for _number in range(3)]
    for client, device in zip(devices, ("Tablette", "Bureau", "Portable"), strict=True):
        client.sign_in("sessions@brest.test", MEMBER_PASSWORD, device=device)
    member.sign_in("sessions@brest.test", MEMBER_PASSWORD)
    with watched_page(browser_context) as page:
        sign_in(page, "sessions@brest.test", MEMBER_PASSWORD)
        page.goto(f"{served.url}/bretagne/compte/sessions")
        check_page(page)
        page.get_by_role("button", name="Fermer la session : Tablette").click()
        expect(page.get_by_role("status")).to_contain_text("La session est fermée.")
        assert devices[0].call("GET", "/auth/me").status_code == 401
        assert devices[1].call("GET", "/auth/me").status_code == 200
        page.get_by_label("Mot de passe actuel (obligatoire)").fill("pas le bon mot de passe")
        page.get_by_role("button", name="Fermer toutes les autres sessions").click()
        expect(page).to_have_title(re.compile("^Erreur : "))
        check_page(page)
        page.get_by_label("Mot de passe actuel (obligatoire)").fill(MEMBER_PASSWORD)
        page.get_by_role("button", name="Fermer toutes les autres sessions").click()
        expect(page.get_by_text("Aucune autre session.")).to_be_visible()
        assert [client.call("GET", "/auth/me").status_code for client in devices] == [401, 401, 401]


def test_an_address_changes_when_the_new_one_is_confirmed(
    served: Server, make_member: MakeMember, sign_in: SignIn, browser_context: BrowserContext
) -> None:
    make_member("avant@brest.test")
    with watched_page(browser_context) as page:
        sign_in(page, "avant@brest.test", MEMBER_PASSWORD)
        page.goto(f"{served.url}/bretagne/compte")
        page.get_by_role("link", name="Modifier : Adresse électronique").click()
        page.get_by_label("Nouvelle adresse électronique (obligatoire)").fill("apres")
        page.get_by_role("button", name="Envoyer le message de confirmation").click()
        expect(page).to_have_title(re.compile("^Erreur : "))
        check_page(page)
        page.get_by_label("Nouvelle adresse électronique (obligatoire)").fill("apres@brest.test")
        page.get_by_label("Mot de passe actuel (obligatoire)").fill(MEMBER_PASSWORD)
        page.get_by_role("button", name="Envoyer le message de confirmation").click()
        expect(page.get_by_role("status").first).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("avant@brest.test")
        token = wait_for_link(served.url, "apres@brest.test", "adresse")
        page.goto(f"{served.url}/bretagne/adresse/{token}")
        check_page(page)
        page.get_by_role("main").get_by_role("button").click()
        page.wait_for_load_state()
        page.goto(f"{served.url}/bretagne/compte")
        expect(page.get_by_role("main")).to_contain_text("apres@brest.test")
        page.goto(f"{served.url}/bretagne/adresse/{token}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Ce lien ne sert plus")
        check_page(page)


def test_ones_own_data_are_shown_and_taken_away_as_a_file(
    served: Server, make_member: MakeMember, sign_in: SignIn, browser_context: BrowserContext, tmp_path: Path
) -> None:
    make_member("donnees@brest.test")
    with watched_page(browser_context) as page:
        sign_in(page, "donnees@brest.test", MEMBER_PASSWORD)
        page.goto(f"{served.url}/bretagne/compte/donnees")
        expect(page.get_by_role("main")).to_contain_text("Suivre notre plan climat.")
        check_page(page)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Télécharger mes données").click()
        waiting.value.save_as(tmp_path / "mine.json")
        assert waiting.value.suggested_filename == "terristory-bretagne.json"
        assert "donnees@brest.test" in json.dumps(json.loads((tmp_path / "mine.json").read_text()))


def test_a_closed_account_signs_out_at_once_and_is_taken_back_by_the_link_of_its_mail(
    served: Server, make_member: MakeMember, sign_in: SignIn, browser_context: BrowserContext
) -> None:
    make_member("adieu@brest.test")
    with watched_page(browser_context) as page:
        sign_in(page, "adieu@brest.test", MEMBER_PASSWORD)
        page.goto(f"{served.url}/bretagne/compte/fermeture")
        page.get_by_role("button", name="Fermer mon compte").click()
        expect(page).to_have_title(re.compile("^Erreur : "))
        check_page(page)
        page.get_by_label("Mot de passe actuel (obligatoire)").fill(MEMBER_PASSWORD)
        page.get_by_label("J'ai compris que mes données seront effacées (obligatoire)").check()
        page.get_by_role("button", name="Fermer mon compte").click()
        expect(page.get_by_role("status").first).to_contain_text("Votre compte est fermé.")
        sign_in(page, "adieu@brest.test", MEMBER_PASSWORD)
        expect(page.get_by_role("heading", level=1)).to_have_text("Votre compte est en cours de fermeture")
        check_page(page)
        token = wait_for_link(served.url, "adieu@brest.test", "reprendre")
        page.goto(f"{served.url}/bretagne/reprendre/{token}")
        check_page(page)
        page.get_by_role("main").get_by_role("button").click()
        page.wait_for_load_state()
        sign_in(page, "adieu@brest.test", MEMBER_PASSWORD)
        page.goto(f"{served.url}/bretagne/compte")
        expect(page.get_by_role("heading", level=1)).to_have_text("Mon compte")


def test_signing_in_and_changing_a_profile_need_no_script(
    served: Server, make_member: MakeMember, sign_in: SignIn, chromium: Browser
) -> None:
    make_member("simple@brest.test")
    context = chromium.new_context(locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "simple@brest.test", "pas le bon mot de passe")
    expect(page.get_by_role("alert")).to_contain_text("L'adresse électronique ou le mot de passe est incorrect.")
    expect(page.get_by_role("main").get_by_role("button", name="Afficher")).to_have_count(0)
    sign_in(page, "simple@brest.test", MEMBER_PASSWORD)
    page.goto(f"{served.url}/bretagne/compte/profil")
    page.get_by_label("Organisation (obligatoire)").fill("Lannion")
    page.get_by_label("Je confirme ces changements (obligatoire)").check()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("main")).to_contain_text("Lannion")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_text("Vous êtes déconnecté.")).to_be_visible()
    context.close()
