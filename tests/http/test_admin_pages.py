"""The administrators' pages, as a browser without scripts uses them."""

import html
import re
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from terristory.audit.models import AuditLine
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.mail_outbox.rendering import render
from terristory.user.lookup import find_user
from terristory.user.models import Role, Status
from tests.support.environment import PASSWORD
from tests.support.people import an_account

LIST = "/bretagne/admin/comptes"


def sign_in(client: FlaskClient, mail: str) -> None:
    form = {"login": mail, "password": PASSWORD, "csrf_token": token_of(client, "/bretagne/connexion")}
    answer = client.post("/bretagne/connexion", data=form)
    assert answer.status_code in (302, 303), answer.get_data(as_text=True)


def token_of(client: FlaskClient, path: str) -> str:
    page = client.get(path).get_data(as_text=True)
    return html.unescape(re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1))


def send(client: FlaskClient, path: str, **form: object):
    return client.post(path, data={"csrf_token": token_of(client, LIST), **form}, follow_redirects=True)


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


@pytest.fixture
def admin(client) -> UUID:
    user_id = an_account("admin@brest.test", role=Role.ADMIN, prenom="Anne", nom="Admin")
    sign_in(client, "admin@brest.test")
    return user_id


def waiting(mail: str = "jeanne@brest.test", **more) -> UUID:
    return an_account(mail, status=Status.AWAITING, **more)


def test_the_queue_counts_in_its_heading_and_shows_who_waits(client, admin):
    waiting(motif="Pour le plan climat")
    an_account("actif@brest.test", nom="Ailleurs")
    page = client.get(LIST)
    assert "<h1>Demandes à examiner (1)</h1>" in page.get_data(as_text=True)
    assert "Jeanne Martin" in text_of(page) and "Pour le plan climat" in text_of(page)
    assert "Ailleurs" not in text_of(page)


def test_an_empty_queue_says_so(client, admin):
    assert "Aucune demande à examiner" in text_of(client.get(LIST))


def test_a_search_that_finds_nobody_says_so_and_shows_the_words_literally(client, admin):
    page = client.get(f"{LIST}?q=<script>")
    assert "Aucun compte ne correspond à « <script> »" in text_of(client.get(f"{LIST}?q=%26lt;script%26gt;")) or (
        "&lt;script&gt;" in page.get_data(as_text=True)
    )


@pytest.mark.parametrize("query", ["status=active", "status=all&sort=-nom", "q=martin", "sort=nom&limit=1"])
def test_the_list_takes_the_queries_of_the_api(client, admin, query):
    waiting()
    assert client.get(f"{LIST}?{query}").status_code == 200


def test_a_query_that_no_list_takes_is_a_422(client, admin):
    assert client.get(f"{LIST}?sort=odd").status_code == 422


def test_a_validation_leads_to_the_next_request_and_names_the_person(client, admin):
    first, _second = waiting(), waiting("paul@brest.test", prenom="Paul", nom="Kerdoncuff")
    page = send(client, f"{LIST}/{first}/valider")
    assert "Compte de Jeanne Martin validé." in text_of(page)
    assert "<h1>Paul Kerdoncuff</h1>" in page.get_data(as_text=True)


def test_what_was_just_decided_is_one_click_away(client, admin):
    waiting("paul@brest.test", prenom="Paul", nom="Kerdoncuff")
    for act, more in (("valider", {}), ("refuser", {"reason": "Hors de la région."})):
        person = waiting(f"{act}@brest.test", nom="L'Hôte & Fils")
        page = send(client, f"{LIST}/{person}/{act}", **more).get_data(as_text=True)
        assert f'<a href="{LIST}/{person}">Jeanne L&#39;Hôte &amp; Fils</a>' in page, act


def test_the_last_validation_leads_back_to_the_empty_queue(client, admin):
    page = send(client, f"{LIST}/{waiting()}/valider")
    assert "Demandes à examiner (0)" in text_of(page)


def test_a_refusal_without_reason_comes_back_with_an_error(client, admin):
    person = waiting()
    page = send(client, f"{LIST}/{person}/refuser", reason=" ")
    assert page.status_code == 422
    assert "<title>Erreur : " in page.get_data(as_text=True)
    page = send(client, f"{LIST}/{person}/refuser", reason="Hors de la région.")
    assert "Demande de Jeanne Martin refusée." in text_of(page)


def test_the_mail_of_a_refusal_is_shown_before_it_is_sent(client, admin):
    person = waiting(langue="en")
    page = send(client, f"{LIST}/{person}/refuser", reason="Outside <our> region.", preview="1")
    shown = html.unescape(re.search(r"<pre>(.+?)</pre>", page.get_data(as_text=True), re.DOTALL).group(1))
    assert "Hello Jeanne," in shown
    assert "> Outside <our> region." in shown
    assert "[TerriSTORY Bretagne] " in text_of(page)
    assert db.session.scalar(select(OutboxMail.id)) is None
    assert find_user("bretagne", person).status == Status.AWAITING
    send(client, f"{LIST}/{person}/refuser", reason="Outside <our> region.")
    sent = db.session.scalars(select(OutboxMail)).one()
    assert render(client.application, sent, attempt_at=sent.created_at).text.strip() == shown.strip()


def test_a_mail_without_reason_is_not_shown(client, admin):
    page = send(client, f"{LIST}/{waiting()}/refuser", reason=" ", preview="1")
    assert page.status_code == 422
    assert "<pre>" not in page.get_data(as_text=True)


def test_who_comes_second_sees_who_decided(client, admin, app):
    person = waiting()
    send(client, f"{LIST}/{person}/valider")
    other = app.test_client()
    an_account("second@brest.test", role=Role.ADMIN, prenom="Yves", nom="Second")
    sign_in(other, "second@brest.test")
    page = send(other, f"{LIST}/{person}/valider")
    assert "décidé par Anne Admin le " in text_of(page)
    page = send(other, f"{LIST}/{person}/refuser", reason="Non.")
    assert "La demande n'attend plus de décision." in text_of(page)


def test_an_unconfirmed_request_offers_its_own_way_and_says_what_it_does(client, admin):
    person = an_account("jeanne@brest.test", status=Status.UNCONFIRMED, password=None)
    page = client.get(f"{LIST}/{person}")
    assert "Valider sans confirmation de l'adresse" in text_of(page)
    assert "Adresse non confirmée" in text_of(page)
    page = send(client, f"{LIST}/{person}/valider", unconfirmed="true")
    assert "Compte de Jeanne Martin validé." in text_of(page)


@pytest.mark.parametrize(
    ("act", "status", "words"),
    [
        ("desactiver", Status.ACTIVE, "Compte de Jeanne Martin désactivé."),
        ("reactiver", Status.DISABLED, "Compte de Jeanne Martin réactivé."),
        ("mot-de-passe", Status.ACTIVE, "Mot de passe provisoire envoyé à Jeanne Martin."),
        ("confirmation", Status.UNCONFIRMED, "Lien de confirmation renvoyé à Jeanne Martin."),
        ("deconnecter", Status.ACTIVE, "État du compte : Actif."),
    ],
)
def test_the_other_acts_say_what_they_did(client, admin, act, status, words):
    person = an_account("jeanne@brest.test", status=status)
    assert words in text_of(send(client, f"{LIST}/{person}/{act}"))


def test_a_role_is_changed_by_its_form(client, admin):
    person = an_account("jeanne@brest.test")
    assert "Rôle de Jeanne Martin changé." in text_of(send(client, f"{LIST}/{person}/role", role="admin"))
    assert send(client, f"{LIST}/{person}/role", role="root").status_code == 422


def test_ones_own_account_offers_no_decision(client, admin):
    page = client.get(f"{LIST}/{admin}")
    assert "C'est votre propre compte" in text_of(page)
    assert "Désactiver le compte" not in text_of(page)


def test_a_decision_on_several_is_confirmed_first_and_told_one_by_one(client, admin):
    ids = [str(waiting()), str(waiting("paul@brest.test"))]
    page = send(client, f"{LIST}/decisions", ids=ids, action="activate")
    assert "Valider 2 comptes ?" in text_of(page)
    assert "Demandes à examiner (2)" in text_of(client.get(LIST))
    send(client, f"{LIST}/{ids[0]}/valider")
    page = send(client, f"{LIST}/decisions", ids=ids, action="activate", confirmed="1")
    assert "Valider : 1 sur 2." in text_of(page)
    assert "Déjà fait Décidé par Anne Admin le " in text_of(page)


def test_refusing_several_needs_a_reason(client, admin):
    page = send(client, f"{LIST}/decisions", ids=[str(waiting())], action="refuse", confirmed="1", reason="")
    assert page.status_code == 422


def test_a_contrary_decision_on_several_says_who_decided_and_when(client, admin):
    person = waiting()
    send(client, f"{LIST}/{person}/valider")
    page = send(client, f"{LIST}/decisions", ids=str(person), action="refuse", confirmed="1", reason="Non.")
    assert re.search(r"Impossible La demande n'attend plus de décision\. Décidé par Anne Admin le \d", text_of(page))


def test_the_confirmation_says_whom_a_decision_leaves_alone(client, admin):
    ids = [str(waiting()), str(an_account("actif@brest.test")), str(admin)]
    page = send(client, f"{LIST}/decisions", ids=ids, action="activate")
    assert "Cette décision ne concerne pas 2 de ces comptes : ils resteront comme ils sont." in text_of(page)
    assert text_of(page).count("Pas concerné") == 2
    page = send(client, f"{LIST}/decisions", ids=ids, action="activate", confirmed="1")
    assert "Valider : 1 sur 3." in text_of(page)


def test_a_decision_on_several_leads_back_to_the_list_it_was_taken_in(client, admin):
    an_account("actif@brest.test", nom="Ailleurs")
    page = send(client, f"{LIST}/decisions", action="disable", status="active", q="ailleurs", sort="-nom")
    assert page.status_code == 422
    assert "Ailleurs" in text_of(page)
    person = waiting("paul@brest.test", nom="Kerdoncuff")
    for confirmed in ({}, {"confirmed": "1"}):
        form = {"ids": str(person), "action": "activate", "status": "all", "q": "ker", "sort": "-nom", **confirmed}
        page = send(client, f"{LIST}/decisions", **form)
        assert f'href="{LIST}?status=all&amp;q=ker&amp;sort=-nom"' in page.get_data(as_text=True)


def test_a_list_of_several_pages_leads_on_and_back_to_its_beginning(client, admin):
    for number in range(3):
        waiting(f"p{number}@brest.test", nom=f"Nom{number}")
    page = client.get(f"{LIST}?limit=2")
    assert "Nom2" not in text_of(page)
    assert "Début de la liste" not in text_of(page)
    onward = html.unescape(re.search(r'rel="next" href="([^"]+)"', page.get_data(as_text=True)).group(1))
    page = client.get(onward)
    assert "Nom2" in text_of(page)
    assert f'href="{LIST}?status=awaiting&amp;limit=2">Début de la liste' in page.get_data(as_text=True)


def test_choosing_nobody_is_said_kindly(client, admin):
    assert "Cochez au moins un compte" in text_of(send(client, f"{LIST}/decisions", action="activate"))


def test_the_export_is_harmless_and_traced(client, admin):
    waiting(organisation="=HYPERLINK(1)")
    answer = send(client, f"{LIST}/export", status="awaiting")
    assert answer.mimetype == "text/csv"
    assert '"\'=HYPERLINK(1)"' in answer.get_data(as_text=True)
    assert db.session.scalar(select(AuditLine).where(AuditLine.event == "users.exported")).details["rows"] == 1


def test_the_journal_names_people_and_filters(client, admin):
    person = waiting()
    send(client, f"{LIST}/{person}/valider")
    page = client.get("/bretagne/admin/journal?event=user.activated")
    assert "Compte validé" in text_of(page) and "Anne Admin" in text_of(page) and "Jeanne Martin" in text_of(page)
    assert client.get(f"/bretagne/admin/journal?user={person}").status_code == 200
    assert client.get("/bretagne/admin/journal?user=x").status_code == 422
    answer = send(client, "/bretagne/admin/journal/export", event="user.activated")
    assert str(person) in answer.get_data(as_text=True) and "Jeanne" not in answer.get_data(as_text=True)


def test_a_mail_that_failed_is_shown_and_tried_again(client, admin):
    person = an_account("jeanne@brest.test", status=Status.DISABLED)
    send(client, f"{LIST}/{person}/reactiver")
    mail = db.session.scalar(select(OutboxMail).where(OutboxMail.template == "admin/enabled"))
    mail.state = MailState.DEAD
    db.session.commit()
    assert "en échec" in text_of(client.get(f"{LIST}/{person}"))
    page = send(client, f"{LIST}/{person}/courriels/{mail.id}")
    assert "Le courriel va être remis de nouveau." in text_of(page)


def test_a_member_gets_a_403_and_a_visitor_the_way_to_sign_in(client, app):
    assert client.get(LIST).headers["Location"].startswith("/bretagne/connexion?next=")
    an_account("jeanne@brest.test")
    sign_in(client, "jeanne@brest.test")
    assert client.get(LIST).status_code == 403
