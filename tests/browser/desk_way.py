"""The way of an administrator: from the mail to a decision and to the next one; the list; several at once."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import ADMIN_PASSWORD, MEMBER_PASSWORD, MakeMember
from tests.browser.request_way import heading_is
from tests.support.hands import Hands
from tests.support.json_client import JsonClient, mails_of, wait_for_link
from tests.support.server import Server

REASON = "Motif du refus (obligatoire) – ce texte sera envoyé au demandeur"
SEARCH = "Nom, adresse ou organisation"


def sign_in(page: Page, hands: Hands, mail: str, password: str) -> None:
    """Sign in on the page that asks for it."""
    heading_is(page, "Se connecter")
    hands.write("Adresse électronique (obligatoire)", mail)
    hands.write("Mot de passe (obligatoire)", password)
    hands.press("Se connecter")


def ask(url: str, nom: str, *, organisation: str = "Brest métropole", confirmed: bool = True) -> str:
    """Ask for an account in this name, and confirm its address; return the address."""
    mail, client = f"{nom.lower()}@brest.test", JsonClient(url)
    assert client.ask_for_account(mail, nom=nom, organisation=organisation).status_code == 201
    if confirmed:
        token = wait_for_link(url, mail, "confirmer")
        assert client.call("POST", "/user/confirm", {"token": token, "password": MEMBER_PASSWORD}).status_code == 204
    return mail


def account_of(admin: JsonClient, mail: str) -> str:
    """The id of the account that has this address."""
    return str(admin.call("GET", f"/admin/users?q={mail}").json()["users"][0]["id"])


def second_admin(admin: JsonClient, make_member: MakeMember) -> JsonClient:
    """Another administrator of the region, signed in."""
    mail = "seconde.admin@region.test"
    another = make_member(mail)
    assert admin.call("POST", f"/admin/users/{account_of(admin, mail)}/role", {"role": "admin"}).status_code == 200
    another.sign_in(mail, MEMBER_PASSWORD)
    return another


def decide_one_by_one(page: Page, hands: Hands, served: Server, admin: JsonClient, make_member: MakeMember) -> None:
    """Open the mail's link, sign in, let in, go on to the next, refuse it, meet another administrator's decision."""
    url, me = served.url, served.first_admin()["mail"]
    another = second_admin(admin, make_member)
    ask(url, "Premier")
    link = wait_for_link(url, me, "admin/comptes")
    refused, taken = ask(url, "Suivant"), ask(url, "Dernier")
    page.goto(f"{url}/bretagne/admin/comptes/{link}")
    sign_in(page, hands, me, ADMIN_PASSWORD)
    heading_is(page, "Jeanne Premier")
    hands.press("Valider le compte")
    expect(page.get_by_role("status")).to_contain_text("Compte de Jeanne Premier validé.")
    heading_is(page, "Jeanne Suivant")
    hands.press("Refuser la demande")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    hands.write(REASON, "Cette organisation n'est pas dans la région.")
    hands.press("Voir le courriel")
    expect(page.locator("#apercu")).to_be_focused()
    expect(page.locator("#apercu")).to_contain_text("La région vous en donne la raison")
    hands.press("Refuser la demande")
    expect(page.get_by_role("status")).to_contain_text("Demande de Jeanne Suivant refusée.")
    heading_is(page, "Jeanne Dernier")
    assert another.call("POST", f"/admin/users/{account_of(admin, taken)}/activate", {}).status_code == 200
    hands.press("Valider le compte")
    expect(page.get_by_role("status")).to_contain_text("État du compte : Actif, décidé par Jeanne Le Goff le ")
    expect(page.get_by_role("button", name="Valider le compte")).to_have_count(0)
    assert any("n'est pas dans la région" in text for text in mails_of(url, refused))


def find_in_the_list(page: Page, hands: Hands, served: Server) -> None:
    """Search, find nobody, sort, turn pages, export; resend a confirmation, and let in without it."""
    for nom in ("Alpha", "Bravo", "Charlie"):
        ask(served.url, nom, organisation="Iroise")
    ask(served.url, "Delta", organisation="Iroise", confirmed=False)
    page.goto(f"{served.url}/bretagne/admin/comptes")
    sign_in(page, hands, served.first_admin()["mail"], ADMIN_PASSWORD)
    heading_is(page, "Demandes à examiner (3)")
    hands.write(SEARCH, "jeanne bravo")
    hands.press("Chercher")
    expect(page.get_by_role("status").first).to_have_text("1 compte trouvé")
    hands.write(SEARCH, "personne de ce nom")
    hands.press("Chercher")
    expect(page.get_by_role("main")).to_contain_text("Aucun compte ne correspond à « personne de ce nom »")
    hands.press("Voir tous les comptes")
    heading_is(page, "Comptes de la région")
    hands.choose("Ordre", "Nom, de Z à A")
    hands.write(SEARCH, "iroise")
    hands.press("Chercher")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Jeanne Delta")
    with page.expect_download() as waiting:
        hands.press("Exporter cette liste (CSV)")
    rows = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert [name for row in rows for name in ("Delta", "Charlie", "Bravo", "Alpha") if name in row] == [
        "Delta",
        "Charlie",
        "Bravo",
        "Alpha",
    ]
    hands.press("À confirmer 1")
    hands.press("Jeanne Delta")
    hands.press("Renvoyer le lien de confirmation")
    expect(page.get_by_role("status")).to_contain_text("Lien de confirmation renvoyé à Jeanne Delta.")
    hands.press("Valider sans confirmation de l'adresse")
    expect(page.get_by_role("status")).to_contain_text("Compte de Jeanne Delta validé.")
    page.goto(f"{served.url}/bretagne/admin/comptes?limit=2")
    expect(page.get_by_role("link", name="Début de la liste")).to_have_count(0)
    hands.press("Page suivante")
    expect(page.get_by_role("rowheader")).to_have_text(["Jeanne Charlie"])
    hands.press("Début de la liste")
    expect(page.get_by_role("rowheader")).to_have_text(["Jeanne Alpha", "Jeanne Bravo"])


def decide_on_several(page: Page, hands: Hands, served: Server, admin: JsonClient) -> None:
    """Choose nobody, then two of whom one is let in meanwhile, then refuse the last; read it in the journal."""
    page.goto(f"{served.url}/bretagne/admin/comptes")
    hands.press("Valider la sélection")
    expect(page.locator("[data-error-summary]")).to_contain_text("Cochez au moins un compte")
    hands.tick("Sélectionner Jeanne Alpha")
    hands.tick("Sélectionner Jeanne Bravo")
    hands.press("Valider la sélection")
    heading_is(page, "Valider 2 comptes ?")
    bravo = account_of(admin, "bravo@brest.test")
    assert admin.call("POST", f"/admin/users/{bravo}/activate", {}).status_code == 200
    hands.press("Confirmer")
    expect(page.get_by_role("status")).to_have_text("Valider : 1 sur 2.")
    expect(page.get_by_role("row", name="Jeanne Bravo")).to_contain_text("Déjà fait Décidé par ")
    hands.press("Retour à la liste")
    hands.tick("Sélectionner Jeanne Charlie")
    hands.press("Refuser la sélection")
    heading_is(page, "Refuser 1 compte ?")
    hands.press("Confirmer")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    hands.write(REASON, "Hors de la région.")
    hands.press("Confirmer")
    expect(page.get_by_role("status")).to_have_text("Refuser : 1 sur 1.")
    hands.press("Retour à la liste")
    expect(page.get_by_role("main")).to_contain_text("Aucune demande à examiner")
    page.goto(f"{served.url}/bretagne/admin/journal")
    hands.choose("Événement", "Demande refusée")
    hands.press("Filtrer")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Jeanne Charlie")
    expect(page.get_by_role("row").filter(has_text="Compte validé")).to_have_count(0)
