"""Every field of every JSON route is given every wrong kind of value: it is named, and no error is ours."""

import json
from uuid import UUID

import pytest

from terristory.user.lookup import find_by_mail, find_user
from terristory.user.models import Role, Status
from tests.support.openapi import at, description
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import csrf_in

USER, ADMIN, OBJECT = "user@brest.test", "admin@brest.test", "objet@brest.test"
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
DEEP = json.loads("[" * 900 + "]" * 900)
# Always the same: the names of tests must not change from one process to the next.
AN_ID = str(UUID(int=7))
SHAPES = {
    "null": None,
    "true": True,
    "false": False,
    "0": 0,
    "7": 7,
    "-1": -1,
    "a float": 1.5,
    "a list": [],
    "a full list": ["a", 1],
    "an object": {},
    "a full object": {"$ne": 1, "mail": "x"},
    "nested": {"a": {"b": [{"c": None}]}},
    "deep": DEEP,
    "huge": 10**400,
    "empty": "",
    "blank": "   ",
    "long": "x" * 9000,
    "NUL": "a\0b",
    "surrogate": "\ud800",
    "SQL": "' OR 1=1 --",
    "a prototype": {"__proto__": {"role": "admin"}},
    "a class": {"__class__": "x"},
    "a path": "../../etc/passwd",
    "format": "%s%n{0}",
    "right to left": "\u202eabc",
}
RAW = ["NaN", "Infinity", "-Infinity", "1e999", "1" * 5000, "01", "'x'", "undefined", '"\\uD800"', '"\\u0000"']
JSON = "application/json"
DROP_IN = ("/auth", "/auth/refresh", "/auth/logout")


def operations():
    """Each JSON route that takes a body, with the names of its fields as described."""
    for path, item in description()["paths"].items():
        for method, operation in item.items():
            body = operation.get("requestBody") if isinstance(operation, dict) else None
            if body is None:
                continue
            body = at(body["$ref"]) if "$ref" in body else body
            schema = body["content"]["application/json"]["schema"]
            schema = at(schema["$ref"]) if "$ref" in schema else schema
            yield pytest.param(path, method.upper(), tuple(schema.get("properties", {})), id=f"{method} {path}")


OPERATIONS = list(operations())


def test_every_route_with_a_body_is_tried_here():
    assert len(OPERATIONS) >= 20


@pytest.fixture
def client(unlimited):
    return unlimited


@pytest.fixture
def way(client):
    """Fill a described path, with the headers of who may use it."""
    an_account(USER)
    an_account(ADMIN, role=Role.ADMIN)
    target = an_account(OBJECT, status=Status.AWAITING)
    admin, user = bearer_of(client, ADMIN), bearer_of(client, USER)

    def way(path):
        headers = admin if "/admin/" in path else {} if path.removeprefix("/api/{region}") in DROP_IN else user
        for name in ("user_id", "id", "session_id"):
            path = path.replace("{" + name + "}", str(target))
        return path.replace("{region}", "bretagne"), headers

    return way


def is_calm(answer, path):
    """No error of ours, and no success by a value that is none; the drop-in routes say 401, 400 or 204."""
    if path.endswith(("/auth", "/auth/refresh", "/auth/logout")) and "/user/" not in path:
        return answer.status_code in (400, 401, 204)
    return answer.status_code in (400, 413, 422)


@pytest.mark.parametrize(("path", "method", "fields"), OPERATIONS)
def test_a_field_of_another_kind_is_named(client, way, path, method, fields):
    place, headers = way(path)
    for field in (*fields, "role", "__proto__"):
        for shape, value in SHAPES.items():
            answer = client.open(
                place, method=method, data=json.dumps({field: value}), content_type=JSON, headers=headers
            )
            optional = value is None or field == "langue" or (isinstance(value, str) and method == "PATCH")
            harmless = optional or (field, shape) in HARMLESS or field == "reason"
            assert is_calm(answer, place) or (harmless and answer.status_code < 300) or answer.status_code == 409, (
                field,
                shape,
                answer.status_code,
            )
    assert find_by_mail("bretagne", USER).role == Role.USER


# `unconfirmed` is a true or false that decides nothing here: the account waits already.
HARMLESS = {("unconfirmed", "true"), ("unconfirmed", "false")}


@pytest.mark.parametrize(("path", "method", "fields"), OPERATIONS)
def test_a_value_that_json_does_not_know_is_malformed(client, way, path, method, fields):
    place, headers = way(path)
    field = fields[0] if fields else "x"
    for value in RAW:
        text = f'{{"{field}": {value}}}'
        answer = client.open(place, method=method, data=text, content_type="application/json", headers=headers)
        assert is_calm(answer, place) or answer.status_code == 409, (value, answer.status_code)


BODIES = {
    "nothing": b"",
    "null": b"null",
    "a text": b'"x"',
    "a number": b"7",
    "a list": b"[]",
    "a list of objects": b'[{"mail": "x"}]',
    "true": b"true",
    "half an object": b'{"mail":',
    "two objects": b"{}{}",
    "a comma": b'{"a": 1,}',
    "a bomb": b"[" * 8000,
    "a bomb of objects": b'{"a":' * 3000,
    "closed bomb": b"[" * 5000 + b"]" * 5000,
    "repeated": b'{"mail": "a", "mail": "b"}',
    "a mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"mail": "x"}'.encode("utf-16"),
    "UTF-16 LE": '{"mail": "x"}'.encode("utf-16-le"),
    "UTF-32": '{"mail": "x"}'.encode("utf-32"),
    "Latin-1": '{"mail": "é"}'.encode("latin-1"),
    "overlong": b'{"mail": "\xc0\xaf"}',
    "a comment": b"/* x */ {}",
    "gzip": b"\x1f\x8b\x08\x00",
    "NUL": b'\0{"mail": "x"}',
    "XML": b"<?xml version='1.0'?><a/>",
}


@pytest.mark.parametrize(("path", "method", "fields"), OPERATIONS)
def test_a_body_that_is_no_object_is_malformed(client, way, path, method, fields):
    place, headers = way(path)
    for kind, body in BODIES.items():
        answer = client.open(place, method=method, data=body, content_type="application/json", headers=headers)
        assert is_calm(answer, place) or (not body and not fields) or _needs_no_body(answer, body), (
            kind,
            answer.status_code,
        )


def _needs_no_body(answer, body):
    """A decision needs no body at all: an absent one is none too few."""
    return not body and answer.status_code in (200, 409)


@ONLY_SQLITE
@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-16",
        "application/json;charset=latin-1",
        "application/json; charset=utf-7",
        'application/json; charset="utf-32"',
        "application/x+json",
        "application/vnd.api+json",
        "text/json",
        "text/plain",
        "application/jsonp",
        "application/json, text/plain",
        "APPLICATION/XML",
        "",
        "é",
        "application/json;charset",
    ],
)
@pytest.mark.parametrize("path", ["/user", "/auth", "/user/password/regenerate", "/user/mail"])
def test_only_plain_json_is_json(client, way, path, kind):
    headers = way("/api/{region}" + path)[1]
    answer = client.post(f"/api/bretagne{path}", data=b'{"mail": "x"}', content_type=kind, headers=headers)
    expected = (415, 422, 401) if kind == "application/json;charset" else (415,)
    assert answer.status_code in expected


@ONLY_SQLITE
@pytest.mark.parametrize("size", [16 * 1024 + 1, 70_000, 1_000_000])
@pytest.mark.parametrize("path", ["/user", "/auth", "/auth/refresh", "/auth/logout", "/user/auth", "/user/confirm"])
def test_a_body_beyond_the_limit_is_a_413(client, path, size):
    body = b'{"motif": "' + b"x" * (size - 13) + b'"}'
    assert client.post(f"/api/bretagne{path}", data=body, content_type="application/json").status_code == 413


@ONLY_SQLITE
def test_a_form_beyond_the_limits_is_a_413(client):
    token = csrf_in(client.get("/bretagne/inscription"))
    place = "/bretagne/inscription"
    assert client.post(place, data={"csrf_token": token, "motif": "x" * 100_000}).status_code == 413
    many = {f"f{number}": "x" for number in range(200)}
    answer = client.post(place, data={**many, "csrf_token": token}, content_type="multipart/form-data")
    assert answer.status_code == 413
    assert client.post(place, data=b"--x", content_type="multipart/form-data").status_code == 400
    assert client.post(place, data=b"\xff\xfe" * 20, content_type="multipart/form-data; boundary=x").status_code == 400


BAD_BYTES = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x82"]


@ONLY_SQLITE
@pytest.mark.parametrize("raw", BAD_BYTES)
def test_bytes_that_are_no_text_are_no_error_of_ours(client, raw):
    coded = "".join(f"%{byte:02X}" for byte in raw)
    for path in (f"/{coded}/", f"/bretagne/{coded}", f"/api/{coded}/user", f"/bretagne/confirmer/{coded}"):
        assert client.get(path).status_code == 404
    for path in ("/bretagne/connexion", "/bretagne/inscription", "/api/regions", "/", "/bretagne/compte"):
        assert client.get(f"{path}?next={coded}&{coded}={coded}").status_code < 500
    token = csrf_in(client.get("/bretagne/connexion"))
    form = "application/x-www-form-urlencoded"
    body = b"&password=x&csrf_token=" + token.encode()
    answer = client.post("/bretagne/connexion", data=b"login=" + coded.encode() + body, content_type=form)
    assert answer.status_code == 422
    # Not even percent-encoded: the form cannot be read, its token neither.
    assert client.post("/bretagne/connexion", data=b"login=" + raw + body, content_type=form).status_code == 400
    answer = client.post("/api/bretagne/auth", data=b'{"login": "' + raw + b'"}', content_type="application/json")
    assert answer.status_code == 400
    lone = client.application.test_client(use_cookies=False)
    for name in ("access_token", "refresh_token", "session", "device", "langue", "csrf_token"):
        odd = f"{name}={raw.decode('latin-1')}; {raw.decode('latin-1')}=x; =; ;;; {name}"
        for path in ("/bretagne/connexion", "/bretagne/compte", "/api/bretagne/auth/me", "/"):
            assert lone.get(path, headers={"Cookie": odd}).status_code < 500


@ONLY_SQLITE
@pytest.mark.parametrize(
    "name", ["%00", "..%2f..%2fetc%2fpasswd", "%252e%252e%252f", "....//", "%2e%2e", "..%5c", "a%00.css"]
)
def test_no_path_leaves_the_static_files(client, name):
    for base in ("/static/", "/static/aaaaaaaaaaaa/", "/aide/", "/dev/courriels/"):
        assert client.get(base + name).status_code in (404, 308)


@ONLY_SQLITE
@pytest.mark.parametrize("odd", ["99999999999999999999", "1", "-1", "٣", "x", AN_ID + "0", "{" + AN_ID + "}", "%00"])
def test_an_id_that_is_none_is_a_404(client, way, odd):
    headers = way("/admin/")[1]
    assert client.get(f"/api/bretagne/admin/users/{odd}", headers=headers).status_code == 404
    assert client.post(f"/api/bretagne/admin/users/{odd}/activate", json={}, headers=headers).status_code == 404
    assert client.delete(f"/api/bretagne/user/sessions/{odd}", headers=headers).status_code == 404


# Mass assignment.


def test_an_administrator_cannot_name_another_region_in_any_place(client, way):
    elsewhere = an_account("objet@ajaccio.test", region="corse", status=Status.AWAITING)
    headers = way("/admin/")[1]
    for more in ({"region": "corse"}, {"user_id": {"region": "corse"}}):
        place = f"/api/bretagne/admin/users/{elsewhere}/activate"
        assert client.post(place, json=more, headers=headers).status_code in (404, 422)
        assert (
            client.post(f"{place}?region=corse", json={}, headers={**headers, "X-Region": "corse"}).status_code == 404
        )
    assert client.post(f"/api/corse/admin/users/{elsewhere}/activate", json={}, headers=headers).status_code == 401
    assert find_user("corse", elsewhere).status == Status.AWAITING
