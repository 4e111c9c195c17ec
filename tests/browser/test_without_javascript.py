"""Each part of the service without JavaScript: the same ways to the same ends."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.account_way import look_after_ones_account, say_it_was_not_me
from tests.browser.conftest import MakeMember
from tests.browser.desk_way import decide_on_several, decide_one_by_one, find_in_the_list
from tests.browser.request_way import ask_for_an_account_and_withdraw
from tests.support.hands import Mouse
from tests.support.json_client import JsonClient
from tests.support.pages import watched_page
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="fr-FR", java_script_enabled=False)
    context.set_default_timeout(15_000)
    with watched_page(context) as page:
        yield page
    context.close()


def test_a_request_is_made_confirmed_followed_printed_and_withdrawn(served: Server, page: Page) -> None:
    ask_for_an_account_and_withdraw(page, Mouse(page), served.url, scripts=False)


def test_requests_are_decided_from_the_mail_on_one_after_the_other(
    served: Server, page: Page, admin: JsonClient, make_member: MakeMember
) -> None:
    decide_one_by_one(page, Mouse(page), served, admin, make_member)


def test_a_list_is_searched_sorted_turned_exported_and_decided_on(
    served: Server, page: Page, admin: JsonClient
) -> None:
    find_in_the_list(page, Mouse(page), served)
    decide_on_several(page, Mouse(page), served, admin)


def test_an_account_is_looked_after_closed_taken_back_and_protected(
    served: Server, page: Page, make_member: MakeMember
) -> None:
    look_after_ones_account(page, Mouse(page), served.url, make_member)
    say_it_was_not_me(page, Mouse(page), served.url)
