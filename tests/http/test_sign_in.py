"""Signing in and out on pages, also with a temporary password and on an account that may not."""

from typing import ClassVar

import pytest

from terristory.auth.throttle import CAPTCHA_AFTER, PAIR_LIMIT
from terristory.clock import utc_now
from terristory.user.models import Role, Status
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.sign_in import (
    INCORRECT,
    MAIL,
    PAGE,
    WRONG,
    by_browser,
    by_json,
    by_page,
    cookies_of,
    hidden,
    temporary_of,
    text,
)


class TestThePage:
    def test_asks_for_an_address_and_a_password(self, client):
        page = text(client.get(PAGE))
        assert "<h1>Se connecter</h1>" in page
        assert "Adresse électronique (obligatoire)" in page
        assert 'autocomplete="username"' in page
        assert 'autocomplete="current-password"' in page
        assert "Mot de passe oublié ?" in page
        assert "Vous restez connecté 14 jours sur cet appareil." in page

    def test_signs_in(self, client):
        an_account(MAIL)
        answer = by_page(client)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/bretagne/")
        assert {"access_token", "refresh_token", "csrf_token", "device"} <= cookies_of(answer)
        assert "Jeanne Martin" in text(client.get("/bretagne/"))

    def test_leads_an_administrator_to_the_requests(self, client):
        an_account(MAIL, role=Role.ADMIN)
        assert by_page(client).headers["Location"] == "/bretagne/admin/comptes"

    @pytest.mark.parametrize(("login", "password"), [(MAIL, WRONG), ("inconnue@exemple.fr", PASSWORD)])
    def test_says_one_thing_of_all_failures_and_keeps_the_address(self, client, login, password):
        an_account(MAIL)
        answer = by_page(client, login, password)
        page = text(answer)
        assert answer.status_code == 422
        assert INCORRECT in page
        assert "<title>Erreur : Se connecter" in page
        assert login in page
        assert password not in page

    def test_says_which_field_is_empty(self, client):
        answer = by_page(client, "", "")
        page = text(answer)
        assert answer.status_code == 422
        assert "Indiquez votre adresse électronique." in page
        assert "Indiquez votre mot de passe." in page

    def test_comes_back_to_where_one_was_going(self, client):
        an_account(MAIL)
        answer = by_page(client, path=f"{PAGE}?next=/bretagne/mentions-legales")
        assert answer.headers["Location"] == "/bretagne/mentions-legales"

    @pytest.mark.parametrize("place", ["//evil.test", "https://evil.test", "javascript:alert(1)", "/\\evil.test"])
    def test_never_leads_away(self, client, place):
        an_account(MAIL)
        assert by_page(client, next=place).headers["Location"] == "/bretagne/"

    def test_needs_its_own_form_token(self, client):
        an_account(MAIL)
        assert client.post(PAGE, data={"login": MAIL, "password": PASSWORD}).status_code == 400

    def test_a_form_token_from_before_dies_with_the_sign_in(self, client):
        an_account(MAIL)
        before = hidden(text(client.get(PAGE)), "csrf_token")
        by_page(client)
        assert client.post("/bretagne/deconnexion", data={"csrf_token": before}).status_code == 400

    def test_leads_on_who_is_signed_in_already(self, client):
        an_account(MAIL)
        by_page(client)
        assert client.get(PAGE).headers["Location"] == "/bretagne/"

    def test_tells_who_is_signed_in_elsewhere(self, client):
        an_account(MAIL)
        by_page(client)
        page = text(client.get("/normandie/connexion"))
        assert "Vous êtes connecté à Bretagne. Pour Normandie, connectez-vous avec le compte de cette région." in page

    def test_is_remembered_at_the_choice_of_regions(self, client):
        an_account(MAIL)
        by_page(client)
        page = text(client.get("/"))
        assert page.index("Bretagne") < page.index("Auvergne")

    def test_asks_for_the_check_after_five_failures_and_takes_it(self, client):
        an_account(MAIL)
        for _ in range(CAPTCHA_AFTER):
            page = text(by_page(client, password=WRONG))
        assert "data-captcha-url" in page
        assert INCORRECT in page
        refused = by_page(client)
        assert refused.status_code == 422
        assert INCORRECT not in text(refused)
        token = solved_captcha(client, "bretagne", "authenticate")
        assert by_page(client, captcha=token).status_code == 303

    def test_takes_a_ticket_where_no_script_runs(self, client, clock):
        an_account(MAIL)
        for _ in range(CAPTCHA_AFTER):
            page = text(by_page(client, password=WRONG))
        kept = {name: hidden(page, name) for name in ("csrf_token", "ticket")}
        early = client.post(PAGE, data={**kept, "login": MAIL, "password": PASSWORD})
        assert "Votre envoi est arrivé trop vite" in text(early)
        clock.move(seconds=20)
        page = text(early)
        kept = {name: hidden(page, name) for name in ("csrf_token", "ticket")}
        assert client.post(PAGE, data={**kept, "login": MAIL, "password": PASSWORD}).status_code == 303

    def test_says_when_to_come_back(self, client, clock):
        an_account(MAIL)
        for _ in range(PAIR_LIMIT):
            by_json(client, password=WRONG, captcha=solved_captcha(client, "bretagne", "authenticate"))
        answer = by_page(client)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


class TestAnAccountThatDoesNotSignIn:
    STATES: ClassVar[dict[Status, str]] = {
        Status.AWAITING: "Votre demande est à l'étude",
        Status.REFUSED: "Votre demande n'a pas été acceptée",
        Status.DISABLED: "Votre compte est désactivé",
    }

    @pytest.mark.parametrize(("status", "words"), STATES.items())
    def test_is_told_its_state_after_the_right_password(self, client, status, words):
        an_account(MAIL, status=status, reason="Hors du territoire" if status == Status.REFUSED else "")
        answer = by_page(client)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/bretagne/connexion/etat")
        page = client.get(answer.headers["Location"])
        assert page.status_code == 200
        assert f"<h1>{words}</h1>" in text(page)
        assert ("Hors du territoire" in text(page)) == (status == Status.REFUSED)

    def test_is_told_that_it_is_closing(self, client):
        an_account(MAIL, closing_at=utc_now())
        page = text(client.get(by_page(client).headers["Location"]))
        assert "<h1>Votre compte est en cours de fermeture</h1>" in page

    def test_is_told_nothing_without_it(self, client):
        an_account(MAIL, status=Status.AWAITING)
        assert INCORRECT in text(by_page(client, password=WRONG))
        assert client.get("/bretagne/connexion/etat").headers["Location"] == PAGE

    def test_is_told_in_its_own_region_and_for_a_while(self, client, clock):
        an_account(MAIL, status=Status.AWAITING)
        by_page(client)
        assert client.get("/normandie/connexion/etat").status_code == 303
        clock.move(minutes=31)
        assert client.get("/bretagne/connexion/etat").status_code == 303


class TestATemporaryPassword:
    def test_leads_to_the_choice_of_a_new_one(self, client):
        temporary = temporary_of(an_account(MAIL))
        assert by_page(client, password=temporary).headers["Location"].startswith("/bretagne/mot-de-passe")

    def test_used_or_expired_says_so_and_offers_another(self, client, clock):
        temporary = temporary_of(an_account(MAIL), life_seconds=60)
        clock.move(seconds=60)
        answer = by_page(client, password=temporary)
        page = text(answer)
        assert answer.status_code == 422
        assert "Ce mot de passe provisoire a expiré ou a déjà servi." in page
        assert "En recevoir un autre" in page

    @pytest.mark.parametrize("door", [by_json, by_browser])
    def test_is_told_over_json(self, client, door):
        temporary = temporary_of(an_account(MAIL))
        answer = door(client, password=f" {temporary}\n").get_json()
        assert (answer.get("me") or answer)["password_change_required"] is True
        assert door(client, password=temporary).get_json()["code"] == "temporary_password_used"

    def test_opens_a_session_no_longer_than_its_own_life(self, client, clock):
        temporary = temporary_of(an_account(MAIL), life_seconds=60)
        bearer = {"Authorization": f"Bearer {by_json(client, password=temporary).get_json()['access_token']}"}
        assert client.get("/api/bretagne/auth/me", headers=bearer).status_code == 200
        clock.move(seconds=61)
        assert client.get("/api/bretagne/auth/me", headers=bearer).status_code == 401


class TestSigningOut:
    def test_ends_the_session_and_says_so(self, client):
        an_account(MAIL)
        by_page(client)
        token = hidden(text(client.get("/bretagne/")), "csrf_token")
        answer = client.post("/bretagne/deconnexion", data={"csrf_token": token})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/bretagne/")
        assert answer.headers["Clear-Site-Data"] == '"storage"'
        page = text(client.get("/bretagne/"))
        assert "Vous êtes déconnecté." in page
        assert "Jeanne Martin" not in page

    @pytest.mark.parametrize("method", ["get", "head"])
    def test_is_never_done_by_following_a_link(self, client, method):
        assert getattr(client, method)("/bretagne/deconnexion").status_code == 405
