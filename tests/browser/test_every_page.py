"""Every page and its state with errors, in light and in dark: RGAA and WCAG rules, targets, width, titles."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADMIN_PASSWORD, MEMBER_PASSWORD, MakeMember, SignIn
from tests.support.json_client import JsonClient, wait_for_link
from tests.support.pages import check_in_both_lights
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PUBLIC = {
    "/": 200,
    "/bretagne/": 200,
    "/bretagne/inscription": 200,
    "/bretagne/connexion": 200,
    "/bretagne/mot-de-passe/oublie": 200,
    "/bretagne/mentions-legales": 200,
    "/bretagne/donnees-personnelles": 200,
    "/accessibilite": 200,
    "/aide": 200,
    "/aide/demander-un-compte": 200,
    "/aide/administrer-sa-region": 200,
    "/bretagne/confirmer/inconnu": 404,
    "/bretagne/rien": 404,
    "/dev/courriels": 200,
}
MEMBERS = (
    "/bretagne/",
    "/bretagne/compte",
    "/bretagne/compte/profil",
    "/bretagne/compte/adresse",
    "/bretagne/compte/sessions",
    "/bretagne/compte/donnees",
    "/bretagne/compte/fermeture",
    "/bretagne/mot-de-passe",
    "/normandie/connexion",
)
ADMINS = (
    "/bretagne/admin/comptes",
    "/bretagne/admin/comptes?status=unconfirmed",
    "/bretagne/admin/comptes?status=active",
    "/bretagne/admin/comptes?status=all",
    "/bretagne/admin/comptes?status=all&q=personne",
    "/bretagne/admin/journal",
)
# Where a form sent as it comes is a form with errors, and the button that sends it.
EMPTY_FORMS = {
    "/bretagne/inscription": "Envoyer ma demande",
    "/bretagne/connexion": "Se connecter",
    "/bretagne/mot-de-passe/oublie": "Envoyer",
}


@pytest.fixture(scope="module")
def people(admin: JsonClient, make_applicant: MakeMember, make_member: MakeMember) -> dict[str, str]:
    """One person in each state: the id of the account by its state."""
    make_applicant("a-examiner@brest.test")
    make_applicant("refusee@brest.test")
    make_member("active@brest.test")
    make_member("desactivee@brest.test")
    assert JsonClient(admin.url).ask_for_account("a-confirmer@brest.test").status_code == 201
    users = {user["mail"]: user["id"] for user in admin.call("GET", "/admin/users").json()["users"]}
    refused = admin.call("POST", f"/admin/users/{users['refusee@brest.test']}/refuse", {"reason": "Hors de la région."})
    disabled = admin.call("POST", f"/admin/users/{users['desactivee@brest.test']}/disable", {})
    assert (refused.status_code, disabled.status_code) == (200, 200)
    return users


def test_public_pages_and_their_empty_forms_are_for_everybody(served: Server, page: Page) -> None:
    for path, status in PUBLIC.items():
        answer = page.goto(served.url + path)
        assert answer is not None and answer.status == status, path
        check_in_both_lights(page)
    for path, button in EMPTY_FORMS.items():
        page.goto(served.url + path)
        page.get_by_role("main").get_by_role("button", name=button, exact=True).click()
        expect(page).to_have_title(re.compile("^Erreur : "))
        expect(page.locator("[data-error-summary]")).to_be_focused()
        check_in_both_lights(page)


def test_the_pages_of_a_request_are_for_everybody_in_each_state(
    served: Server, people: dict[str, str], sign_in: SignIn, page: Page
) -> None:
    unconfirmed = wait_for_link(served.url, "a-confirmer@brest.test", "confirmer")
    page.goto(f"{served.url}/bretagne/confirmer/{unconfirmed}")
    check_in_both_lights(page)
    used = wait_for_link(served.url, "active@brest.test", "confirmer")
    answer = page.goto(f"{served.url}/bretagne/confirmer/{used}")
    assert answer is not None and answer.status == 410
    check_in_both_lights(page)
    headings = {
        "a-examiner": "Votre demande est à l'étude",
        "refusee": "Votre demande n'a pas été acceptée",
        "active": "Votre compte est actif",
        "desactivee": "Votre compte est désactivé",
    }
    for name, heading in headings.items():
        status = f"{served.url}/bretagne/demande/{wait_for_link(served.url, f'{name}@brest.test', 'demande')}"
        page.goto(status)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        check_in_both_lights(page)
        if name == "a-examiner":
            page.get_by_role("link", name="Retirer ma demande").click()
            check_in_both_lights(page)
        if name != "active":
            sign_in(page, f"{name}@brest.test", MEMBER_PASSWORD)
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
            check_in_both_lights(page)


def test_the_pages_of_a_member_are_for_everybody(
    served: Server, people: dict[str, str], sign_in: SignIn, page: Page
) -> None:
    sign_in(page, "active@brest.test", MEMBER_PASSWORD)
    for path in MEMBERS:
        page.goto(served.url + path)
        check_in_both_lights(page)
    answer = page.goto(f"{served.url}/bretagne/admin/comptes")
    assert answer is not None and answer.status == 403
    check_in_both_lights(page)


def test_the_pages_of_an_administrator_are_for_everybody(
    served: Server, admin: JsonClient, people: dict[str, str], sign_in: SignIn, page: Page
) -> None:
    sign_in(page, served.first_admin()["mail"], ADMIN_PASSWORD)
    for path in (*ADMINS, *(f"/bretagne/admin/comptes/{identifier}" for identifier in people.values())):
        page.goto(served.url + path)
        check_in_both_lights(page)
    page.goto(f"{served.url}/bretagne/admin/comptes/{people['a-examiner@brest.test']}")
    page.get_by_role("button", name="Refuser la demande").click()
    expect(page).to_have_title(re.compile("^Erreur : "))
    check_in_both_lights(page)
    page.goto(f"{served.url}/dev/courriels")
    page.get_by_role("link", name="Confirmez votre adresse").first.click()
    check_in_both_lights(page)


def test_the_pages_that_mails_lead_to_are_for_everybody(served: Server, make_member: MakeMember, page: Page) -> None:
    mail = "liens@brest.test"
    member = make_member(mail)
    member.sign_in(mail, MEMBER_PASSWORD)
    asked = member.call("POST", "/user/mail", {"mail": "liens2@brest.test", "password": MEMBER_PASSWORD})
    assert asked.status_code == 202, asked.text
    new_password = "casserole hibou 58 marée lente"
    changed = member.call("PUT", "/user/password", {"password": MEMBER_PASSWORD, "new_password": new_password})
    assert changed.status_code == 204, changed.text
    ways = {"pas-moi": wait_for_link(served.url, mail, "pas-moi")}
    ways["adresse"] = wait_for_link(served.url, "liens2@brest.test", "adresse")
    assert member.call("DELETE", "/user", {"password": new_password}).status_code == 204
    ways["reprendre"] = wait_for_link(served.url, mail, "reprendre")
    for path, token in ways.items():
        for end in (token, "inconnu"):
            page.goto(f"{served.url}/bretagne/{path}/{end}")
            check_in_both_lights(page)


def test_the_pages_after_sending_are_for_everybody(served: Server, page: Page) -> None:
    page.goto(f"{served.url}/bretagne/mot-de-passe/oublie")
    page.get_by_label("Adresse électronique (obligatoire)").fill("inconnue@brest.test")
    page.get_by_role("main").get_by_role("button", name="Envoyer", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
    check_in_both_lights(page)
    page.goto(f"{served.url}/bretagne/inscription")
    page.get_by_label("Prénom (obligatoire)").fill("Jeanne")
    page.get_by_label("Nom (obligatoire)", exact=True).fill("Le Goff")
    page.get_by_label("Adresse électronique professionnelle (obligatoire)").fill("envoyee@brest.test")
    page.get_by_label("Organisation (obligatoire)").fill("Brest métropole")
    page.get_by_label("J'ai lu l'information sur mes données personnelles (obligatoire)").check()
    page.get_by_role("button", name="Envoyer ma demande").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
    check_in_both_lights(page)
    page.get_by_role("link", name="Adresse mal saisie ?").click()
    check_in_both_lights(page)
