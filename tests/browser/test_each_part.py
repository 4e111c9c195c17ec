"""Each part of the service by keyboard alone, and without JavaScript: the same ways to the same ends."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.account_way import look_after_ones_account, say_it_was_not_me
from tests.browser.conftest import MakeMember
from tests.browser.desk_way import decide_on_several, decide_one_by_one, find_in_the_list
from tests.browser.request_way import ask_for_an_account_and_withdraw
from tests.support.hands import Keyboard, Mouse
from tests.support.json_client import JsonClient
from tests.support.pages import watched_page
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
BY_KEYBOARD, WITHOUT_SCRIPT = "by keyboard alone", "without JavaScript"
WINDOWS: dict[str, dict[str, Any]] = {
    # Nothing moves while the focus is looked for.
    BY_KEYBOARD: {"reduced_motion": "reduce", "viewport": {"width": 1280, "height": 800}},
    WITHOUT_SCRIPT: {"java_script_enabled": False},
}


@pytest.fixture(params=WINDOWS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(chromium: Browser, way: str) -> Iterator[Page]:
    context = chromium.new_context(locale="fr-FR", **WINDOWS[way])
    context.set_default_timeout(15_000)
    with watched_page(context) as page:
        yield page
    context.close()


@pytest.fixture
def hands(page: Page, way: str) -> Keyboard | Mouse:
    """By keyboard nothing is clicked, and the focus is seen wherever it goes."""
    return Keyboard(page) if way == BY_KEYBOARD else Mouse(page)


def test_a_request_is_made_confirmed_followed_printed_and_withdrawn(
    served: Server, page: Page, hands: Keyboard | Mouse, way: str
) -> None:
    # Only the button is tried here; what it prints is looked at in the print style.
    page.add_init_script("window.print = () => { document.documentElement.dataset.printed = 'yes'; }")
    ask_for_an_account_and_withdraw(page, hands, served.url, scripts=way == BY_KEYBOARD)


def test_requests_are_decided_from_the_mail_on_one_after_the_other(
    served: Server, page: Page, hands: Keyboard | Mouse, admin: JsonClient, make_member: MakeMember
) -> None:
    decide_one_by_one(page, hands, served, admin, make_member)


def test_a_list_is_searched_sorted_turned_exported_and_decided_on(
    served: Server, page: Page, hands: Keyboard | Mouse, admin: JsonClient
) -> None:
    find_in_the_list(page, hands, served)
    decide_on_several(page, hands, served, admin)


def test_an_account_is_looked_after_closed_taken_back_and_protected(
    served: Server, page: Page, hands: Keyboard | Mouse, make_member: MakeMember
) -> None:
    look_after_ones_account(page, hands, served.url, make_member)
    say_it_was_not_me(page, hands, served.url)


@pytest.mark.parametrize("way", [BY_KEYBOARD])
def test_the_first_stop_is_the_way_past_the_navigation(served: Server, page: Page, way: str) -> None:
    page.goto(f"{served.url}/bretagne/connexion")
    Keyboard(page).reach("Aller au contenu", most=1)
    page.keyboard.press("Enter")
    Keyboard(page).reach("Adresse électronique (obligatoire)", most=1)
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="English")).to_be_focused()
