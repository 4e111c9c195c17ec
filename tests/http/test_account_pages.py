"""« Mon compte », page by page, and the links of its mails."""

import json

import pytest
from sqlalchemy import select

from terristory.account.events import words_for_event
from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditLine
from terristory.auth.models import Session
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.passwords.hashing import verify_password
from terristory.user.change_mail import ask_mail_change
from terristory.user.lookup import find_by_mail, find_user
from terristory.user.models import Role
from tests.http.test_account_api import MAIL, OTHER, recipients, secrets_of
from tests.http.test_forgotten_password import post, sign_in, text_of
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of

ACCOUNT = "/bretagne/compte"
PAGES = ["", "/profil", "/adresse", "/sessions", "/donnees", "/fermeture"]
PROFILE = {"prenom": "Anne", "nom": "Martin", "organisation": "Brest métropole", "langue": "fr"}


@pytest.fixture
def user_id(client):
    user_id = an_account(MAIL)
    sign_in(client)
    return user_id


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("langue", ["fr", "en"])
def test_every_page_shows_and_changes_nothing(client, user_id, page, langue):
    before = len(db.session.scalars(select(AuditLine)).all())
    answer = client.get(f"{ACCOUNT}{page}?lang={langue}")
    assert answer.status_code == 200
    assert f'<html lang="{langue}">' in text_of(answer)
    assert len(db.session.scalars(select(AuditLine)).all()) == before


@pytest.mark.parametrize("page", PAGES)
def test_signed_out_every_page_leads_to_the_sign_in(client, page):
    answer = client.get(ACCOUNT + page)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/bretagne/connexion?next=")


def test_a_profile_is_saved_once_confirmed(client, user_id):
    refused = post(client, f"{ACCOUNT}/profil", **PROFILE)
    assert refused.status_code == 422
    assert 'value="Anne"' in text_of(refused)
    assert find_user("bretagne", user_id).prenom == "Jeanne"
    saved = post(client, f"{ACCOUNT}/profil", **PROFILE, confirmation="y", follow=True)
    assert "Votre profil est enregistré." in text_of(saved)
    assert find_user("bretagne", user_id).prenom == "Anne"


def test_names_are_shown_literally(client):
    an_account(MAIL, organisation="<script>alert(1)</script>")
    sign_in(client)
    for page in PAGES:
        assert "<script>alert" not in client.get(ACCOUNT + page).get_data(as_text=True)


def test_a_change_of_address_is_asked_for_with_the_password(client, user_id):
    assert post(client, f"{ACCOUNT}/adresse", mail=OTHER, password="wrong").status_code == 422
    answer = post(client, f"{ACCOUNT}/adresse", mail=OTHER, password=PASSWORD, follow=True)
    assert f"Nous avons envoyé un message à {OTHER}." in text_of(answer)
    assert len(recipients()) == 2


def test_one_session_is_ended_by_its_button(client, user_id):
    other = bearer_of(client, MAIL)
    page = text_of(client.get(f"{ACCOUNT}/sessions"))
    assert "Session actuelle" in page
    statement = select(Session.id).where(Session.device_digest == "")
    path = f"{ACCOUNT}/sessions/{db.session.scalar(statement)}"
    assert path in page
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert client.post(path, data={"csrf_token": token}).status_code == 303
    assert client.get("/api/bretagne/auth/me", headers=other).status_code == 401
    assert "Aucune autre session." in text_of(client.get(f"{ACCOUNT}/sessions"))


@pytest.mark.parametrize(("langue", "words"), [("fr", "Firefox sur Windows"), ("en", "Firefox on Windows")])
def test_a_device_is_told_in_the_readers_language_whoever_signed_in(client, user_id, langue, words):
    speaks_english = {"Accept-Language": "en", "User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/128.0"}
    there = client.post("/api/bretagne/auth", json={"login": MAIL, "password": PASSWORD}, headers=speaks_english)
    assert there.status_code == 200
    for page in ("/sessions", "/donnees"):
        assert words in text_of(client.get(f"{ACCOUNT}{page}?lang={langue}"))
    api = {"Accept-Language": langue, "Authorization": f"Bearer {there.get_json()['access_token']}"}
    for door in ("sessions", "export"):
        listed = client.get(f"/api/bretagne/user/{door}", headers=api).get_json()["sessions"]
        assert words in {session["device"] for session in listed}


def test_all_other_sessions_are_ended_with_the_password(client, user_id):
    other = bearer_of(client, MAIL)
    assert post(client, f"{ACCOUNT}/sessions", password="wrong").status_code == 422
    answer = post(client, f"{ACCOUNT}/sessions", password=PASSWORD, follow=True)
    assert "1 session est fermée." in text_of(answer)
    assert client.get("/api/bretagne/auth/me", headers=other).status_code == 401


def test_the_data_come_as_a_file_and_that_leaves_a_trace(client, user_id):
    page = text_of(client.get(f"{ACCOUNT}/donnees"))
    token = page.rpartition('name="csrf_token" value="')[2].partition('"')[0]
    answer = client.post(f"{ACCOUNT}/donnees/fichier", data={"csrf_token": token})
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.get_data())["account"]["mail"] == MAIL
    assert AuditEvent.USER_EXPORTED in db.session.scalars(select(AuditLine.event)).all()


def test_an_account_is_closed_with_password_and_confirmation(client, user_id):
    assert post(client, f"{ACCOUNT}/fermeture", password=PASSWORD).status_code == 422
    answer = post(client, f"{ACCOUNT}/fermeture", password=PASSWORD, confirmation="y", follow=True)
    assert answer.request.path == "/bretagne/"
    assert "Votre compte est fermé." in text_of(answer)
    assert client.get(ACCOUNT).status_code == 303


def test_the_last_administrator_is_told_what_to_do_first(client):
    an_account(MAIL, role=Role.ADMIN)
    sign_in(client)
    answer = post(client, f"{ACCOUNT}/fermeture", password=PASSWORD, confirmation="y")
    assert answer.status_code == 422
    assert "Nommez-en un autre" in text_of(answer)


def test_a_closed_account_is_taken_back_by_the_button_of_its_link(client, user_id):
    post(client, f"{ACCOUNT}/fermeture", password=PASSWORD, confirmation="y")
    path = f"/bretagne/reprendre/{secrets_of('account/closing')['token']}"
    client.head(path)
    assert client.get(path).status_code == 200
    assert find_user("bretagne", user_id).closing_at is not None
    assert "de nouveau ouvert" in text_of(post(client, path, follow=True))
    assert client.get(path).status_code == 410
    sign_in(client)


def test_who_did_not_close_the_account_takes_it_back_and_keeps_the_thief_out(client, user_id):
    post(client, f"{ACCOUNT}/fermeture", password=PASSWORD, confirmation="y")
    secrets = secrets_of("account/closing")
    post(client, f"/bretagne/reprendre/{secrets['token']}")
    thief = bearer_of(client, MAIL)
    assert "Votre compte est protégé" in text_of(post(client, f"/bretagne/pas-moi/{secrets['not_me_token']}"))
    assert client.get("/api/bretagne/auth/me", headers=thief).status_code == 401
    assert find_user("bretagne", user_id).password_hash is None
    assert bearer_of(client, MAIL, password=secrets_of("password_change/temporary_password")["temporary_password"])


def test_it_was_not_me_before_the_way_back_takes_the_password_too(client, user_id):
    post(client, f"{ACCOUNT}/fermeture", password=PASSWORD, confirmation="y")
    path = f"/bretagne/pas-moi/{secrets_of('account/closing')['not_me_token']}"
    assert "recevez d'abord un mot de passe provisoire" in text_of(post(client, path))
    assert find_user("bretagne", user_id).password_hash is None
    assert ("password_change/temporary_password", MAIL) not in recipients()


def asked_for_address(user_id):
    with transaction():
        ask_mail_change(find_user("bretagne", user_id), OTHER, limited=True, now=utc_now())
    return f"/bretagne/adresse/{secrets_of('account/confirm_new_address')['token']}"


def test_a_new_address_is_confirmed_by_the_button_of_its_link(client, user_id):
    path = asked_for_address(user_id)
    client.head(path)
    assert OTHER in text_of(client.get(path))
    assert find_by_mail("bretagne", MAIL) is not None
    assert "Votre adresse est changée." in text_of(post(client, path, follow=True))
    assert find_by_mail("bretagne", OTHER) is not None
    assert client.get(path).status_code == 410


def test_taking_the_address_back_keeps_the_thief_out(client, user_id):
    post(client, asked_for_address(user_id))
    thief = bearer_of(client, OTHER)
    path = f"/bretagne/adresse/{secrets_of('account/address_changed')['token']}"
    assert MAIL in text_of(client.get(path))
    assert "rétablie" in text_of(post(client, path, follow=True))
    user = find_by_mail("bretagne", MAIL)
    assert not verify_password(user.password_hash, PASSWORD).right
    assert client.get("/api/bretagne/auth/me", headers=thief).status_code == 401
    assert ("password_change/temporary_password", MAIL) in recipients()
    assert bearer_of(client, MAIL, password=secrets_of("password_change/temporary_password")["temporary_password"])


@pytest.mark.parametrize("kind", ["reprendre", "adresse"])
def test_an_unknown_link_is_a_404(client, kind):
    assert client.get(f"/bretagne/{kind}/Nonsense").status_code == 404


def test_what_happened_is_said_in_words(app):
    with app.test_request_context("/"):
        assert words_for_event("user.mail_changed") == "Adresse modifiée"
        assert words_for_event("something.else") == "something.else"
