"""The pictures of the guides and of the README: taken from the site itself, on the way that the guides describe.

`make pictures` (RENEW=pictures) writes them anew. Otherwise the way is gone all the same, so that it still leads to
each picture, and nothing is written.
"""

import base64
import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from terristory.settings import PROJECT_ROOT
from tests.browser.conftest import ADMIN_PASSWORD, MEMBER_PASSWORD, SignIn
from tests.support.json_client import JsonClient, wait_for_link
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

RENEWING = os.environ.get("RENEW") == "pictures"
GUIDES = PROJECT_ROOT / "static" / "images" / "aide"
README = PROJECT_ROOT / "docs" / "images" / "admin.png"
# Width and height in pixels of the page, and pixels of the picture for one of them: sharp enough to read, light enough
# to send.
NARROW, TALL, WIDE = (640, 600, 1.5), (640, 760, 1.5), (1200, 900, 1.2)
CLIMATE = "Suivre notre plan climat et comparer nos consommations avec celles des EPCI voisins."
BUILDINGS = "Nous accompagnons 24 communes et préparons les bilans de leurs bâtiments."
AGENCY = "Agence locale de l'énergie et du climat de Bretagne Sud"
APPLICANTS = (
    ("Jeanne", "Le Goff", "jeanne.legoff@brest-metropole.test", "Brest métropole", CLIMATE),
    ("Yann", "Kerbrat", "yann.kerbrat@morlaix.test", "Morlaix Communauté", ""),
    ("Fatou", "N'Diaye-Le Bihan", "f.ndiaye@agence-energie-du-pays-de-lorient.test", AGENCY, BUILDINGS),
    ("Paul", "Martin", "paul.martin1987@gmail.test", "Particulier", "Par curiosité"),
)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        locale="fr-FR", color_scheme="light", reduced_motion="reduce", viewport={"width": 640, "height": 900}
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def take(page: Page, name: str, size: tuple[int, int, float]) -> None:
    """Take the top of the page's main part as a picture of a guide."""
    width, height, scale = size
    # Tall, so that what sticks to the bottom of the window stays out of the picture.
    page.set_viewport_size({"width": width, "height": 1800})
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    top = page.locator("main").bounding_box()
    assert top is not None
    if not RENEWING:
        return
    clip = {"x": 0, "y": max(top["y"] - 12, 0), "width": width, "height": height, "scale": scale}
    shot = {"format": "webp", "quality": 62, "clip": clip, "captureBeyondViewport": True}
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", shot)
    GUIDES.mkdir(parents=True, exist_ok=True)
    (GUIDES / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


def fill_in_the_request(page: Page, url: str, mail: str) -> None:
    """Answer the questions of somebody who asks for an account."""
    page.goto(f"{url}/bretagne/inscription")
    page.get_by_label("Prénom (obligatoire)").fill("Anaïs")
    page.get_by_label("Nom (obligatoire)", exact=True).fill("Le Bris")
    page.get_by_label("Adresse électronique professionnelle (obligatoire)").fill(mail)
    page.get_by_label("Organisation (obligatoire)").fill("Quimper Bretagne Occidentale")
    page.get_by_label("J'ai lu l'information sur mes données personnelles (obligatoire)").check()


def test_the_way_of_a_request_in_pictures(served: Server, admin: JsonClient, sign_in: SignIn, page: Page) -> None:
    url, mail = served.url, "anais.lebris@quimper.test"
    served.command("regions", "set", "bretagne", "--contact", "contact@bretagne.example", "--delai", "sous cinq jours")
    fill_in_the_request(page, url, mail)
    take(page, "inscription", TALL)
    page.get_by_role("button", name="Envoyer ma demande").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Consultez votre messagerie")
    take(page, "envoyee", TALL)
    page.goto(f"{url}/bretagne/confirmer/{wait_for_link(url, mail, 'confirmer')}")
    take(page, "confirmer", TALL)
    page.get_by_label("Créez un mot de passe (obligatoire)").fill(MEMBER_PASSWORD)
    page.get_by_role("button", name="Confirmer mon adresse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Votre demande est à l'étude")
    page.goto(f"{url}/bretagne/demande/{wait_for_link(url, mail, 'demande')}")
    take(page, "etude", NARROW)
    found = admin.call("GET", f"/admin/users?q={mail}").json()["users"][0]["id"]
    assert admin.call("POST", f"/admin/users/{found}/activate", {}).status_code == 200
    page.goto(f"{url}/bretagne/connexion")
    take(page, "connexion", NARROW)
    sign_in(page, mail, MEMBER_PASSWORD)
    page.goto(f"{url}/bretagne/compte")
    take(page, "compte", NARROW)


def test_the_way_of_a_decision_in_pictures(served: Server, admin: JsonClient, sign_in: SignIn, page: Page) -> None:
    url = served.url
    for prenom, nom, mail, organisation, motif in APPLICANTS:
        person = JsonClient(url)
        said = {"prenom": prenom, "nom": nom, "organisation": organisation, "motif": motif}
        assert person.ask_for_account(mail, **said).status_code == 201
        token = wait_for_link(url, mail, "confirmer")
        answer = person.call("POST", "/user/confirm", {"token": token, "password": MEMBER_PASSWORD})
        assert answer.status_code == 204, answer.text
    sign_in(page, served.first_admin()["mail"], ADMIN_PASSWORD)
    page.goto(f"{url}/bretagne/admin/comptes")
    for name in ("Jeanne Le Goff", "Yann Kerbrat"):
        page.get_by_label(f"Sélectionner {name}").check()
    take(page, "demandes", WIDE)
    page.set_viewport_size({"width": 1280, "height": 1500})
    if RENEWING:
        page.screenshot(path=README, full_page=True)
    page.get_by_role("button", name="Refuser la sélection").click()
    take(page, "selection", WIDE)
    page.get_by_role("link", name="Annuler").click()
    page.get_by_role("link", name="Jeanne Le Goff").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jeanne Le Goff")
    take(page, "demande", WIDE)
    page.goto(f"{url}/bretagne/admin/journal")
    take(page, "journal", WIDE)
