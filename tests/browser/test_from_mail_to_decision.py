"""How many clicks lie between an administrator's mail and a decision: what docs/administration.md says."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ADMIN_PASSWORD
from tests.browser.desk_way import account_of, ask, sign_in
from tests.browser.request_way import heading_is
from tests.support.components import wait_until
from tests.support.hands import Mouse
from tests.support.json_client import JsonClient, mails_of
from tests.support.pages import watched_page
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def open_newest_mail(page: Page, served: Server, link: str) -> None:
    """Read the newest mail to the administrator, which must hold this link."""
    me = served.first_admin()["mail"]
    wait_until(lambda: any(link in text for text in mails_of(served.url, me)), what=f"a mail with {link}")
    page.goto(f"{served.url}/dev/courriels")
    page.get_by_role("row").filter(has_text=me).first.get_by_role("link").click()
    expect(page.get_by_role("link", name=link, exact=True)).to_be_visible()


def test_two_clicks_and_the_sign_in_let_somebody_in_and_two_the_next(
    served: Server, admin: JsonClient, browser_context: BrowserContext
) -> None:
    me = served.first_admin()["mail"]
    with watched_page(browser_context) as page:
        clicks = {}
        for nom in ("Premier", "Second"):
            link = f"{served.url}/bretagne/admin/comptes/{account_of(admin, ask(served.url, nom))}"
            open_newest_mail(page, served, link)
            mouse = Mouse(page)
            mouse.press(link)
            if nom == "Premier":
                sign_in(page, mouse, me, ADMIN_PASSWORD)
            heading_is(page, f"Jeanne {nom}")
            mouse.press("Valider le compte")
            expect(page.get_by_role("status").first).to_contain_text(f"Compte de Jeanne {nom} validé.")
            clicks[nom] = mouse.clicks
    # The link, « Se connecter », « Valider le compte »; then without the sign-in.
    assert clicks == {"Premier": 3, "Second": 2}
