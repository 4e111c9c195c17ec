"""The promise to clients of the original (sanic-jwt) API, row by row (contract, section 2).

Against a service of our own, or against any other that TERRISTORY_BASE_URL names: then TERRISTORY_LOGIN,
TERRISTORY_PASSWORD (of an active account) and, if it is not bretagne, TERRISTORY_REGION say who may sign in there.
"""

import base64
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.support.environment import service_environment
from tests.support.json_client import PASSWORD, JsonClient
from tests.support.server import running_server

FAILED = ("AuthenticationFailed", ["Authentication failed."])
ABSENT = "Authorization header not present."
INVALID = "Authorization header is invalid."
SLASHES = pytest.mark.parametrize("slash", ["", "/"])


@dataclass(frozen=True)
class Service:
    """A running service and somebody who may sign in there."""

    url: str
    region: str
    login: str
    password: str

    def call(self, method: str, path: str, **options) -> requests.Response:
        return requests.request(method, f"{self.url}/api/{self.region}/auth{path}", timeout=30, **options)

    def signed_in(self) -> dict:
        answer = self.call("POST", "", json={"login": self.login, "password": self.password})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service under test, without limits by count: each row is a wrong try."""
    elsewhere = os.environ.get("TERRISTORY_BASE_URL")
    if elsewhere:
        region = os.environ.get("TERRISTORY_REGION", "bretagne")
        yield Service(elsewhere, region, os.environ["TERRISTORY_LOGIN"], os.environ["TERRISTORY_PASSWORD"])
        return
    folder = tmp_path_factory.mktemp("drop-in")
    environ = service_environment(DATABASE_URL=f"sqlite:///{folder / 'served.sqlite'}", RATE_LIMITS=False)
    with running_server(folder, environ) as server:
        first = server.first_admin()
        client = JsonClient(server.url, first["region"])
        client.sign_in_first_time(first["mail"], first["temporary password"], PASSWORD)
        yield Service(server.url, first["region"], first["mail"], PASSWORD)


def said(answer: requests.Response) -> tuple[int, str, list[str]]:
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    body = answer.json()
    return answer.status_code, body["exception"], body["reasons"]


def bearer(token: str, scheme: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{scheme} {token}"}


def garbled(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'A' * len(signature)}"


@SLASHES
def test_signing_in_answers_two_tokens_and_sets_no_cookie(service, slash):
    answer = service.call("POST", slash, json={"login": service.login, "password": service.password})
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "refresh_token"}
    assert "Set-Cookie" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]


NOT_SIGNING_IN = {
    "nothing": None,
    "an empty object": {},
    "no object": ["login", "password"],
    "no password": {"login": "jeanne@exemple.fr"},
    "no login": {"password": "x"},
    "numbers": {"login": 1, "password": 2},
    "nulls": {"login": None, "password": None},
    "an unknown account": {"login": "inconnue@exemple.fr", "password": "autre phrase de passe 7"},
    "no address": {"login": "jeanne", "password": "autre phrase de passe 7"},
    "a NUL": {"login": "jeanne@exemple.fr", "password": "a\0b"},
}


@SLASHES
@pytest.mark.parametrize("body", NOT_SIGNING_IN.values(), ids=NOT_SIGNING_IN)
def test_every_failure_to_sign_in_says_one_thing(service, slash, body):
    assert said(service.call("POST", slash, json=body)) == (401, *FAILED)


def test_a_wrong_password_says_the_same(service):
    for password in ("autre phrase de passe 7", service.password + " "):
        answer = service.call("POST", "", json={"login": service.login, "password": password})
        assert said(answer) == (401, *FAILED)


def test_an_absent_body_is_an_empty_one(service):
    assert said(service.call("POST", "")) == (401, *FAILED)


def test_unknown_fields_and_wrong_types_of_optional_ones_are_ignored(service):
    body = {"login": service.login, "password": service.password, "device": 7, "captcha": {}, "remember": True}
    assert service.call("POST", "", json=body).status_code == 200


@pytest.mark.parametrize(("raw", "kind", "status"), [
    (b"{", "application/json", 400),
    (b"{}", "text/plain", 415),
    (b'{"login": "' + b"a" * 20000 + b'"}', "application/json", 413),
])  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(service, raw, kind, status):
    answer = service.call("POST", "", data=raw, headers={"Content-Type": kind})
    assert answer.status_code == status


@SLASHES
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_opens_me_and_verify(service, slash, scheme):
    headers = bearer(service.signed_in()["access_token"], scheme)
    me = service.call("GET", f"/me{slash}", headers=headers)
    assert me.status_code == 200
    assert me.json()["me"]["user_id"] == {"mail": service.login, "region": service.region}
    verified = service.call("GET", f"/verify{slash}", headers=headers)
    assert (verified.status_code, verified.json()) == (200, {"valid": True})


def test_a_protected_route_without_a_token(service):
    assert said(service.call("GET", "/me")) == (401, "Unauthorized", [ABSENT])


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Token abc", "abc"])
def test_a_protected_route_with_another_scheme_or_no_token_after_it(service, header):
    answer = service.call("GET", "/me", headers={"Authorization": header})
    assert said(answer) == (401, "Unauthorized", [INVALID])


def test_a_protected_route_with_garbage_a_bad_signature_or_none(service):
    token = service.signed_in()["access_token"]
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).decode().rstrip("=")
    for bad in ("abc", "a.b.c", garbled(token), f"{none}.{token.split('.')[1]}."):
        assert said(service.call("GET", "/me", headers=bearer(bad))) == (401, "Unauthorized", ["Auth required."])


def test_a_protected_route_of_another_region(service):
    headers = bearer(service.signed_in()["access_token"])
    keys = [region["key"] for region in requests.get(f"{service.url}/api/regions", timeout=30).json()["regions"]]
    other = next(key for key in keys if key != service.region)
    answer = requests.get(f"{service.url}/api/{other}/auth/me", headers=headers, timeout=30)
    assert said(answer) == (401, "Unauthorized", ["Auth required."])


def test_a_protected_route_after_the_session_has_ended(service):
    headers = bearer(service.signed_in()["access_token"])
    assert service.call("POST", "/logout", headers=headers).status_code == 204
    assert service.call("POST", "/logout", headers=headers).status_code == 204
    assert said(service.call("GET", "/me", headers=headers)) == (401, "Unauthorized", ["Auth required."])


def test_verify_without_a_token(service):
    assert said(service.call("GET", "/verify")) == (401, "MissingAuthorizationHeader", [ABSENT])


def test_verify_with_another_scheme(service):
    answer = service.call("GET", "/verify", headers={"Authorization": "Basic YTpi"})
    assert said(answer) == (400, "InvalidAuthorizationHeader", [INVALID])


def test_verify_with_garbage(service):
    answer = service.call("GET", "/verify", headers=bearer("abc"))
    assert said(answer) == (401, "InvalidToken", ["Auth required."])
    assert answer.json()["valid"] is False


@SLASHES
def test_a_client_that_names_no_device_keeps_its_refresh_token(service, slash):
    token = service.signed_in()["refresh_token"]
    for _ in range(2):
        answer = service.call("POST", f"/refresh{slash}", json={"refresh_token": token})
        assert answer.status_code == 200
        assert answer.json()["refresh_token"] == token
        assert service.call("GET", "/me", headers=bearer(answer.json()["access_token"])).status_code == 200


@pytest.mark.parametrize("body", [None, {}, [], {"refresh_token": None}, {"refresh_token": 7}])
def test_refreshing_without_a_refresh_token(service, body):
    answer = service.call("POST", "/refresh", json=body)
    assert said(answer) == (400, "MissingRefreshToken", ["Refresh token not present."])


def test_refreshing_with_a_wrong_refresh_token(service):
    tokens = service.signed_in()
    for wrong in ("abc", tokens["access_token"], tokens["refresh_token"][:-1]):
        answer = service.call("POST", "/refresh", json={"refresh_token": wrong})
        assert said(answer) == (401, *FAILED)


def test_refreshing_with_a_wrong_access_token(service):
    tokens = service.signed_in()
    for wrong in ("abc", garbled(tokens["access_token"])):
        answer = service.call(
            "POST", "/refresh", json={"refresh_token": tokens["refresh_token"]}, headers=bearer(wrong)
        )
        assert said(answer) == (401, *FAILED)


def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(service):
    tokens = service.signed_in()
    answer = service.call("GET", "/me", headers=bearer(tokens["refresh_token"]))
    assert said(answer) == (401, "Unauthorized", ["Auth required."])


@pytest.mark.skipif("TERRISTORY_BASE_URL" in os.environ, reason="needs tokens that live for a second")
def test_an_expired_token_says_so(make_server):
    server = make_server(ACCESS_TOKEN_SECONDS=1, JWT_LEEWAY_SECONDS=0)
    first = server.first_admin()
    client = JsonClient(server.url, first["region"])
    tokens = client.sign_in(first["mail"], first["temporary password"])
    service = Service(server.url, first["region"], first["mail"], PASSWORD)
    headers = bearer(tokens["access_token"])
    wait_until_refused(service, headers)
    assert said(service.call("GET", "/me", headers=headers)) == (401, "Unauthorized", ["Signature has expired."])
    verified = service.call("GET", "/verify", headers=headers)
    assert said(verified) == (401, "InvalidToken", ["Signature has expired."])
    refreshed = service.call("POST", "/refresh", json={"refresh_token": tokens["refresh_token"]}, headers=headers)
    assert refreshed.status_code == 200


def wait_until_refused(service: Service, headers: dict[str, str]) -> None:
    until = time.monotonic() + 10
    while service.call("GET", "/me", headers=headers).status_code == 200:
        assert time.monotonic() < until, "the token lives on"
        time.sleep(0.2)
