"""The throttle and the automatic check cannot be walked around: other addresses, spellings, doors, payloads."""

import base64
import json

import pytest
from sqlalchemy import func, select

from terristory.auth.throttle import CAPTCHA_AFTER
from terristory.captcha.models import SpentChallenge
from terristory.extensions import db
from terristory.user.models import User
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import csrf_in, json_answers, outbox

MAIL = "Jeanne@Brest.test"
WRONG = "autre phrase de passe 7"
AUTH = "/api/bretagne/auth"
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def person(client):
    return an_account(MAIL)


def fail(client, mail=MAIL, **more):
    return client.post(AUTH, json={"login": mail, "password": WRONG}, **more)


def exhaust(client, tries=CAPTCHA_AFTER):
    codes = [fail(client).get_json()["code"] for _ in range(tries)]
    assert codes[-1] == "captcha_required"
    return codes


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For",
        "X-Real-IP",
        "Forwarded",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Originating-IP",
    ],
)
def test_another_forwarded_address_at_each_try_wins_nothing(client, person, header):
    codes = []
    for number in range(CAPTCHA_AFTER + 3):
        address = f"203.0.113.{number}"
        value = f"for={address}" if header == "Forwarded" else address
        codes.append(fail(client, headers={header: value}).get_json()["code"])
    assert codes.index("captcha_required") == CAPTCHA_AFTER - 1
    assert set(codes[CAPTCHA_AFTER:]) == {"captcha_required"}


def test_requests_are_counted_for_the_true_network_whatever_is_forwarded(make_app):
    app = make_app(LIMIT_SIGN_IN="3/minute")
    with app.app_context():
        client = app.test_client()
        statuses = [
            fail(client, "x@brest.test", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
            for number in range(5)
        ]
        assert statuses == [401, 401, 401, 429, 429]
        db.session.remove()


def test_behind_a_trusted_proxy_only_its_own_word_counts(make_app):
    """What the client wrote before the last hop may change at each try; the hop itself does not."""
    app = make_app(LIMIT_SIGN_IN="3/minute", TRUSTED_PROXIES=1)
    with app.app_context():
        client = app.test_client()

        def statuses(last, first="10.0.0.{}"):
            forwarded = [f"{first.format(number)}, {last}" for number in range(5)]
            return [fail(client, "x@b.test", headers={"X-Forwarded-For": value}).status_code for value in forwarded]

        assert statuses("198.51.100.7") == [401, 401, 401, 429, 429]
        assert statuses("198.51.100.8") == [401, 401, 401, 429, 429]
        db.session.remove()


def test_the_addresses_of_one_ipv6_client_are_one_network(make_app):
    app = make_app(LIMIT_SIGN_IN="3/minute")
    with app.app_context():
        client = app.test_client()
        statuses = [
            fail(client, "x@b.test", environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"}).status_code
            for number in range(1, 6)
        ]
        assert statuses == [401, 401, 401, 429, 429]
        db.session.remove()


@pytest.mark.parametrize(
    "twin", ["jeanne@brest.test", "JEANNE@BREST.TEST", " Jeanne@Brest.test ", "jeanne@ｂｒｅｓｔ.test"]
)
def test_another_spelling_has_no_budget_of_its_own(client, person, twin):
    codes = [fail(client, mail).get_json()["code"] for mail in [twin, MAIL] * 3]
    assert codes.index("captcha_required") == CAPTCHA_AFTER - 1
    answer = client.post(AUTH, json={"login": twin, "password": PASSWORD})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "captcha_required")


def by_page(client, password):
    token = csrf_in(client.get("/bretagne/connexion"))
    return client.post("/bretagne/connexion", data={"login": MAIL, "password": password, "csrf_token": token})


def test_what_was_exhausted_at_one_door_is_exhausted_at_all(client, person):
    exhaust(client)
    for path in (AUTH, "/api/bretagne/auth/", "/api/bretagne/user/auth"):
        answer = client.post(path, json={"login": MAIL, "password": PASSWORD})
        assert (answer.status_code, answer.get_json()["code"]) == (401, "captcha_required"), path
    assert by_page(client, PASSWORD).status_code == 422
    assert client.get_cookie("access_token") is None


def test_the_page_counts_for_the_other_doors(client, person):
    for _ in range(CAPTCHA_AFTER):
        assert by_page(client, WRONG).status_code == 422
    answer = client.post(AUTH, json={"login": MAIL, "password": PASSWORD})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "captcha_required")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/user/password", {"password": WRONG, "new_password": "girafe violon tempête 7 carottes"}),
        ("POST", "/user/mail", {"password": WRONG, "mail": "neuf@brest.test"}),
        ("DELETE", "/user", {"password": WRONG}),
    ],
)
def test_guessing_the_current_password_counts_as_signing_in(client, person, method, path, body):
    """A stolen session is no oracle for the password."""
    bearer = bearer_of(client, MAIL)
    statuses = [
        client.open(f"/api/bretagne{path}", method=method, json=body, headers=bearer).status_code for _ in range(8)
    ]
    assert statuses[0] == 422 and statuses[-1] == 429
    stranger = client.application.test_client()
    answer = stranger.post(AUTH, json={"login": MAIL, "password": PASSWORD})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "captcha_required")


def test_other_devices_cookies_and_languages_win_no_budget(client, person):
    codes = []
    for number in range(CAPTCHA_AFTER + 1):
        fresh = client.application.test_client()
        headers = {"User-Agent": f"agent {number}", "Accept-Language": ["fr", "en"][number % 2]}
        body = {"login": MAIL, "password": WRONG, "device": f"device {number}"}
        codes.append(fresh.post(AUTH, json=body, headers=headers).get_json()["code"])
    assert codes[CAPTCHA_AFTER] == "captcha_required"


def test_a_forged_device_cookie_makes_nobody_known(client, person):
    exhaust(client)
    for value in ("x", "ImRldmljZSI.aaaa.bbbb", "a" * 3000):
        stranger = client.application.test_client()
        stranger.set_cookie("device", value[:3000])
        answer = stranger.post("/api/bretagne/user/auth", json={"login": MAIL, "password": PASSWORD})
        assert answer.get_json()["code"] == "captcha_required"


# The automatic check.


def payload_of(token):
    return json.loads(base64.b64decode(token))


def token_of(payload):
    return base64.b64encode(json.dumps(payload).encode()).decode()


def ask(client, captcha, mail="neuf@brest.test"):
    return client.post("/api/bretagne/user", json={**json_answers(client, mail=mail), "captcha": captcha})


def variants(token):
    """The same solved challenge in other clothes."""
    payload = payload_of(token)
    yield "the same", token
    yield "other order", token_of(dict(reversed(payload.items())))
    yield "one more name", token_of({**payload, "x": 1})
    yield "spaces", base64.b64encode(json.dumps(payload, indent=1).encode()).decode()
    yield "junk in base64", token[:20] + "\n" + token[20:]
    yield "no padding", token.rstrip("=")
    yield "url-safe", token.replace("+", "-").replace("/", "_")
    yield "trailing", token + "AAAA"
    for name, value in _changed_solutions(payload):
        yield name, token_of(value)


def _changed_solutions(payload):
    solution = payload.get("solution", {})
    for name in solution:
        yield f"solution.{name}", {**payload, "solution": {**solution, name: 1}}
        yield f"solution.{name} as text", {**payload, "solution": {**solution, name: str(solution[name])}}


def test_a_solved_check_serves_once_in_whatever_clothes(client):
    token = solved_captcha(client, "bretagne", "create_user")
    assert ask(client, token, "premier@brest.test").status_code == 201
    names = []
    for name, variant in variants(token):
        answer = ask(client, variant)
        names.append(name)
        assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["captcha"]), name
    assert len(names) > 8
    assert db.session.scalar(select(func.count()).select_from(SpentChallenge)) == 1
    assert [user.mail for user in db.session.query(User)] == ["premier@brest.test"]
    assert len(outbox()) == 1


def test_a_check_spent_in_one_process_is_spent_in_the_other(make_app):
    first, second = make_app(RATE_LIMITS=False), make_app(RATE_LIMITS=False)
    with first.app_context():
        client = first.test_client()
        token = solved_captcha(client, "bretagne", "create_user")
        assert ask(client, token, "premier@brest.test").status_code == 201
        db.session.remove()
    with second.app_context():
        assert ask(second.test_client(), token).status_code == 422
        db.session.remove()


@ONLY_SQLITE
@pytest.mark.parametrize("form", ["confirm", "regenerate_password", "authenticate"])
def test_a_check_of_another_form_or_region_does_not_serve(client, form):
    assert ask(client, solved_captcha(client, "bretagne", form)).status_code == 422
    assert ask(client, solved_captcha(client, "corse", "create_user")).status_code == 422
    assert outbox() == []


@ONLY_SQLITE
def test_a_check_whose_terms_were_changed_does_not_serve(client):
    payload = payload_of(solved_captcha(client, "bretagne", "create_user"))
    terms = payload["challenge"]["parameters"]
    assert len(terms) >= 5
    for name in terms:
        without = {key: value for key, value in terms.items() if key != name}
        # The library fills in its own default, 32, which is what we sign.
        absent = [] if name == "keyLength" else [without, {**terms, name: None}]
        for changed in (*absent, {**terms, name: 987_654_321}, {**terms, name: "easier"}):
            forged = token_of({**payload, "challenge": {**payload["challenge"], "parameters": changed}})
            assert ask(client, forged).status_code == 422, (name, changed.get(name))
    unsigned = {key: value for key, value in payload["challenge"].items() if key != "signature"}
    assert ask(client, token_of({**payload, "challenge": unsigned})).status_code == 422
    assert outbox() == []
    assert ask(client, token_of(payload)).status_code == 201


@ONLY_SQLITE
@pytest.mark.parametrize(
    "captcha", ["", " ", "x", "e30=", "bnVsbA==", "W10=", "A" * 15_000, "é", "{}", "null", "=" * 100]
)
def test_garbage_is_no_check(client, captcha):
    assert ask(client, captcha).status_code == 422
    assert outbox() == []


@ONLY_SQLITE
def test_an_expired_check_does_not_serve(client, clock):
    token = solved_captcha(client, "bretagne", "create_user")
    clock.move(minutes=11)
    assert ask(client, token).status_code == 422
