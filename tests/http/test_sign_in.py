"""Signing in and out: by page, by JSON, by a browser front end."""

import html
import re
from typing import ClassVar

import pytest

from terristory.auth.temporary_password import issue_temporary_password
from terristory.auth.throttle import CAPTCHA_AFTER, PAIR_LIMIT
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.user.models import Role, Status
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account

MAIL = "jeanne@exemple.fr"
WRONG = "autre phrase de passe 7"
PAGE = "/bretagne/connexion"
INCORRECT = "L'adresse électronique ou le mot de passe est incorrect."
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def hidden(page, name):
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    return found.group(1) if found else ""


def text(answer):
    """The words of a page, as people read them."""
    return html.unescape(answer.get_data(as_text=True))


def by_page(client, login=MAIL, password=PASSWORD, path=PAGE, **more):
    page = text(client.get(path))
    kept = {name: hidden(page, name) for name in ("csrf_token", "ticket", "next")}
    return client.post(PAGE, data={**kept, "login": login, "password": password, **more})


def by_json(client, login=MAIL, password=PASSWORD, **more):
    return client.post("/api/bretagne/auth", json={"login": login, "password": password, **more})


def by_browser(client, login=MAIL, password=PASSWORD, **more):
    return client.post("/api/bretagne/user/auth", json={"login": login, "password": password, **more})


def temporary_of(user_id, life_seconds=3600):
    with transaction():
        return issue_temporary_password(user_id, life_seconds=life_seconds, now=utc_now()).password


def cookies_of(answer):
    return {cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")}


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


class TestOverJson:
    def test_tokens_go_into_the_body_and_no_cookie_is_set(self, client):
        an_account(MAIL)
        answer = by_json(client)
        assert set(answer.get_json()) == {"access_token", "refresh_token"}
        assert cookies_of(answer) == set()
        assert answer.headers["Cache-Control"] == "no-store"

    def test_clients_without_a_device_share_one_stable_refresh_token(self, client):
        an_account(MAIL)
        token = by_json(client).get_json()["refresh_token"]
        again = [
            client.post("/api/bretagne/auth/refresh", json={"refresh_token": token}).get_json()["refresh_token"]
            for _ in range(2)
        ]
        assert again == [token, token]
        named = by_json(client, device="agent").get_json()["refresh_token"]
        assert client.post("/api/bretagne/auth/refresh", json={"refresh_token": token}).status_code == 200
        rotated = client.post("/api/bretagne/auth/refresh", json={"refresh_token": named}).get_json()
        assert rotated["refresh_token"] != named

    def test_a_browser_front_end_gets_cookies_and_who_it_is(self, client):
        an_account(MAIL)
        answer = by_browser(client)
        assert answer.get_json()["me"]["user_id"] == {"mail": MAIL, "region": "bretagne"}
        assert set(answer.get_json()) == {"me"}
        assert {"access_token", "refresh_token", "csrf_token", "device"} <= cookies_of(answer)
        assert client.get("/api/bretagne/auth/me").status_code == 200

    @pytest.mark.parametrize(
        "body", [{}, {"login": MAIL}, {"login": MAIL, "password": 1}, {"login": "", "password": ""}]
    )
    def test_a_browser_front_end_is_told_what_is_missing(self, client, body):
        answer = client.post("/api/bretagne/user/auth", json=body)
        assert answer.status_code == 422
        assert set(answer.get_json()["errors"]) <= {"login", "password"}

    @pytest.mark.parametrize("door", [by_json, by_browser])
    def test_all_failures_answer_alike(self, client, door):
        an_account(MAIL)
        an_account("attend@exemple.fr", status=Status.AWAITING)
        an_account("voisine@exemple.fr", region="normandie")
        tries = [(MAIL, WRONG), ("inconnue@exemple.fr", PASSWORD), ("attend@exemple.fr", WRONG),
                 ("voisine@exemple.fr", PASSWORD)]  # fmt: skip
        bodies = [door(client, *tried).get_json() | {"request_id": ""} for tried in tries]
        assert all(body == bodies[0] for body in bodies)
        assert bodies[0]["exception"] == "AuthenticationFailed"

    @pytest.mark.parametrize("door", [by_json, by_browser])
    @pytest.mark.parametrize("headers", [{"Origin": "https://evil.test"}, {"Origin": "null"},
                                         {"Sec-Fetch-Site": "cross-site"}])  # fmt: skip
    def test_another_site_signs_nobody_in(self, client, door, headers):
        an_account(MAIL)
        path = "/api/bretagne/auth" if door is by_json else "/api/bretagne/user/auth"
        answer = client.post(path, json={"login": MAIL, "password": PASSWORD}, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "csrf_failed")
        assert cookies_of(answer) == set()

    @pytest.mark.parametrize("door", [by_json, by_browser])
    def test_the_fifth_failure_asks_for_a_check_that_serves_once(self, client, door):
        an_account(MAIL)
        codes = [door(client, password=WRONG).get_json()["code"] for _ in range(CAPTCHA_AFTER)]
        assert codes == ["invalid_credentials"] * 4 + ["captcha_required"]
        assert door(client).get_json()["code"] == "captcha_required"
        token = solved_captcha(client, "bretagne", "authenticate")
        assert door(client, password=WRONG, captcha=token).get_json()["code"] == "captcha_required"
        assert door(client, captcha=token).get_json()["code"] == "captcha_required"
        assert door(client, captcha=solved_captcha(client, "bretagne", "authenticate")).status_code == 200

    def test_a_check_made_for_another_form_does_not_count(self, client):
        an_account(MAIL)
        for _ in range(CAPTCHA_AFTER):
            by_json(client, password=WRONG)
        other = solved_captcha(client, "bretagne", "create_user")
        assert by_json(client, captcha=other).get_json()["code"] == "captcha_required"

    def test_every_door_shares_the_throttle(self, client):
        an_account(MAIL)
        doors = (by_json, by_browser, by_page)
        for number in range(CAPTCHA_AFTER):
            doors[number % 3](client, password=WRONG)
        assert by_json(client).get_json()["code"] == "captcha_required"
        assert by_page(client).status_code == 422

    def test_forwarded_headers_win_no_budget(self, client):
        an_account(MAIL)
        for number in range(CAPTCHA_AFTER):
            forged = {"X-Forwarded-For": f"203.0.113.{number}"}
            client.post("/api/bretagne/auth", json={"login": MAIL, "password": WRONG}, headers=forged)
        assert by_json(client, login="autre@exemple.fr").get_json()["code"] == "captcha_required"

    def test_the_owner_signs_in_from_a_known_network_under_attack(self, client):
        an_account(MAIL)
        assert by_json(client).status_code == 200
        for _ in range(PAIR_LIMIT + 5):
            client.post("/api/bretagne/auth", json={"login": MAIL, "password": WRONG},
                        environ_base={"REMOTE_ADDR": "203.0.113.9"})  # fmt: skip
        assert by_json(client).status_code == 200

    def test_a_pair_that_goes_on_waits_as_long_as_it_is_told(self, client, clock):
        an_account(MAIL)
        for _ in range(PAIR_LIMIT):
            by_json(client, password=WRONG, captcha=solved_captcha(client, "bretagne", "authenticate"))
        answer = by_json(client)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
        assert by_browser(client).status_code == 429
        clock.move(seconds=30)
        assert by_json(client, captcha=solved_captcha(client, "bretagne", "authenticate")).status_code == 200

    @ONLY_SQLITE
    def test_one_network_may_try_so_often_a_minute(self, make_app):
        client = make_app(LIMIT_SIGN_IN="3/minute").test_client()
        assert [door(client).status_code for door in (by_json, by_browser, by_json)] == [401, 401, 401]
        last = by_browser(client)
        assert last.status_code == 429
        assert int(last.headers["Retry-After"]) <= 60

    @ONLY_SQLITE
    def test_without_limits_there_is_no_throttle(self, make_app):
        app = make_app(RATE_LIMITS=False)
        with app.app_context():
            an_account(MAIL)
        client = app.test_client()
        codes = {by_json(client, password=WRONG).get_json()["code"] for _ in range(PAIR_LIMIT + 20)}
        assert codes == {"invalid_credentials"}
        assert by_json(client).status_code == 200


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
