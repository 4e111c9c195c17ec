"""Signing in over JSON: an API client and a browser front end."""

import pytest

from terristory.auth.throttle import CAPTCHA_AFTER, PAIR_LIMIT
from terristory.user.models import Status
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.sign_in import MAIL, WRONG, by_browser, by_json, by_page, cookies_of

ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


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
