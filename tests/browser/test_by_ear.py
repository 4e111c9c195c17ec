"""What somebody hears who never sees the screen: titles, messages and boxes, as the accessibility tree tells them."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADMIN_PASSWORD, SignIn
from tests.browser.desk_way import account_of, ask
from tests.support.json_client import JsonClient
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def heard_state(page: Page, label: str) -> object:
    """Whether the browser says of this control that it holds something wrong."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    node = next(node for node in tree["nodes"] if node.get("name", {}).get("value") == label and "properties" in node)
    return {item["name"]: item["value"].get("value") for item in node["properties"]}.get("invalid")


def test_a_box_is_not_called_wrong_before_anything_was_sent(served: Server, page: Page) -> None:
    box = "J'ai lu l'information sur mes données personnelles (obligatoire)"
    page.goto(f"{served.url}/bretagne/inscription")
    assert heard_state(page, box) == "false"
    page.get_by_role("button", name="Envoyer ma demande").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    assert heard_state(page, box) == "true"


def test_after_a_decision_its_message_has_the_focus_and_tab_goes_on_from_there(
    served: Server, admin: JsonClient, page: Page, sign_in: SignIn
) -> None:
    first = account_of(admin, ask(served.url, "Entendu"))
    ask(served.url, "Ensuite")
    sign_in(page, served.first_admin()["mail"], ADMIN_PASSWORD)
    page.goto(f"{served.url}/bretagne/admin/comptes/{first}")
    page.get_by_role("button", name="Valider le compte").press("Enter")
    message = page.get_by_role("status").first
    expect(message).to_contain_text("Compte de Jeanne Entendu validé.")
    expect(message).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("link").first).to_be_focused()


def test_lists_have_titles_of_their_own(served: Server, admin: JsonClient, page: Page, sign_in: SignIn) -> None:
    sign_in(page, served.first_admin()["mail"], ADMIN_PASSWORD)
    titles = set()
    queries = ("", "?status=unconfirmed", "?status=active", "?status=all", "?status=all&q=personne")
    for query in queries:
        page.goto(f"{served.url}/bretagne/admin/comptes{query}")
        titles.add(page.title())
    assert len(titles) == len(queries), titles
