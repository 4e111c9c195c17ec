"""The description of the API is true: its routes are ours, its required fields are asked, our answers fit it."""

import json
import re

import pytest
from openapi_spec_validator import validate

from tests.support.json_client import PASSWORD, JsonClient, wait_for_link
from tests.support.openapi import METHODS, answer_faults, described_path, description

MAIL = "Soizic.Kerebel@example.org"


def anonymous(path: str) -> str:
    """A path without the names of its parameters, which routes and description may choose differently."""
    return re.sub(r"[<{][^>}]+[>}]", "{}", path).rstrip("/")


def described() -> set[tuple[str, str]]:
    paths = description()["paths"].items()
    return {(anonymous(path), method.upper()) for path, item in paths for method in item if method in METHODS}


def served(app) -> set[tuple[str, str]]:
    pages = {rule.rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(("/api/", "/.well-known/"))}
    operation = {"/livez", "/readyz", "/metrics"}
    return {
        (anonymous(rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule not in pages - operation
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def test_it_is_valid_openapi():
    assert description()["openapi"] == "3.1.0"
    validate(description())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_its_routes_are_those_of_the_service(app):
    assert described() - served(app) == set(), "described, but not served"
    assert served(app) - described() == set(), "served, but not described"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_it_is_served_as_it_is(client):
    answer = client.get("/api/openapi.yaml")
    assert (answer.status_code, answer.mimetype) == (200, "application/yaml")
    assert answer.get_data(as_text=True).startswith("openapi: 3.1.0")


def test_every_operation_has_a_name_of_its_own():
    names = [operation["operationId"] for item in description()["paths"].values()
             for method, operation in item.items() if method in METHODS]  # fmt: skip
    assert len(names) == len(set(names))


OPEN_FORMS = ["/user", "/user/confirm", "/user/confirm/resend", "/user/password/regenerate", "/user/mail/confirm"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", OPEN_FORMS)
def test_the_fields_it_requires_are_those_the_service_asks_for(client, path):
    operation = description()["paths"]["/api/{region}" + path]["post"]
    body = operation["requestBody"]
    if "$ref" in body:
        body = description()["components"]["requestBodies"][body["$ref"].rpartition("/")[2]]
    answer = client.post("/api/bretagne" + path, json={})
    assert answer.status_code == 422
    assert set(answer.get_json()["errors"]) == set(body["content"]["application/json"]["schema"]["required"])


@pytest.mark.parametrize(
    ("method", "path", "status", "content_type", "body"),
    [
        ("GET", "/api/regions", 200, "application/json", {"regions": [{"key": "x", "nom": "X"}]}),
        ("GET", "/api/regions", 200, "application/json", {"regions": [], "more": 1}),
        ("GET", "/api/regions", 200, "text/html", {"regions": []}),
        ("GET", "/api/regions", 201, "application/json", {"regions": []}),
        ("GET", "/api/bretagne/auth/me", 401, "application/problem+json", {"code": "x"}),
        ("POST", "/api/bretagne/user", 201, "application/json", {"login": "a@b.fr", "active": True}),
        ("POST", "/api/bretagne/auth/", 200, "application/json", {"access_token": "x"}),
    ],
)
def test_the_judge_sees_an_answer_that_does_not_fit(method, path, status, content_type, body):
    assert list(answer_faults(method, path, status, content_type, json.dumps(body).encode()))


OUTSIDE_REGIONS = ["/livez", "/readyz", "/metrics", "/.well-known/jwks.json", "/api/regions", "/api/openapi.yaml"]
CAPTCHA = "/api/bretagne/captcha"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", [*OUTSIDE_REGIONS, CAPTCHA + "?form=confirm", CAPTCHA + "?form=x"])
def test_what_needs_no_account_answers_as_described(client, path):
    answer = client.get(path)
    kind = answer.headers["Content-Type"]
    assert list(answer_faults("GET", path.partition("?")[0], answer.status_code, kind, answer.get_data())) == []


def test_a_path_without_parameter_wins_over_one_with():
    assert described_path("/api/bretagne/admin/users/decisions") == "/api/{region}/admin/users/decisions"


class JudgedClient(JsonClient):
    """A client that remembers which operations have answered well, and judges every answer."""

    seen: set[tuple[str, str]] = set()  # noqa: RUF012 - shared on purpose by the clients of one walk

    def call(self, method, path, body=None, **kwargs):
        answer = super().call(method, path, body, **kwargs)
        whole = f"/api/{self.region}{path}".partition("?")[0]
        kind = answer.headers.get("Content-Type", "")
        assert list(answer_faults(method, whole, answer.status_code, kind, answer.content)) == [], (method, path)
        if answer.status_code < 300:
            self.seen.add((described_path(whole), method))
        return answer


@pytest.mark.timeout(120)
def test_what_the_service_answers_fits_it(make_server):
    """A walk over every route of the API, each answering well at least once."""
    server = make_server()
    first = server.first_admin()
    region = first["region"]
    JudgedClient.seen.clear()
    person, admin = JudgedClient(server.url, region), JudgedClient(server.url, region)

    assert person.ask_for_account(MAIL, motif="Notre plan climat.").status_code == 201
    captcha = person.captcha("confirm")
    assert person.call("POST", "/user/confirm/resend", {"mail": MAIL, "captcha": captcha}).status_code == 202
    admin.sign_in_first_time(first["mail"], first["temporary password"], PASSWORD)
    user = admin.call("GET", "/admin/users?status=unconfirmed").json()["users"][0]
    one = f"/admin/users/{user['id']}"
    assert admin.call("POST", one + "/resend-confirmation", {}).status_code == 200
    assert admin.call("POST", one + "/activate", {}).json()["code"] == "user_unconfirmed"
    token = wait_for_link(server.url, MAIL, "confirmer")
    assert person.call("POST", "/user/confirm", {"token": token, "password": PASSWORD}).status_code == 204
    assert person.call("POST", "/auth", {"login": MAIL, "password": PASSWORD}).status_code == 401
    for act, body in DECISIONS:
        assert admin.call("POST", f"{one}/{act}", body).status_code == 200, act
    decided = admin.call("POST", "/admin/users/decisions", {"ids": [user["id"], "x"], "action": "activate"})
    assert [item["result"] for item in decided.json()["results"]] == ["already", "unknown"]
    assert admin.call("GET", one).json()["history"]
    assert admin.call("GET", "/admin/audit?limit=2").json()["events"]

    refreshed = person.sign_in(MAIL, PASSWORD)["refresh_token"]
    for path in ("/auth/me", "/auth/verify", "/user/export", "/user/sessions"):
        assert person.call("GET", path).status_code == 200, path
    assert person.call("GET", "/admin/users").status_code == 403
    assert person.call("PATCH", "/user", {"fonction": "Chargée de mission"}).json()["me"]["prenom"]
    assert person.call("POST", "/auth/refresh", {"refresh_token": refreshed}).status_code == 200
    assert person.call("POST", "/auth/refresh", {"refresh_token": "x"}).status_code == 401
    assert person.call("DELETE", "/user/sessions").status_code == 204
    other = JudgedClient(server.url, region)
    other.call("POST", "/user/auth", {"login": MAIL, "password": PASSWORD})
    foreign = [item for item in person.call("GET", "/user/sessions").json()["sessions"] if not item["current"]]
    assert person.call("DELETE", f"/user/sessions/{foreign[0]['id']}").status_code == 204
    newer = "vallon cithare brume 58"
    change = {"password": PASSWORD, "new_password": newer}
    assert person.call("PUT", "/user/password", change).status_code == 204
    moved = {"mail": "soizic@example.net", "password": newer}
    assert person.call("POST", "/user/mail", moved).status_code == 202
    token = wait_for_link(server.url, "soizic@example.net", "adresse")
    assert person.call("POST", "/user/mail/confirm", {"token": token}).status_code == 204
    captcha = person.captcha("regenerate_password")
    asked = {"mail": "soizic@example.net", "captcha": captcha}
    assert person.call("POST", "/user/password/regenerate", asked).status_code == 202
    assert person.call("DELETE", "/user", {"password": "wrong"}).status_code == 422
    assert person.call("DELETE", "/user", {"password": newer}).status_code == 204
    assert admin.call("POST", "/auth/logout").status_code == 204

    region_routes = {(path, method.upper()) for path, item in description()["paths"].items()
                     for method in item if method in METHODS and path.startswith("/api/{region}/")}  # fmt: skip
    assert region_routes - JudgedClient.seen == {("/api/{region}/captcha", "GET")}


DECISIONS = [
    ("refuse", {"reason": "Dossier incomplet."}),
    ("activate", {}),
    ("disable", {}),
    ("enable", {}),
    ("role", {"role": "admin"}),
    ("role", {"role": "user"}),
    ("regenerate-password", {}),
    ("sign-out", {}),
]
