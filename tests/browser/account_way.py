"""The way of somebody who has an account: change it, take its data away, close it and come back, protect it."""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import MEMBER_PASSWORD, MakeMember
from tests.browser.desk_way import sign_in
from tests.browser.request_way import heading_is
from tests.support.hands import Hands
from tests.support.json_client import JsonClient, wait_for_link

OLD, MAIL = "avant@lannion.test", "apres@lannion.test"
PASSWORD = "casserole hibou 58 marée lente"
CURRENT = "Mot de passe actuel (obligatoire)"


def look_after_ones_account(page: Page, hands: Hands, url: str, make_member: MakeMember) -> None:
    """Change the profile, the password and the address; end sessions; take the data away; close, and come back."""
    make_member(OLD)
    page.goto(f"{url}/bretagne/compte")
    sign_in(page, hands, OLD, MEMBER_PASSWORD)
    heading_is(page, "Mon compte")
    _change_profile_password_and_address(page, hands, url)
    _end_sessions(page, hands, url)
    _take_the_data_away(page, hands)
    _close_and_come_back(page, hands, url)


def _change_profile_password_and_address(page: Page, hands: Hands, url: str) -> None:
    hands.press("Modifier : Fonction")
    hands.write("Fonction (facultatif)", "Chargée de mission")
    hands.press("Enregistrer")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    hands.tick("Je confirme ces changements (obligatoire)")
    hands.press("Enregistrer")
    expect(page.get_by_role("status")).to_contain_text("Votre profil est enregistré.")
    hands.press("Modifier : Mot de passe")
    hands.write(CURRENT, MEMBER_PASSWORD)
    hands.write("Nouveau mot de passe (obligatoire)", PASSWORD)
    hands.press("Enregistrer le nouveau mot de passe")
    expect(page.get_by_role("status")).to_contain_text("Votre nouveau mot de passe est enregistré.")
    hands.press("Modifier : Adresse électronique")
    hands.write("Nouvelle adresse électronique (obligatoire)", MAIL)
    hands.write(CURRENT, PASSWORD)
    hands.press("Envoyer le message de confirmation")
    expect(page.get_by_role("status")).to_contain_text("votre adresse sera alors changée")
    page.goto(f"{url}/bretagne/adresse/{wait_for_link(url, MAIL, 'adresse')}")
    hands.press("Confirmer cette adresse")
    heading_is(page, "Mon compte")
    expect(page.get_by_role("main")).to_contain_text(MAIL)


def _end_sessions(page: Page, hands: Hands, url: str) -> None:
    elsewhere = [JsonClient(url), JsonClient(url)]
    for client, device in zip(elsewhere, ("Tablette", "Bureau"), strict=True):
        client.sign_in(MAIL, PASSWORD, device=device)
    hands.press("Voir et fermer mes sessions")
    hands.press("Fermer la session : Tablette")
    expect(page.get_by_role("status")).to_contain_text("La session est fermée.")
    assert [client.call("GET", "/auth/me").status_code for client in elsewhere] == [401, 200]
    hands.write(CURRENT, PASSWORD)
    hands.press("Fermer toutes les autres sessions")
    expect(page.get_by_text("Aucune autre session.")).to_be_visible()
    assert elsewhere[1].call("GET", "/auth/me").status_code == 401
    hands.press("Retour à mon compte")


def _take_the_data_away(page: Page, hands: Hands) -> None:
    hands.press("Voir et emporter mes données")
    heading_is(page, "Mes données")
    expect(page.get_by_role("main")).to_contain_text("Suivre notre plan climat.")
    expect(page.get_by_role("main")).to_contain_text("Tablette")
    with page.expect_download() as waiting:
        hands.press("Télécharger mes données")
    assert MAIL in json.dumps(json.loads(Path(waiting.value.path()).read_text()))
    hands.press("Retour à mon compte")


def _close_and_come_back(page: Page, hands: Hands, url: str) -> None:
    hands.press("Fermer mon compte")
    hands.write(CURRENT, PASSWORD)
    hands.tick("J'ai compris que mes données seront effacées (obligatoire)")
    hands.press("Fermer mon compte")
    expect(page.get_by_role("status")).to_contain_text("Votre compte est fermé.")
    page.goto(f"{url}/bretagne/reprendre/{wait_for_link(url, MAIL, 'reprendre')}")
    hands.press("Reprendre mon compte")
    expect(page.get_by_role("status")).to_contain_text("Votre compte est de nouveau ouvert.")
    sign_in(page, hands, MAIL, PASSWORD)
    expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()


def say_it_was_not_me(page: Page, hands: Hands, url: str) -> None:
    """Open the link of the mail about a changed password: a page with a button, and its button protects the account."""
    page.goto(f"{url}/bretagne/pas-moi/{wait_for_link(url, OLD, 'pas-moi')}")
    heading_is(page, "Ce n'était pas vous ?")
    expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()
    hands.press("Protéger mon compte")
    heading_is(page, "Votre compte est protégé")
    page.goto(f"{url}/bretagne/compte")
    sign_in(page, hands, MAIL, PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("L'adresse électronique ou le mot de passe est incorrect.")
