"""What a visitor writes into an address: `?next=` never leads away, no query is an argument of ours."""

import html
import re

import pytest
from werkzeug.test import EnvironBuilder

from terristory.user.models import Role
from terristory.web.safe_redirects import local_path
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.requests_for_accounts import csrf_in

MAIL = "jeanne@brest.test"
SIGN_IN = "/bretagne/connexion"
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HOSTILE = [
    "//evil.example",
    "///evil.example",
    "////evil.example/..",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "/%0d%0aSet-Cookie:%20a=b\r\n",
    "https://evil.example",
    "https:///evil.example",
    "https:evil.example",
    "http:/evil.example",
    "HTTPS://evil.example",
    "//localhost@evil.example",
    "http://localhost.evil.example/",
    "http://localhost/bretagne/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "mailto:a@b.fr",
    "evil.example",
    "bretagne/compte",
    ".",
    "..",
    "/../..//evil.example",
    "/bretagne/..",
    "?a=b",
    "#a",
    "/\u2028/evil.example",
    "/\u3002evil.example",
    "/évil",
    "/a b",
    "/<script>",
    '/"onmouseover="x',
    "/a#b",
    "/" + "a" * 3000,
    "\0/bretagne/",
    "/bretagne/\0",
    "",
]


@ONLY_SQLITE
@pytest.mark.parametrize("wish", HOSTILE)
def test_a_hostile_next_leads_to_the_usual_page(client, wish):
    an_account(MAIL)
    asked = client.get(SIGN_IN, query_string={"next": wish})
    token = csrf_in(asked)
    answer = client.post(
        SIGN_IN,
        query_string={"next": wish},
        data={"login": MAIL, "password": PASSWORD, "csrf_token": token, "next": wish},
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/bretagne/")
    signed_in = client.get(SIGN_IN, query_string={"next": wish})
    assert (signed_in.status_code, signed_in.headers["Location"]) == (303, "/bretagne/")


@ONLY_SQLITE
@pytest.mark.parametrize("wish", ["/bretagne/compte", "/bretagne/admin/comptes?status=all&q=a%26b", "/"])
def test_a_path_of_ours_is_followed(client, wish):
    an_account(MAIL)
    token = csrf_in(client.get(SIGN_IN))
    answer = client.post(SIGN_IN, data={"login": MAIL, "password": PASSWORD, "csrf_token": token, "next": wish})
    assert answer.headers["Location"] == wish


@pytest.mark.parametrize("wish", HOSTILE)
def test_no_hostile_wish_is_a_local_path(wish):
    assert local_path(wish) is None


@ONLY_SQLITE
@pytest.mark.parametrize(
    "path", ["//evil.example/bretagne/connexion", "/bretagne//evil.example", "//Evil.example/", "///X"]
)
def test_a_path_with_two_slashes_leads_nowhere_else(client, path):
    """Redirects of ours (lower case, merged slashes) must not make `//evil.example` of a path."""
    builder = EnvironBuilder(path="/", base_url="http://localhost")
    environ = builder.get_environ()
    environ["PATH_INFO"] = environ["RAW_URI"] = environ["REQUEST_URI"] = path
    answer = client.open(environ)
    place = answer.headers.get("Location", "/")
    assert place.startswith("/") and not place.startswith("//")


ODD_QUERIES = [
    "endpoint=x",
    "_external=1",
    "_scheme=javascript&_external=1",
    "_scheme=x",
    "_method=POST",
    "_anchor=%22%3E%3Cb%3E",
    "_host=evil.example",
    "self=1",
    "values=1",
    "region=corse",
    "user_id=1",
    "token=x",
    "lang=../../etc/passwd",
    "lang=%00",
    "lang=fr%0d%0aSet-Cookie:a=b",
    "lang[]=fr",
    "lang=en&lang=fr",
    "%FF=%FE",
    "a" * 500 + "=1",
    "=",
    "&&&",
    "next=a&next=b",
    "after=%00",
    "q=%00",
    "status=%27",
    "sort=mail;drop%20table%20user",
    "limit=-1",
    "limit=1e9",
    "limit=%D9%A1",
    "event=x",
    "user=x",
    "login=%3Cscript%3E",
    "login=%00",
    "form=x",
    "%3Cscript%3E=%22%3E%3Cscript%3E",
]


@ONLY_SQLITE
@pytest.mark.parametrize("query", ODD_QUERIES)
def test_no_query_is_an_error_of_ours_or_leads_away_from_any_page(app, client, query):
    """Every page without further arguments, signed in as an administrator and signed out."""
    an_account(MAIL, role=Role.ADMIN)
    paths = [
        rule.rule.replace("<region:region>", "bretagne")
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.rule.replace("<region:region>", "").count("<") == 0
        if rule.rule != "/favicon.ico"
    ]
    assert len(paths) > 20
    visitors = [client, app.test_client()]
    visitors[1].post("/api/bretagne/user/auth", json={"login": MAIL, "password": PASSWORD})
    for visitor in visitors:
        for path in paths:
            answer = visitor.get(f"{path}?{query}")
            assert answer.status_code < 500, path
            if answer.mimetype == "text/html":
                _leads_nowhere_else(answer, path)


def _leads_nowhere_else(answer, path):
    page = html.unescape(answer.get_data(as_text=True))
    places = re.findall(r'\b(?:href|action|src|formaction)="([^"]*)"', answer.get_data(as_text=True))
    for place in map(html.unescape, places):
        assert not place.lower().startswith(("javascript:", "data:", "//", "vbscript:")), (path, place)
    assert "<script>alert" not in page
