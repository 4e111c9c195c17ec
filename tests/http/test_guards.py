"""Who may pass: tokens, sessions, roles and regions are judged at each request, in the words of the original API."""

import pytest

from terristory.auth.guards import SAFE_METHODS
from terristory.auth.models import Session
from terristory.auth.revocation import end_all_sessions
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.regions.models import Region
from terristory.user.models import Role, Status, User
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of
from tests.support.probes import ADMIN_ENDPOINT, ADMIN_PAGE, CHOOSE_ENDPOINT, CHOOSE_PAGE, ENDPOINT, PAGE, add_probes

MAIL = "jeanne@brest.test"
ME, VERIFY = "/api/bretagne/auth/me", "/api/bretagne/auth/verify"
ABSENT, BAD_HEADER = "Authorization header not present.", "Authorization header is invalid."
INVALID, EXPIRED = "Auth required.", "Signature has expired."


@pytest.fixture
def client(make_app, clock):
    app = add_probes(make_app(RATE_LIMITS=False))
    with app.app_context():
        yield app.test_client()
        db.session.remove()


@pytest.fixture
def user_id(client):
    return an_account(MAIL)


@pytest.fixture
def bearer(client, user_id):
    return bearer_of(client, MAIL)


def sign_in_by_cookie(client, region="bretagne"):
    answer = client.post(f"/api/{region}/user/auth", json={"login": MAIL, "password": PASSWORD})
    assert answer.status_code == 200


def changed(model, key, **values):
    with transaction():
        for name, value in values.items():
            setattr(db.session.get_one(model, key), name, value)


def told(answer):
    body = answer.get_json()
    return answer.status_code, body["exception"], body["reasons"]


def test_me_is_the_account_as_it_is_now(client, user_id, bearer):
    changed(User, user_id, prenom="Anne")
    me = client.get(ME, headers=bearer).get_json()["me"]
    assert (me["id"], me["prenom"], me["active"]) == (str(user_id), "Anne", True)
    assert me["user_id"] == {"mail": MAIL, "region": "bretagne"}
    assert "password_change_required" not in me and "password_hash" not in me


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_trailing_slash_changes_nothing(client, bearer, slash):
    assert client.get(ME + slash, headers=bearer).status_code == 200
    assert client.get(VERIFY + slash, headers=bearer).get_json() == {"valid": True}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_counts_in_any_case(client, bearer, scheme):
    token = bearer["Authorization"].split()[1]
    assert client.get(ME, headers={"Authorization": f"{scheme} {token}"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, ABSENT),
        ("Basic dTpw", BAD_HEADER),
        ("Bearer", BAD_HEADER),
        ("Bearer a b", BAD_HEADER),
        ("", BAD_HEADER),
        ("Bearer garbage", INVALID),
        ("Bearer a.b.c", INVALID),
    ],
)
def test_a_protected_route_says_what_is_wrong_with_the_token(client, header, reason):
    headers = {} if header is None else {"Authorization": header}
    assert told(client.get(ME, headers=headers)) == (401, "Unauthorized", [reason])


def test_an_expired_token_is_told_so(client, bearer, clock):
    clock.move(seconds=911)
    assert told(client.get(ME, headers=bearer)) == (401, "Unauthorized", [EXPIRED])


def test_a_token_of_another_region_is_no_token_here(client, bearer):
    assert told(client.get("/api/normandie/auth/me", headers=bearer)) == (401, "Unauthorized", [INVALID])


@pytest.mark.parametrize("path", ["auth/me", "auth/verify"])
@pytest.mark.parametrize("region", ["atlantide", "Bretagne"])
def test_an_unknown_region_is_not_found_with_or_without_a_token(client, bearer, region, path):
    assert client.get(f"/api/{region}/{path}", headers=bearer).status_code == 404
    assert client.get(f"/api/{region}/{path}").status_code == 404


def test_a_region_that_closes_is_not_found(client, bearer):
    changed(Region, "bretagne", is_open=False)
    assert client.get(ME, headers=bearer).status_code == 404


@pytest.mark.parametrize(
    ("header", "status", "exception", "reason"),
    [
        (None, 401, "MissingAuthorizationHeader", ABSENT),
        ("Basic dTpw", 400, "InvalidAuthorizationHeader", BAD_HEADER),
        ("Bearer garbage", 401, "InvalidToken", INVALID),
    ],
)
def test_verify_speaks_as_the_original(client, header, status, exception, reason):
    answer = client.get(VERIFY, headers={} if header is None else {"Authorization": header})
    assert told(answer) == (status, exception, [reason])
    assert answer.get_json()["valid"] is False


def test_verify_tells_an_expired_token(client, bearer, clock):
    clock.move(seconds=911)
    answer = client.get(VERIFY, headers=bearer)
    assert told(answer) == (401, "InvalidToken", [EXPIRED])
    assert answer.get_json()["valid"] is False


def test_an_ended_session_is_over_at_the_next_request(client, user_id, bearer):
    with transaction():
        end_all_sessions(user_id, now=utc_now())
    assert told(client.get(ME, headers=bearer)) == (401, "Unauthorized", [INVALID])


@pytest.mark.parametrize("change", [{"status": Status.DISABLED}, {"closing_at": utc_now()}])
def test_an_account_that_stops_is_out_at_the_next_request(client, user_id, bearer, change):
    changed(User, user_id, **change)
    assert client.get(ME, headers=bearer).status_code == 401


def test_the_role_is_read_at_each_request(client, user_id, bearer):
    assert told(client.get(ADMIN_ENDPOINT, headers=bearer))[:2] == (403, "Forbidden")
    changed(User, user_id, role=Role.ADMIN)
    assert client.get(ADMIN_ENDPOINT, headers=bearer).status_code == 200
    changed(User, user_id, role=Role.USER)
    assert client.get(ADMIN_ENDPOINT, headers=bearer).status_code == 403


def test_a_bad_header_never_falls_through_to_a_good_cookie(client, user_id):
    sign_in_by_cookie(client)
    assert client.get(ME).status_code == 200
    for header in ("Basic dTpw", "Bearer garbage", ""):
        assert client.get(ME, headers={"Authorization": header}).status_code == 401


def test_a_cookie_that_comes_twice_is_no_token(client, user_id):
    sign_in_by_cookie(client)
    twice = "access_token={0}; access_token={0}".format(client.get_cookie("access_token").value)
    lone = client.application.test_client(use_cookies=False)
    assert lone.get(ME, headers={"Cookie": twice}).status_code == 401


def test_a_token_in_the_address_does_not_count(client, bearer):
    assert client.get(f"{ME}?jwt={bearer['Authorization'].split()[1]}").status_code == 401


def test_a_session_of_a_temporary_password_may_only_choose(client, user_id, bearer):
    session = db.session.query(Session).one()
    changed(Session, session.id, must_change_password=True)
    answer = client.get(ENDPOINT, headers=bearer)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "password_change_required")
    assert client.get(CHOOSE_ENDPOINT, headers=bearer).status_code == 200
    assert client.get(ME, headers=bearer).get_json()["me"]["password_change_required"] is True
    assert client.get(VERIFY, headers=bearer).status_code == 200


def test_a_page_sends_who_is_signed_out_to_sign_in_and_back(client):
    answer = client.get(f"{PAGE}?a=1&b=2")
    assert answer.status_code in (302, 303)
    assert answer.location == "/bretagne/connexion?next=/bretagne/essai?a%3D1%26b%3D2"


def test_a_page_knows_its_visitor_and_refuses_a_member_where_admins_go(client, user_id):
    sign_in_by_cookie(client)
    assert client.get(PAGE).get_data(as_text=True).startswith(MAIL)
    assert client.get(ADMIN_PAGE).status_code == 403
    changed(User, user_id, role=Role.ADMIN)
    assert client.get(ADMIN_PAGE).status_code == 200


def test_a_visitor_signed_in_elsewhere_is_signed_out_here(client, user_id):
    sign_in_by_cookie(client)
    assert client.get(PAGE.replace("bretagne", "normandie")).location.startswith("/normandie/connexion")


@pytest.mark.parametrize("page", [CHOOSE_PAGE])
def test_a_page_of_the_forced_choice_opens_to_a_temporary_session(client, user_id, page):
    sign_in_by_cookie(client)
    changed(Session, db.session.query(Session).one().id, must_change_password=True)
    assert client.get(page).status_code == 200


def test_options_run_no_view(client):
    assert "OPTIONS" in SAFE_METHODS
    assert client.options(ENDPOINT).get_data() == b""


def test_the_published_keys_are_empty_for_a_shared_secret_and_public_for_a_pair(client, make_app):
    assert client.get("/.well-known/jwks.json").get_json() == {"keys": []}
    keys = make_app(JWT_ALGORITHM="EdDSA").test_client().get("/.well-known/jwks.json").get_json()["keys"]
    assert [set(key) for key in keys] == [{"kty", "crv", "x", "kid", "use", "alg"}]
