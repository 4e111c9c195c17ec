"""What is the same on every page is written once: it must not be the wrong region's, language's or visitor's."""

import re

import pytest

from terristory.database import transaction
from terristory.regions.lookup import find_region
from tests.support.client import CheckedClient
from tests.support.people import an_account
from tests.support.sign_in import MAIL, by_page, hidden, text


def head_and_foot(client: CheckedClient, path: str, query: str = "") -> str:
    page = client.get(f"{path}{query}").get_data(as_text=True)
    found = re.search(r"<header.*?</header>", page, re.DOTALL), re.search(r"<footer.*?</footer>", page, re.DOTALL)
    assert all(found)
    return "".join(part.group() for part in found if part)


def test_each_region_has_its_own_whatever_was_shown_before(client: CheckedClient) -> None:
    for key, nom in [("bretagne", "Bretagne"), ("corse", "Corse"), ("bretagne", "Bretagne")]:
        shown = head_and_foot(client, f"/{key}/connexion")
        assert f'href="/{key}/"' in shown and f"TerriSTORY {nom}" in shown
        assert {link.split("/")[1] for link in re.findall(r'href="(/[a-z-]+/[a-z-]*)', shown)} <= {key, "static"}


def test_each_language_has_its_own_whatever_was_shown_before(client: CheckedClient) -> None:
    for langue, words in [("fr", "Mentions légales"), ("en", "Legal notice"), ("fr", "Mentions légales")]:
        assert words in head_and_foot(client, "/bretagne/inscription", f"?lang={langue}")


def test_each_page_marks_itself_in_the_menu(client: CheckedClient) -> None:
    for path, words in [("connexion", "Se connecter"), ("inscription", "Demander un compte")]:
        marked = re.findall(r'aria-current="page">([^<]+)<', head_and_foot(client, f"/bretagne/{path}"))
        assert marked == [words]


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [("contact", "aide@bretagne.example", "mailto:aide@bretagne.example"), ("nom", "Breizh <b>", "Breizh &lt;b&gt;")],
)
def test_what_a_region_changes_is_shown_at_once(client: CheckedClient, field: str, value: str, shown: str) -> None:
    assert shown not in head_and_foot(client, "/bretagne/connexion")
    with transaction():
        setattr(find_region("bretagne"), field, value)
    assert shown in head_and_foot(client, "/bretagne/connexion")


def test_the_menu_of_somebody_signed_in_reaches_nobody_else(client: CheckedClient) -> None:
    an_account(MAIL)
    before = head_and_foot(client, "/bretagne/")
    by_page(client)
    assert "Mon compte" in head_and_foot(client, "/bretagne/")
    assert "Se connecter" not in head_and_foot(client, "/bretagne/")
    client.post("/bretagne/deconnexion", data={"csrf_token": hidden(text(client.get("/bretagne/")), "csrf_token")})
    assert head_and_foot(client, "/bretagne/") == before
