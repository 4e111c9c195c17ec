"""A real browser reads hostile texts wherever they are shown: no dialog opens, no policy is broken."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.support.json_client import PASSWORD, JsonClient
from tests.support.pages import watched_page
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</textarea></title></style><script>alert(1)</script>",
    "javascript:alert(1)//",
    "{{7*7}}${7*7}<%= 7*7 %>",
    '<iframe srcdoc="<script>parent.alert(1)</script>">',
]
NOTICE = """
window.violations = [];
document.addEventListener('securitypolicyviolation', event => window.violations.push(event.blockedURI));
"""


def test_hostile_texts_open_no_dialog_and_break_no_policy(
    make_server: Callable[..., Server], browser_context: BrowserContext
) -> None:
    server = make_server(RATE_LIMITS=False)
    first = server.first_admin()
    base = f"{server.url}/{first['region']}"
    admin = JsonClient(server.url, first["region"])
    admin.sign_in_first_time(first["mail"], first["temporary password"], PASSWORD)
    person = JsonClient(server.url, first["region"])
    for number, payload in enumerate(PAYLOADS):
        more = {name: payload for name in ("organisation", "fonction", "territoire", "motif")}
        assert person.ask_for_account(f"p{number}@brest.test", **more).status_code == 201
    dialogs: list[str] = []
    browser_context.add_init_script(NOTICE)
    with watched_page(browser_context) as page:
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(f"{base}/connexion")
        page.get_by_label("Adresse électronique (obligatoire)").fill(first["mail"])
        page.get_by_label("Mot de passe (obligatoire)", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        page.wait_for_url("**/admin/comptes*")
        users = admin.call("GET", "/admin/users?status=unconfirmed").json()["users"]
        assert len(users) == len(PAYLOADS)
        places = [f"{base}/admin/comptes?status=all", *(f"{base}/admin/comptes/{user['id']}" for user in users)]
        for place in [*places, f"{server.url}/dev/courriels"]:
            page.goto(place)
            assert page.evaluate("() => window.violations") == [], place
            page.wait_for_timeout(100)
        page.goto(f"{server.url}/dev/courriels")
        for place in {link.get_attribute("href") for link in page.locator("main a[href^='/dev/courriels/']").all()}:
            page.goto(f"{server.url}{place}")
            assert page.evaluate("() => window.violations") == [], place
        for user in users:
            page.goto(f"{base}/admin/comptes/{user['id']}")
            assert user["motif"] in page.get_by_role("main").inner_text()
        for payload in PAYLOADS:
            page.goto(f"{base}/admin/comptes?status=all")
            page.locator("#q").fill(payload)
            page.locator("#q").press("Enter")
            page.wait_for_load_state()
            assert page.evaluate("() => window.violations") == [], payload
            assert page.locator("#q").input_value() == payload
    assert dialogs == []
