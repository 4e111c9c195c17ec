"""A test client that judges every answer of the whole suite, whatever the test at hand is about."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

from flask import has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from terristory.extensions import db
from tests.support import plans
from tests.support.environment import CANARIES
from tests.support.html import faults_of
from tests.support.openapi import answer_faults

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
READABLE_COOKIES = {"csrf_token", "langue"}
TRACES = ("Traceback (most recent call last)", "sqlalchemy.exc", "/site-packages/")


class CheckedClient(FlaskClient):
    """Flask's client; after each answer (redirects included) it raises AssertionError for what must never be."""

    may_fail = False

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request and check its answer.

        Flask would serve it within the test's own app context: `g` and the database session would live on from one
        request to the next, as they never do in production. So it runs in an empty context.
        """
        response = Context().run(super().open, *args, **kwargs)
        if has_app_context():
            # The test sees what the request has changed.
            db.session.expire_all()
        for answer in (*response.history, response):
            check(answer, may_fail=self.may_fail)
        return response

    @contextmanager
    def allowing_500(self) -> Iterator[None]:
        """Within it a 500 is expected: a test broke something on purpose. All the rest is still checked."""
        self.may_fail = True
        try:
            yield
        finally:
            self.may_fail = False


def check(response: TestResponse, *, may_fail: bool = False) -> None:
    """Raise AssertionError naming all faults of one answer: a 500, headers, cookies, secrets, HTML, what it read, …"""
    faults: list[str] = []
    if response.status_code == 500 and not may_fail:
        faults.append("it is a 500")
    faults += _header_faults(response)
    faults += [fault for cookie in response.headers.getlist("Set-Cookie") for fault in _cookie_faults(cookie)]
    body = response.get_data().decode(errors="replace")
    faults += [f"the secret {secret[:12]}… is in its body" for secret in CANARIES if secret in body]
    faults += [f"{trace!r} is in its body" for trace in TRACES if trace in body]
    faults += _departures_from_description(response)
    faults += plans.taken()
    if _is_page(response, body):
        faults += faults_of(body, inline_styles=response.request.path.startswith("/dev/courriels/"))
    if faults:
        request = response.request
        raise AssertionError(f"{request.method} {request.path} → {response.status}:\n- " + "\n- ".join(faults))


def _is_page(response: TestResponse, body: str) -> bool:
    return response.mimetype == "text/html" and bool(body) and response.status_code not in range(300, 400)


def _departures_from_description(response: TestResponse) -> Iterator[str]:
    """Judge an answer of the API by openapi.yaml."""
    request, kind = response.request, response.headers.get("Content-Type", "")
    return answer_faults(request.method, request.path, response.status_code, kind, response.get_data())


def _header_faults(response: TestResponse) -> Iterator[str]:
    headers, path = response.headers, response.request.path
    for name, value in HEADERS.items():
        if headers.get(name) != value:
            yield f"{name} is {headers.get(name)!r}"
    policy = headers.get("Content-Security-Policy", "")
    # The one page shown in a frame of ours: the preview of a mail in development.
    framed = path.startswith("/dev/courriels/")
    if "default-src 'none'" not in policy or ("frame-ancestors 'none'" not in policy and not framed):
        yield f"Content-Security-Policy is {policy!r}"
    if "unsafe-eval" in policy or ("unsafe-inline" in policy and not framed):
        yield "Content-Security-Policy allows inline code"
    if "()" not in headers.get("Permissions-Policy", ""):
        yield "Permissions-Policy does not deny"
    yield from (f"{name} is there" for name in headers.keys() if name.startswith("Access-Control-"))  # noqa: SIM118
    if response.status_code >= 400 and "no-store" not in headers.get("Cache-Control", ""):
        yield f"an error with Cache-Control {headers.get('Cache-Control')!r}"
    if "Cache-Control" not in headers:
        yield "no Cache-Control"
    yield from _status_faults(response)


def _status_faults(response: TestResponse) -> Iterator[str]:
    headers, status, path = response.headers, response.status_code, response.request.path
    if status in (429, 503) and not headers.get("Retry-After", "").isdigit():
        yield "no Retry-After"
    if status == 405 and "Allow" not in headers:
        yield "no Allow"
    if path.startswith("/api/"):
        if status == 401 and not headers.get("WWW-Authenticate", "").startswith("Bearer"):
            yield "no WWW-Authenticate"
        if status >= 400 and response.mimetype != "application/problem+json":
            yield f"an error of type {response.mimetype}"
    place = headers.get("Location", "/")
    if not place.startswith("/") or place.startswith(("//", "/\\")):
        yield f"a Location that leaves: {place!r}"


def _cookie_faults(cookie: str) -> Iterator[str]:
    name, *attributes = [part.strip() for part in cookie.split(";")]
    name = name.partition("=")[0]
    given = {attribute.partition("=")[0].lower(): attribute.partition("=")[2] for attribute in attributes}
    if given.get("samesite", "").lower() != "lax" or given.get("path") != "/" or "domain" in given:
        yield f"the cookie {name} has {attributes}"
    if ("httponly" in given) == (name.removeprefix("__Host-") in READABLE_COOKIES) and name != "langue":
        yield f"the cookie {name} is {'not ' if 'httponly' in given else ''}readable by scripts"
    if name.startswith("__Host-") and "secure" not in given:
        yield f"the cookie {name} is not Secure"
    if len(cookie.partition(";")[0]) > 4096:
        yield f"the cookie {name} is longer than browsers keep"
