"""The way of an applicant: ask, resend, take up again, confirm, follow, print, withdraw."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import MEMBER_PASSWORD
from tests.support.hands import Hands
from tests.support.json_client import wait_for_link

MAIL = "nolwenn.ledantec@quimper.test"


def heading_is(page: Page, text: str) -> None:
    """Wait for the page of this heading."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def let_the_ticket_ripen(page: Page, *, scripts: bool) -> None:
    """Without script a form counts a moment after it was first shown (NO_SCRIPT_WAIT_SECONDS)."""
    if not scripts:
        page.wait_for_timeout(1100)


def ask_for_an_account_and_withdraw(page: Page, hands: Hands, url: str, *, scripts: bool) -> None:
    """Go the whole way of a request that is withdrawn in the end."""
    page.goto(f"{url}/bretagne/")
    hands.press("Demander un compte")
    heading_is(page, "Demander un compte")
    hands.press("Envoyer ma demande")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    hands.write("Prénom (obligatoire)", "Nolwenn")
    hands.write("Nom (obligatoire)", "Le Dantec")
    hands.write("Adresse électronique professionnelle (obligatoire)", MAIL)
    hands.write("Organisation (obligatoire)", "Quimper Bretagne Occidentale")
    hands.write("Pourquoi demandez-vous un compte ? (facultatif)", "Suivre notre plan climat.")
    hands.tick("J'ai lu l'information sur mes données personnelles (obligatoire)")
    let_the_ticket_ripen(page, scripts=scripts)
    hands.press("Envoyer ma demande")
    heading_is(page, "Consultez votre messagerie")
    let_the_ticket_ripen(page, scripts=scripts)
    hands.press("Renvoyer le message")
    expect(page.get_by_role("status").first).to_contain_text("un nouveau message vient de lui être envoyé")
    hands.press("Adresse mal saisie ? Reprendre ma demande")
    expect(page.get_by_label("Prénom (obligatoire)")).to_have_value("Nolwenn")
    expect(page.get_by_label("Adresse électronique professionnelle (obligatoire)")).to_have_value(MAIL)
    _confirm(page, hands, url)
    _follow_and_withdraw(page, hands, scripts=scripts)


def _confirm(page: Page, hands: Hands, url: str) -> None:
    page.goto(f"{url}/bretagne/confirmer/{wait_for_link(url, MAIL, 'confirmer')}")
    heading_is(page, "Confirmez votre adresse")
    hands.write("Créez un mot de passe (obligatoire)", "azertyuiop12")
    hands.press("Confirmer mon adresse")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    hands.write("Créez un mot de passe (obligatoire)", MEMBER_PASSWORD)
    hands.press("Confirmer mon adresse")
    expect(page.get_by_role("status")).to_contain_text("Adresse confirmée")


def _follow_and_withdraw(page: Page, hands: Hands, *, scripts: bool) -> None:
    heading_is(page, "Votre demande est à l'étude")
    expect(page.locator("[aria-current=step]")).to_contain_text("Validation par la région")
    hands.press("Actualiser")
    expect(page.get_by_role("status")).to_have_count(0)
    if scripts:
        hands.press("Imprimer")
        expect(page.locator("html")).to_have_attribute("data-printed", "yes")
    else:
        expect(page.get_by_role("button", name="Imprimer")).to_have_count(0)
    page.emulate_media(media="print")
    expect(page.get_by_text("Quimper Bretagne Occidentale")).to_be_visible()
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.get_by_role("link", name="Retirer ma demande")).to_have_count(0)
    page.emulate_media(media="screen")
    hands.press("Retirer ma demande")
    heading_is(page, "Retirer ma demande")
    hands.press("Retirer ma demande")
    expect(page.get_by_role("status")).to_contain_text("Votre demande est retirée et ses données sont effacées.")
