"""The states of pages that no mere visit shows: empty lists, dead links, results, refusals, errors."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from playwright.sync_api import Page, expect

from terristory.settings import read_settings
from terristory.user.signed_links import LinkKind, sign_link, use_link_keys
from tests.browser.conftest import ADMIN_PASSWORD, MEMBER_PASSWORD, MakeMember, SignIn
from tests.browser.desk_way import REASON, account_of, ask
from tests.browser.request_way import heading_is
from tests.support.environment import service_environment
from tests.support.hands import Mouse
from tests.support.json_client import JsonClient, wait_for_link
from tests.support.pages import check_in_both_lights
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def seen(page: Page, heading: str, url: str | None = None, status: int = 200) -> None:
    """Check the page that is there, or that of `url`, which must come with this status; know it by its heading."""
    answer = page.goto(url) if url else None
    assert answer is None or answer.status == status, (url, status)
    heading_is(page, heading)
    check_in_both_lights(page)


def change_stored(served: Server, *statements: str) -> None:
    """Change the database under the running service: states that would take days, or a fault, to come about."""
    path = served.environ["TERRISTORY_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=10)) as database, database:
        for statement in statements:
            database.execute(statement)


@contextmanager
def changed_for_a_while(served: Server, there: str, back: str) -> Iterator[None]:
    """Change the database for the time of a `with`."""
    change_stored(served, there)
    try:
        yield
    finally:
        change_stored(served, back)


def test_the_states_of_a_request(served: Server, admin: JsonClient, sign_in: SignIn, page: Page) -> None:
    base = f"{served.url}/bretagne"
    mail = ask(served.url, "Encore")
    refused = admin.call("POST", f"/admin/users/{account_of(admin, mail)}/refuse", {"reason": "Hors de la région."})
    assert refused.status_code == 200
    status, old = wait_for_link(served.url, mail, "demande"), wait_for_link(served.url, mail, "confirmer")
    seen(page, "Ce lien a déjà servi", f"{base}/confirmer/{old}", 410)
    ask(served.url, "Encore", confirmed=False)
    newer = wait_for_link(served.url, mail, "confirmer")
    seen(page, "Votre adresse reste à confirmer", f"{base}/demande/{status}")
    Mouse(page).press("Renvoyer le message")
    expect(page.get_by_role("status")).to_contain_text("Un nouveau message vient d'être envoyé")
    check_in_both_lights(page)
    seen(page, "Ce lien a expiré", f"{base}/confirmer/{newer}", 410)
    seen(page, "Page introuvable", f"{base}/demande/inconnue", 404)


def test_the_states_of_an_account_that_closes(
    served: Server, make_member: MakeMember, sign_in: SignIn, page: Page
) -> None:
    base, mail = f"{served.url}/bretagne", "fermeture@brest.test"
    member = make_member(mail)
    member.sign_in(mail, MEMBER_PASSWORD)
    assert member.call("POST", "/user/mail", {"mail": "nouvelle@brest.test", "password": MEMBER_PASSWORD}).ok
    new = wait_for_link(served.url, "nouvelle@brest.test", "adresse")
    seen(page, "Confirmez votre nouvelle adresse", f"{base}/adresse/{new}")
    assert member.call("POST", "/user/mail/confirm", {"token": new}).status_code == 204
    seen(page, "Ce lien ne sert plus", f"{base}/adresse/{new}", 410)
    back = wait_for_link(served.url, mail, "adresse")
    seen(page, "Reprendre votre ancienne adresse", f"{base}/adresse/{back}")
    sign_in(page, "nouvelle@brest.test", MEMBER_PASSWORD)
    page.goto(f"{base}/compte/fermeture")
    Mouse(page).write("Mot de passe actuel (obligatoire)", MEMBER_PASSWORD)
    Mouse(page).tick("J'ai compris que mes données seront effacées (obligatoire)")
    Mouse(page).press("Fermer mon compte")
    expect(page.get_by_role("status")).to_contain_text("Votre compte est fermé.")
    check_in_both_lights(page)
    sign_in(page, "nouvelle@brest.test", MEMBER_PASSWORD)
    seen(page, "Votre compte est en cours de fermeture")
    status = wait_for_link(served.url, mail, "demande")
    seen(page, "Votre compte est en cours de fermeture", f"{base}/demande/{status}")
    take_back = wait_for_link(served.url, "nouvelle@brest.test", "reprendre")
    seen(page, "Reprendre votre compte", f"{base}/reprendre/{take_back}")
    Mouse(page).press("Reprendre mon compte")
    seen(page, "Se connecter")
    seen(page, "Ce lien ne sert plus", f"{base}/reprendre/{take_back}", 410)


def test_the_states_of_it_was_not_me(served: Server, admin: JsonClient, make_member: MakeMember, page: Page) -> None:
    mail = "pasmoi@brest.test"
    member = make_member(mail)
    user_id = account_of(admin, mail)
    use_link_keys(read_settings(service_environment(DATABASE_URL="sqlite:///unused")).keys("signed-links"))
    link = f"{served.url}/bretagne/pas-moi/"
    with time_machine.travel(datetime.now(UTC) - timedelta(days=31)):
        old = sign_link(LinkKind.NOT_ME, "bretagne", UUID(user_id))
    seen(page, "Ce lien a expiré", link + old, 410)
    right = sign_link(LinkKind.NOT_ME, "bretagne", UUID(user_id))
    seen(page, "Ce n'était pas vous ?", link + right)
    Mouse(page).press("Protéger mon compte")
    seen(page, "Votre compte est protégé")
    assert member.call("POST", "/auth", {"login": mail, "password": MEMBER_PASSWORD}).status_code == 401
    assert admin.call("POST", f"/admin/users/{user_id}/disable", {}).status_code == 200
    page.goto(link + right)
    Mouse(page).press("Protéger mon compte")
    seen(page, "Ce compte n'est pas ouvert")


def test_the_states_of_the_desk(served: Server, admin: JsonClient, sign_in: SignIn, page: Page) -> None:
    desk, mouse = f"{served.url}/bretagne/admin/comptes", Mouse(page)
    me = served.first_admin()["mail"]
    sign_in(page, me, ADMIN_PASSWORD)
    expect(page.get_by_role("main")).to_contain_text("Aucune demande à examiner")
    check_in_both_lights(page)
    for path in ("?status=disabled&q=personne", "?status=awaiting&q=%3Cb%3E"):
        page.goto(desk + path)
        expect(page.get_by_role("main")).to_contain_text("Aucun compte ne correspond à")
        check_in_both_lights(page)
    seen(page, "Demande incomprise", f"{desk}?sort=odd", 422)
    mails = [ask(served.url, nom) for nom in ("Alpha", "Bravo", "Charlie")]
    ids = [account_of(admin, mail) for mail in mails]
    seen(page, "Demandes à examiner (3)", f"{desk}?limit=2")
    mouse.press("Refuser la sélection")
    expect(page).to_have_title("Erreur : Demandes à examiner (3) – TerriSTORY Bretagne")
    check_in_both_lights(page)
    for action in ("Valider", "Refuser", "Désactiver", "Réactiver"):
        page.goto(f"{desk}?status=all")
        page.get_by_label("Tout sélectionner").check()
        mouse.press(f"{action} la sélection")
        check_in_both_lights(page)
    page.goto(f"{desk}?status=all")
    page.get_by_label("Tout sélectionner").check()
    mouse.press("Refuser la sélection")
    mouse.press("Confirmer")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    check_in_both_lights(page)
    mouse.write(REASON, "Hors de la région.")
    assert admin.call("POST", f"/admin/users/{ids[0]}/refuse", {"reason": "Non."}).status_code == 200
    assert admin.call("POST", f"/admin/users/{ids[1]}/activate", {}).status_code == 200
    mouse.press("Confirmer")
    expect(page.get_by_role("main")).to_contain_text("Déjà fait")
    expect(page.get_by_role("main")).to_contain_text("La demande n'attend plus de décision.")
    check_in_both_lights(page)
    page.goto(f"{desk}/{account_of(admin, me)}")
    expect(page.get_by_role("main")).to_contain_text("C'est votre propre compte")
    check_in_both_lights(page)
    change_stored(served, f"UPDATE outbox_mail SET state = 'dead' WHERE recipient = '{mails[2]}'")
    page.goto(f"{desk}/{ids[2]}")
    expect(page.get_by_role("main")).to_contain_text("Courriel en échec")
    check_in_both_lights(page)
    mouse.press("Réessayer Confirmez votre adresse électronique")
    check_in_both_lights(page)
    journal = f"{served.url}/bretagne/admin/journal"
    for path in ("?event=region.closed", f"?user={ids[0]}", "?limit=1", "?user=nobody"):
        page.goto(journal + path)
        check_in_both_lights(page)


def test_a_decision_that_another_administrator_took_first(
    served: Server, admin: JsonClient, sign_in: SignIn, page: Page
) -> None:
    user_id = account_of(admin, ask(served.url, "Ensemble"))
    sign_in(page, served.first_admin()["mail"], ADMIN_PASSWORD)
    page.goto(f"{served.url}/bretagne/admin/comptes/{user_id}")
    Mouse(page).write(REASON, "Hors de la région.")
    Mouse(page).press("Voir le courriel")
    expect(page.locator("#apercu")).to_contain_text("Hors de la région.")
    check_in_both_lights(page)
    assert admin.call("POST", f"/admin/users/{user_id}/activate", {}).status_code == 200
    Mouse(page).press("Refuser la demande")
    expect(page.get_by_role("alert")).to_contain_text("La demande n'attend plus de décision. État du compte : Actif")
    check_in_both_lights(page)


def test_errors_say_the_cause_and_what_to_do(served: Server, sign_in: SignIn, admin: JsonClient, page: Page) -> None:
    base = f"{served.url}/bretagne"
    seen(page, "Action impossible ici", f"{base}/inscription/renvoyer", 405)
    page.goto(f"{base}/inscription")
    page.get_by_label("Prénom (obligatoire)").fill("Nolwenn")
    page.locator("[name=csrf_token]").first.evaluate("field => { field.value = 'of another time'; }")
    Mouse(page).press("Envoyer ma demande")
    expect(page.locator("[data-error-summary]")).to_contain_text("Cette page avait vieilli")
    expect(page.get_by_label("Prénom (obligatoire)")).to_have_value("Nolwenn")
    check_in_both_lights(page)
    page.locator("[name=motif]").evaluate("field => { field.value = 'a'.repeat(70000); field.form.submit(); }")
    seen(page, "Envoi trop volumineux")
    sign_in(page, served.first_admin()["mail"], ADMIN_PASSWORD)
    page.locator("[name=csrf_token]").first.evaluate("field => { field.value = 'of another time'; }")
    page.get_by_role("button", name="Se déconnecter").click()
    seen(page, "Cette page a vieilli")
    away = "ALTER TABLE region RENAME TO region_away", "ALTER TABLE region_away RENAME TO region"
    with changed_for_a_while(served, *away):
        seen(page, "Service momentanément indisponible", f"{base}/connexion", 503)
    closed = "UPDATE region SET is_open = 0", "UPDATE region SET is_open = 1"
    with changed_for_a_while(served, *closed):
        page.goto(served.url)
        expect(page.get_by_role("main")).to_contain_text("Aucune région n'est encore ouverte")
        check_in_both_lights(page)


def test_refusals_by_count_say_how_long_to_wait(make_server: Callable[..., Server], page: Page) -> None:
    served = make_server(REQUIRE_MAIL_CONFIRMATION=False, LIMIT_REGENERATE="1/hour", NO_SCRIPT_WAIT_SECONDS=1)
    base = f"{served.url}/bretagne"
    assert JsonClient(served.url).ask_for_account("direct@brest.test").status_code == 201
    for _attempt in range(6):
        page.goto(f"{base}/connexion")
        Mouse(page).write("Adresse électronique (obligatoire)", "direct@brest.test")
        Mouse(page).write("Mot de passe (obligatoire)", "pas le bon mot de passe")
        Mouse(page).press("Se connecter")
        expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page.locator(".captcha")).to_be_visible()
    check_in_both_lights(page)
    for heading in ("Consultez votre messagerie", "Trop de demandes"):
        page.goto(f"{base}/mot-de-passe/oublie")
        Mouse(page).write("Adresse électronique (obligatoire)", "direct@brest.test")
        Mouse(page).press("Envoyer")
        seen(page, heading)
    page.goto(f"{base}/inscription")
    for label, text in {"Prénom": "Nolwenn", "Nom": "Le Dantec", "Organisation": "Quimper"}.items():
        Mouse(page).write(f"{label} (obligatoire)", text)
    Mouse(page).write("Adresse électronique professionnelle (obligatoire)", "nolwenn@quimper.test")
    Mouse(page).tick("J'ai lu l'information sur mes données personnelles (obligatoire)")
    Mouse(page).press("Envoyer ma demande")
    seen(page, "Votre demande est envoyée")
