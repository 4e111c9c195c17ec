"""Each part of the service by keyboard alone: nothing is clicked, and the focus is seen wherever it goes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.account_way import look_after_ones_account, say_it_was_not_me
from tests.browser.conftest import MakeMember
from tests.browser.desk_way import decide_on_several, decide_one_by_one, find_in_the_list
from tests.browser.request_way import ask_for_an_account_and_withdraw
from tests.support.hands import Keyboard
from tests.support.json_client import JsonClient
from tests.support.pages import watched_page
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    # Nothing moves while the focus is looked for.
    context = chromium.new_context(locale="fr-FR", reduced_motion="reduce", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    with watched_page(context) as page:
        yield page
    context.close()


def test_a_request_is_made_confirmed_followed_printed_and_withdrawn(served: Server, page: Page) -> None:
    # Only the button is tried here; what it prints is looked at in the print style.
    page.add_init_script("window.print = () => { document.documentElement.dataset.printed = 'yes'; }")
    ask_for_an_account_and_withdraw(page, Keyboard(page), served.url, scripts=True)


def test_requests_are_decided_from_the_mail_on_one_after_the_other(
    served: Server, page: Page, admin: JsonClient, make_member: MakeMember
) -> None:
    decide_one_by_one(page, Keyboard(page), served, admin, make_member)


def test_a_list_is_searched_sorted_turned_exported_and_decided_on(
    served: Server, page: Page, admin: JsonClient
) -> None:
    find_in_the_list(page, Keyboard(page), served)
    decide_on_several(page, Keyboard(page), served, admin)


def test_an_account_is_looked_after_closed_taken_back_and_protected(
    served: Server, page: Page, make_member: MakeMember
) -> None:
    look_after_ones_account(page, Keyboard(page), served.url, make_member)
    say_it_was_not_me(page, Keyboard(page), served.url)


def test_the_first_stop_is_the_way_past_the_navigation(served: Server, page: Page) -> None:
    page.goto(f"{served.url}/bretagne/connexion")
    Keyboard(page).reach("Aller au contenu", most=1)
    page.keyboard.press("Enter")
    Keyboard(page).reach("Adresse électronique (obligatoire)", most=1)
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="English")).to_be_focused()
