"""The administrators' pages in a real browser: accessible, within their width, without a complaint."""

import pytest
from playwright.sync_api import expect

from tests.support.json_client import JsonClient, mails_of, wait_for_link
from tests.support.pages import check_page, watched_page

pytestmark = pytest.mark.browser
PASSWORD = "moulin orage boussole 3 tiroirs"
MAIL = "jeanne.legoff@brest.test"


def test_every_admin_page_is_accessible_and_the_queue_works_by_keyboard_labels(make_server, browser_context):
    server = make_server(RATE_LIMITS=False, CAPTCHA_COST=1)
    first = server.first_admin()
    admin = JsonClient(server.url, first["region"])
    admin.sign_in_first_time(first["mail"], first["temporary password"], PASSWORD)
    person = JsonClient(server.url, first["region"])
    person.ask_for_account(MAIL, motif="Pour le plan climat")
    token = wait_for_link(server.url, MAIL, "confirmer")
    assert person.call("POST", "/user/confirm", {"token": token, "password": PASSWORD + " 2"}).status_code == 204
    base = f"{server.url}/{first['region']}"
    with watched_page(browser_context) as page:
        page.goto(f"{base}/connexion")
        page.locator("input[name=login]").fill(first["mail"])
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Se connecter").click()
        for path in ("/admin/comptes", "/admin/comptes?status=all&q=le+goff", "/admin/journal"):
            page.goto(base + path)
            check_page(page)
        page.goto(f"{base}/admin/comptes")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 718, "height": 1000})  # a sheet of A4 within its margins
        expect(page.get_by_role("columnheader", name="Personne")).to_be_in_viewport()
        assert page.get_by_role("row").nth(1).evaluate("row => getComputedStyle(row).display") == "table-row"
        expect(page.get_by_label("Sélectionner Jeanne Le Goff")).to_be_hidden()
        page.emulate_media(media="screen")
        page.set_viewport_size({"width": 1280, "height": 800})
        page.get_by_label("Sélectionner Jeanne Le Goff").check()
        page.get_by_role("button", name="Refuser la sélection").click()
        check_page(page)
        page.get_by_role("button", name="Confirmer").click()
        check_page(page)
        page.get_by_label("Motif du refus (obligatoire)").fill("Hors de la région.")
        page.get_by_role("button", name="Confirmer").click()
        expect(page.get_by_role("main")).to_contain_text("Refuser : 1 sur 1.")
        check_page(page)
        page.get_by_role("link", name="Jeanne Le Goff").click()
        expect(page.get_by_role("main")).to_contain_text("Hors de la région.")
        check_page(page)
    assert any("Hors de la région" in text for text in mails_of(server.url, MAIL))
