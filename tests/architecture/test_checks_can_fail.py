"""The checks that watch every answer of the suite find what they look for."""

import socket

import pytest
from flask import Flask, Response, g, redirect
from sqlalchemy import text

from terristory.extensions import db
from tests.support import plans
from tests.support.client import CheckedClient, check
from tests.support.environment import PASSWORD
from tests.support.html import faults_of
from tests.support.network import OutsideNetworkError, attempts

GOOD_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=()",
    "Cache-Control": "no-store",
}
GOOD_PAGE = '<!doctype html><html lang="fr"><title>Une page</title><body><h1>Une page</h1></body></html>'


def asked(response: Response, path: str = "/page", **options: bool) -> None:
    """Check an answer as the client of all tests would."""
    app = Flask("judged", static_folder=None)
    app.add_url_rule("/<path:anything>", view_func=lambda anything: response)
    check(app.test_client().get(path), **options)


def answer(body: str = GOOD_PAGE, status: int = 200, without: str = "", **headers: str) -> Response:
    response = Response(body, status, mimetype="text/html")
    response.headers.update({name: value for name, value in GOOD_HEADERS.items() if name != without})
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


def test_a_good_answer_passes():
    asked(answer())


@pytest.mark.parametrize("name", GOOD_HEADERS)
def test_a_missing_header_is_found(name):
    with pytest.raises(AssertionError, match=name):
        asked(answer(without=name))


@pytest.mark.parametrize(
    ("response", "found"),
    [
        (answer(status=500), "it is a 500"),
        (answer(status=503), "no Retry-After"),
        (answer(status=405), "no Allow"),
        (answer(GOOD_PAGE.replace("Une page</h1>", f"{PASSWORD}</h1>")), "the secret"),
        (answer(GOOD_PAGE.replace("Une page</h1>", "Traceback (most recent call last)</h1>")), "Traceback"),
        (answer(Access_Control_Allow_Origin="*"), "Access-Control-Allow-Origin is there"),
        (answer(Content_Security_Policy="default-src 'none' 'unsafe-inline'; frame-ancestors 'none'"), "inline code"),
        (answer(status=404, Cache_Control="public"), "an error with Cache-Control"),
        (answer(Set_Cookie="a=b; Path=/; SameSite=Lax"), "the cookie a is readable"),
        (answer(Set_Cookie="a=b; HttpOnly; Path=/"), "the cookie a has"),
        (answer(Set_Cookie="__Host-a=b; HttpOnly; Path=/; SameSite=Lax"), "is not Secure"),
        (answer(Set_Cookie=f"a={'b' * 4096}; HttpOnly; Path=/; SameSite=Lax"), "longer than browsers keep"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_faulty_answer_is_found(response, found):
    with pytest.raises(AssertionError, match=found):
        asked(response)


@pytest.mark.parametrize("status", [401, 404])
def test_an_api_error_that_is_no_problem_document_is_found(status):
    with pytest.raises(AssertionError, match="an error of type text/html"):
        asked(answer(status=status), "/api/bretagne/auth/me")


def test_a_redirect_to_another_site_is_found():
    leaving = redirect("//evil.example")
    leaving.headers.update(GOOD_HEADERS)
    with pytest.raises(AssertionError, match="a Location that leaves"):
        asked(leaving)


def test_a_500_passes_only_where_a_test_breaks_something_on_purpose():
    asked(answer(status=500), may_fail=True)
    assert CheckedClient.may_fail is False


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (GOOD_PAGE.replace("<!doctype html>", ""), "no doctype"),
        (GOOD_PAGE.replace("h1>", "h2>"), "0 h1 elements"),
        (GOOD_PAGE.replace(' lang="fr"', ""), "lang is None"),
        (GOOD_PAGE.replace("<title>Une page", "<title>"), "no title"),
        (GOOD_PAGE.replace("<body>", '<body><i id="a"></i><i id="a"></i>'), "id a is there 2 times"),
        (GOOD_PAGE.replace("<body>", '<body><input aria-describedby="hint">'), "names hint, which is not there"),
        (GOOD_PAGE.replace("<body>", '<body><label for="mail">Mail</label>'), "names mail, which is not there"),
        (GOOD_PAGE.replace("<body>", "<body><div>"), "<div> is still open"),
        (GOOD_PAGE.replace("<body>", "<body></div>"), "</div> closes nothing"),
        (GOOD_PAGE.replace("<body>", '<body><img src="/a.png">'), "an image without alt"),
        (GOOD_PAGE.replace("<body>", '<body style="color:red">'), "the attribute style on <body>"),
        (GOOD_PAGE.replace("<body>", '<body onload="x()">'), "the attribute onload on <body>"),
        (GOOD_PAGE.replace("<body>", "<body><script>1</script>"), "an inline <script>"),
        (GOOD_PAGE.replace("<body>", "<body><style></style>"), "a <style> element"),
        (GOOD_PAGE.replace("<body>", '<body><a href="javascript:x">x</a>'), "javascript:x on <a>"),
        (GOOD_PAGE.replace("<body>", '<body><img alt="" src="https://cdn.example/a.png">'), "from another place"),
    ],
    ids=lambda value: value if not value.startswith("<!doc") else "",
)
def test_a_fault_of_a_page_is_found(page, found):
    assert any(found in fault for fault in faults_of(page))


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_another_machine_cannot_be_reached(address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as outward, pytest.raises(OutsideNetworkError):
        outward.connect(address)
    assert attempts
    attempts.clear()


def test_another_name_cannot_be_resolved():
    with pytest.raises(OutsideNetworkError):
        socket.getaddrinfo("terristory.example", 443)
    attempts.clear()


def test_each_request_of_a_test_has_a_context_of_its_own():
    app = Flask("forgetful")
    app.test_client_class = CheckedClient

    @app.get("/count")
    def count() -> Response:
        g.count = g.get("count", 0) + 1
        return answer(GOOD_PAGE.replace("Une page</h1>", f"{g.count}</h1>"))

    with app.app_context():
        answers = [app.test_client().get("/count").text for _ in range(2)]
    assert all("<h1>1</h1>" in text for text in answers)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "whole"),
    [
        ("SELECT nom FROM \"user\" WHERE prenom = 'Jeanne'", True),
        ('SELECT somebody.nom FROM "user" AS somebody', True),
        ("UPDATE \"user\" SET nom = 'Le Goff' WHERE prenom = 'Jeanne'", True),
        ("SELECT nom FROM \"user\" WHERE region = 'bretagne' AND mail_canonical = 'jeanne@brest.test'", False),
        ("SELECT nom FROM region", False),
    ],
)
def test_a_statement_that_reads_a_growing_table_whole_is_found(app: Flask, statement: str, whole: bool) -> None:
    with app.test_request_context("/bretagne/"):
        db.session.execute(text(statement))
    found = plans.taken()
    assert bool(found) is whole
    assert all("is read from end to end" in line and statement in line for line in found)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_request_that_reads_a_growing_table_whole_fails(app: Flask) -> None:
    with app.test_request_context("/bretagne/"):
        db.session.execute(text('SELECT nom FROM "user"'))
    with pytest.raises(AssertionError, match="is read from end to end"):
        app.test_client().get("/livez")
