"""A form whose token no longer counts comes back with what was typed, and nothing is done by it."""

import re

import pytest
from sqlalchemy import func, select

from terristory.audit.models import AuditLine
from terristory.auth.models import Session
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.user.lookup import find_by_mail, find_user
from terristory.user.models import Role, Status, User
from terristory.user.signed_links import LinkKind, sign_link
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.requests_for_accounts import ask, csrf_in, secrets_of

MAIL, ADMIN = "jeanne@brest.test", "admin@brest.test"
NEW = "casserole hibou 58 marée lente"
SAID = "Cette page avait vieilli : rien n'a été enregistré."
ADMINS_LIST = "/bretagne/admin/comptes"
REQUEST = {
    "prenom": "Nolwenn",
    "nom": "Le Dantec",
    "mail": "nolwenn@quimper.test",
    "organisation": "Quimper",
    "motif": "Un long motif, tapé avec soin.",
    "information_lue": "y",
}
PROFILE = {"prenom": "Jeanne", "nom": "Martin", "organisation": "Lannion", "langue": "fr", "confirmation": "y"}
# Path, what is sent, and what of it the page must still show. Of passwords nothing is ever shown again.
OPEN = [
    ("/inscription", REQUEST, ["Nolwenn", "Un long motif, tapé avec soin."]),
    ("/inscription/renvoyer", {"mail": "nolwenn@quimper.test"}, ["nolwenn@quimper.test"]),
    ("/connexion", {"login": MAIL, "password": PASSWORD}, [MAIL]),
    ("/mot-de-passe/oublie", {"mail": MAIL}, [MAIL]),
]
MEMBERS = [
    ("/mot-de-passe", {"password": PASSWORD, "new_password": NEW}, ["Mot de passe actuel"]),
    ("/compte/profil", PROFILE, ["Lannion"]),
    ("/compte/adresse", {"mail": "autre@brest.test", "password": PASSWORD}, ["autre@brest.test"]),
    ("/compte/sessions", {"password": PASSWORD}, ["Mes sessions"]),
    ("/compte/fermeture", {"password": PASSWORD, "confirmation": "y"}, ["Fermer mon compte"]),
]


def sign_in(client, mail):
    form = {"login": mail, "password": PASSWORD, "csrf_token": csrf_in(client.get("/bretagne/connexion"))}
    assert client.post("/bretagne/connexion", data=form).status_code == 303


def all_that_is_stored():
    """Every account with what a form could change, every live session, and how many mails and lines of trail."""
    db.session.expire_all()
    columns = (User.mail, User.status, User.organisation, User.password_hash, User.closing_at, User.role)
    users = sorted(tuple(row) for row in db.session.execute(select(*columns).where(User.closing_at.is_(None))))
    sessions = set(db.session.scalars(select(Session.id).where(Session.ended_at.is_(None))))
    counts = [db.session.scalar(select(func.count()).select_from(table)) for table in (OutboxMail, AuditLine)]
    return users, sessions, counts


def shown_again(client, path, form, kept):
    """Send a form with a token of another time; return the page once it is as promised."""
    before = all_that_is_stored()
    answer = client.post("/bretagne" + path, data={"csrf_token": "of another time", **form})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "<title>Erreur : " in text
    assert SAID in text.replace("&#39;", "'")
    assert all(words in text.replace("&#39;", "'") for words in kept)
    assert PASSWORD not in text
    assert NEW not in text
    assert all_that_is_stored() == before
    return answer


@pytest.mark.parametrize(("path", "form", "kept"), OPEN, ids=[path for path, _form, _kept in OPEN])
def test_a_form_for_everybody_comes_back_with_its_answers(client, path, form, kept):
    an_account(MAIL)
    shown_again(client, path, form, kept)


@pytest.mark.parametrize(("path", "form", "kept"), MEMBERS, ids=[path for path, _form, _kept in MEMBERS])
def test_a_form_of_ones_account_comes_back_with_its_answers(client, path, form, kept):
    an_account(MAIL)
    sign_in(client, MAIL)
    shown_again(client, path, form, kept)


def test_the_page_shown_again_sends_what_it_holds(client):
    an_account(MAIL)
    sign_in(client, MAIL)
    page = shown_again(client, "/compte/profil", PROFILE, ["Lannion"])
    answer = client.post("/bretagne/compte/profil", data={**PROFILE, "csrf_token": csrf_in(page)})
    assert answer.status_code == 303
    assert find_by_mail("bretagne", MAIL).organisation == "Lannion"


def test_a_confirmation_and_a_withdrawal_come_back(client, clock):
    ask(clock.now())
    token = secrets_of("user/confirm")[0]["token"]
    shown_again(client, f"/confirmer/{token}", {"password": NEW}, ["Confirmez votre adresse"])
    person = an_account("b@brest.test", status=Status.AWAITING)
    shown_again(client, f"/demande/{sign_link(LinkKind.REQUEST, 'bretagne', person)}/retirer", {}, ["Retirer"])


def test_a_refusal_comes_back_with_its_reason(client):
    an_account(ADMIN, role=Role.ADMIN)
    person = an_account(MAIL, status=Status.AWAITING)
    sign_in(client, ADMIN)
    reason = {"reason": "Hors de la région, hélas."}
    shown_again(client, f"/admin/comptes/{person}/refuser", reason, [reason["reason"]])


@pytest.mark.parametrize("action", ["activate", "refuse"])
def test_a_decision_on_many_comes_back_to_be_confirmed(client, action):
    an_account(ADMIN, role=Role.ADMIN)
    person = an_account(MAIL, status=Status.AWAITING)
    sign_in(client, ADMIN)
    form = {"ids": str(person), "action": action, "confirmed": "1", "reason": "Hors de la région."}
    shown_again(client, "/admin/comptes/decisions", form, ["Jeanne Martin"])


@pytest.mark.parametrize("act", ["valider", "desactiver", "deconnecter", "mot-de-passe"])
def test_a_button_without_answers_is_refused_as_ever(client, act):
    an_account(ADMIN, role=Role.ADMIN)
    person = an_account(MAIL, status=Status.AWAITING)
    sign_in(client, ADMIN)
    answer = client.post(f"{ADMINS_LIST}/{person}/{act}", data={"csrf_token": "of another time"})
    assert answer.status_code == 400
    assert "<h1>Cette page a vieilli</h1>" in answer.get_data(as_text=True)
    assert find_user("bretagne", person).status == Status.AWAITING


def test_a_browser_that_refuses_cookies_is_told_what_to_allow(client):
    refused = "votre navigateur refuse les cookies de ce site"
    without = client.application.test_client(use_cookies=False)
    form = {**REQUEST, "csrf_token": csrf_in(without.get("/bretagne/inscription"))}
    page = shown_again(without, "/inscription", form, ["Nolwenn"]).get_data(as_text=True)
    assert refused in page
    client.get("/bretagne/inscription")
    assert refused not in shown_again(client, "/inscription", REQUEST, ["Nolwenn"]).get_data(as_text=True)


def test_what_another_site_sends_is_not_shown(client):
    answer = client.post("/bretagne/inscription", data=REQUEST, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 400
    assert "Nolwenn" not in answer.get_data(as_text=True)


def test_who_is_signed_out_meanwhile_is_told_and_nothing_is_done(client):
    an_account(MAIL)
    answer = client.post("/bretagne/compte/profil", data={**PROFILE, "csrf_token": "of another time"})
    assert answer.status_code == 400
    assert find_by_mail("bretagne", MAIL).organisation == "Brest métropole"


def test_every_marked_form_is_tried_here(app):
    marked = {rule.rule for rule in app.url_map.iter_rules() if keeps(app, rule)}
    tried = {f"/<region:region>{path}" for path, _form, _kept in (*OPEN, *MEMBERS)} | {
        "/<region:region>/confirmer/<token>",
        "/<region:region>/demande/<token>/retirer",
        "/<region:region>/admin/comptes/<uuid:user_id>/refuser",
        "/<region:region>/admin/comptes/decisions",
    }
    assert marked == tried


def keeps(app, rule):
    return getattr(app.view_functions[rule.endpoint], "keeps_answers", False) and re.search("POST", str(rule.methods))
