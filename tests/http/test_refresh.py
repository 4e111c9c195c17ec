"""Refreshing and leaving, from a body or from cookies; and pages that renew a session by themselves."""

import threading
from uuid import UUID

import jwt
import pytest
from sqlalchemy import func, select

from terristory.auth.access_token import make_access_token
from terristory.auth.models import RefreshToken, Session
from terristory.clock import utc_now
from terristory.extensions import db
from terristory.user.models import User
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.probes import ENDPOINT, PAGE, add_probes, cookies_of

MAIL = "jeanne@brest.test"
AUTH = "/api/bretagne/auth"
REFRESH, LOGOUT, ME = f"{AUTH}/refresh", f"{AUTH}/logout", f"{AUTH}/me"
NAMES = ("access_token", "refresh_token", "csrf_token")


@pytest.fixture
def app_with_probes(make_app, clock):
    app = add_probes(make_app(RATE_LIMITS=False))
    with app.app_context():
        an_account(MAIL)
        yield app
        db.session.remove()


@pytest.fixture
def client(app_with_probes):
    return app_with_probes.test_client()


def tokens_of(client, **more):
    answer = client.post(AUTH, json={"login": MAIL, "password": PASSWORD, **more})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    return answer.get_json()


def sign_in_by_cookie(client):
    assert client.post("/api/bretagne/user/auth", json={"login": MAIL, "password": PASSWORD}).status_code == 200


def refreshed(client, token, access=None):
    headers = {"Authorization": f"Bearer {access}"} if access else {}
    return client.post(REFRESH, json={"refresh_token": token}, headers=headers)


def told(answer):
    body = answer.get_json()
    return answer.status_code, body["exception"], body["reasons"]


FAILED = (401, "AuthenticationFailed", ["Authentication failed."])


def forget_access_cookie(client):
    client.delete_cookie("access_token")


# From a body.


def test_a_client_without_a_device_keeps_its_refresh_token(client):
    first = tokens_of(client)
    second = refreshed(client, first["refresh_token"]).get_json()
    assert second["refresh_token"] == first["refresh_token"]
    assert client.get(ME, headers={"Authorization": f"Bearer {second['access_token']}"}).status_code == 200


def test_a_client_that_names_its_device_gets_another_each_time(client, clock):
    first = tokens_of(client, device="poste du bureau")
    second = refreshed(client, first["refresh_token"]).get_json()
    assert second["refresh_token"] != first["refresh_token"]
    clock.move(seconds=31)
    assert told(refreshed(client, first["refresh_token"])) == FAILED
    assert told(refreshed(client, second["refresh_token"])) == FAILED
    assert client.get(ME, headers={"Authorization": f"Bearer {second['access_token']}"}).status_code == 401


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": None}, {"refresh_token": 3}, {"refresh_token": ["x"]}])
def test_a_missing_refresh_token_is_told_so(client, body):
    answer = client.post(REFRESH, json=body) if body is not None else client.post(REFRESH)
    assert told(answer) == (400, "MissingRefreshToken", ["Refresh token not present."])


@pytest.mark.parametrize("token", ["x", "é", "\x00", "y" * 9000])
def test_a_wrong_refresh_token_fails(client, token):
    assert told(refreshed(client, token)) == FAILED


def test_the_refresh_token_of_another_region_fails(client):
    token = tokens_of(client)["refresh_token"]
    assert told(client.post("/api/normandie/auth/refresh", json={"refresh_token": token})) == FAILED


def test_the_access_token_may_be_expired_but_not_wrong(client, clock):
    tokens = tokens_of(client)
    clock.move(seconds=1000)
    assert refreshed(client, tokens["refresh_token"], tokens["access_token"]).status_code == 200
    assert told(refreshed(client, tokens["refresh_token"], "garbage")) == FAILED
    assert told(refreshed(client, tokens["refresh_token"], tokens["access_token"][:-4] + "AAAA")) == FAILED


def test_the_access_token_of_another_account_fails_and_burns_nothing(client):
    other_id = an_account("autre@brest.test")
    other = db.session.scalars(select(User).where(User.id == other_id)).one()
    foreign = make_access_token(other, UUID(int=1), life_seconds=900, now=utc_now())
    tokens = tokens_of(client, device="poste")
    assert told(refreshed(client, tokens["refresh_token"], foreign)) == FAILED
    assert refreshed(client, tokens["refresh_token"]).status_code == 200


def test_each_kind_of_token_is_refused_in_the_place_of_the_other(client):
    tokens = tokens_of(client)
    assert told(refreshed(client, tokens["access_token"])) == FAILED
    assert client.get(ME, headers={"Authorization": f"Bearer {tokens['refresh_token']}"}).status_code == 401


@pytest.mark.parametrize("slash", ["", "/"])
def test_leaving_ends_the_session_as_often_as_one_likes(client, slash):
    tokens = tokens_of(client)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    for _ in range(2):
        answer = client.post(LOGOUT + slash, headers=bearer)
        assert answer.status_code == 204
        assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert client.get(ME, headers=bearer).status_code == 401
    assert told(refreshed(client, tokens["refresh_token"])) == FAILED


def test_leaving_works_with_an_expired_access_token_a_refresh_token_or_none(client, clock):
    first, second = tokens_of(client, device="a"), tokens_of(client, device="b")
    clock.move(seconds=1000)
    assert client.post(LOGOUT, headers={"Authorization": f"Bearer {first['access_token']}"}).status_code == 204
    assert told(refreshed(client, first["refresh_token"])) == FAILED
    assert client.post(LOGOUT, json={"refresh_token": second["refresh_token"]}).status_code == 204
    assert told(refreshed(client, second["refresh_token"])) == FAILED
    assert client.post(LOGOUT).status_code == 204


def test_leaving_with_a_forged_token_is_refused(client):
    assert client.post(LOGOUT, headers={"Authorization": "Bearer garbage"}).status_code == 401


# From cookies.


def test_cookies_are_renewed_and_the_answer_holds_the_tokens(client):
    sign_in_by_cookie(client)
    before = cookies_of(client, *NAMES)
    assert set(before) == set(NAMES)
    forget_access_cookie(client)
    answer = client.post(REFRESH, headers={"X-CSRF-TOKEN": before["csrf_token"]})
    after = cookies_of(client, *NAMES)
    assert answer.get_json() == {"access_token": after["access_token"], "refresh_token": after["refresh_token"]}
    assert after["refresh_token"] != before["refresh_token"]


def test_leaving_clears_the_cookies_but_that_of_the_device(client):
    sign_in_by_cookie(client)
    device = cookies_of(client, "device")
    forget_access_cookie(client)
    assert client.post(LOGOUT, headers={"X-CSRF-TOKEN": cookies_of(client, *NAMES)["csrf_token"]}).status_code == 204
    assert cookies_of(client, *NAMES) == {}
    assert device and cookies_of(client, "device") == device
    assert db.session.scalars(select(Session.ended_at)).one() is not None


def test_a_known_browser_keeps_its_slot(client):
    sign_in_by_cookie(client)
    sign_in_by_cookie(client)
    assert len(set(db.session.scalars(select(Session.device_digest)))) == 1
    other = client.application.test_client()
    sign_in_by_cookie(other)
    assert len(set(db.session.scalars(select(Session.device_digest)))) == 2


def test_a_forged_device_cookie_is_no_device(client):
    client.set_cookie("device", "forged")
    sign_in_by_cookie(client)
    assert cookies_of(client, "device")["device"] != "forged"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_in_production_the_cookies_are_bound_to_the_host(make_app, clock):
    app = make_app(
        ENV="production",
        PUBLIC_URL="https://localhost",
        SMTP_URL="smtp+plain://127.0.0.1:25",
        MAIL_FROM="compte@exemple.fr",
        OPERATOR_MAIL="exploitation@exemple.fr",
    )
    with app.app_context():
        an_account(MAIL)
        answer = app.test_client().post("/api/bretagne/user/auth", json={"login": MAIL, "password": PASSWORD})
        db.session.remove()
    cookies = {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}
    assert {f"__Host-{name}" for name in (*NAMES, "device")} <= set(cookies)
    for name, line in cookies.items():
        assert "Secure" in line and "Path=/" in line and "SameSite=Lax" in line and "Domain" not in line
        assert ("HttpOnly" in line) == (name != "__Host-csrf_token")


# Pages.


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_or_a_form_goes_on_when_the_access_token_is_over(client, clock, method):
    sign_in_by_cookie(client)
    form_token = client.get(PAGE).get_data(as_text=True).split()[1]
    before = cookies_of(client, *NAMES)
    clock.move(seconds=3600)
    answer = client.open(PAGE, method=method, data={"csrf_token": form_token} if method == "POST" else None)
    assert answer.status_code == 200
    after = cookies_of(client, *NAMES)
    assert after["refresh_token"] != before["refresh_token"]
    assert jwt.decode(after["access_token"], options={"verify_signature": False})["iat"] == int(clock.now().timestamp())
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_live_access_token_is_not_renewed(client):
    sign_in_by_cookie(client)
    assert "refresh_token" not in str(client.get(PAGE).headers)
    assert db.session.scalar(select(func.count()).select_from(RefreshToken)) == 1


@pytest.mark.parametrize(
    ("method", "headers"),
    [("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch;prerender"}), ("GET", {"Purpose": "prefetch"})],
)
def test_nobody_looks_at_heads_and_prefetches(client, method, headers):
    sign_in_by_cookie(client)
    forget_access_cookie(client)
    assert client.open(PAGE, method=method, headers=headers).status_code == 303
    assert db.session.scalar(select(func.count()).select_from(RefreshToken)) == 1


def test_an_endpoint_is_not_renewed_by_itself(client):
    sign_in_by_cookie(client)
    forget_access_cookie(client)
    assert client.get(ENDPOINT).status_code == 401


def test_a_header_is_not_helped_by_cookies(client):
    sign_in_by_cookie(client)
    forget_access_cookie(client)
    assert client.get(PAGE, headers={"Authorization": "Bearer garbage"}).status_code == 303


def test_a_dead_refresh_cookie_leads_to_signing_in(client, clock):
    sign_in_by_cookie(client)
    clock.move(days=15)
    assert client.get(PAGE).status_code == 303


def test_twenty_pages_at_once_stay_signed_in(client, app_with_probes):
    sign_in_by_cookie(client)
    cookie = f"refresh_token={cookies_of(client, 'refresh_token')['refresh_token']}"
    answers, gate = [], threading.Barrier(20)

    def visit():
        lone = app_with_probes.test_client(use_cookies=False)
        gate.wait()
        answers.append(lone.get(PAGE, headers={"Cookie": cookie}))

    threads = [threading.Thread(target=visit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 20
    lines = [line for answer in answers for line in answer.headers.getlist("Set-Cookie")]
    renewed = {line.partition(";")[0] for line in lines if line.startswith("refresh_token=")}
    assert len(renewed) == 1
