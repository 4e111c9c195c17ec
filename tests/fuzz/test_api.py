"""Requests made from our own description of the API, right and wrong ones, by each role, on both databases.

The client judges every answer (tests/support/client.py): never a 500, the security headers, and a status, a type and a
body that openapi.yaml describes. What is shown here besides is that the requests get somewhere.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import hypothesis
import pytest
import schemathesis
from flask import Flask
from hypothesis import strategies as st
from schemathesis import GenerationMode
from werkzeug.test import TestResponse

from terristory.extensions import db
from terristory.user.models import Role, Status
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.openapi import METHODS, description
from tests.support.people import an_account, bearer_of
from tests.support.requests_for_accounts import ANSWERS

pytestmark = [pytest.mark.slow, pytest.mark.fuzz, pytest.mark.timeout(1800)]
AT_LENGTH = "FUZZ_EXAMPLES" in os.environ
# Some 40 operations, three roles, two databases: each a few times by default, always the same ones.
EXAMPLES = max(1, int(os.environ.get("FUZZ_EXAMPLES", "480")) // 40)
# Without these among the answers the requests would not have got past the first check.
GETS_AS_FAR_AS = {
    None: {200, 201, 202, 401, 404, 422},
    Role.USER: {200, 202, 204, 403, 404, 422},
    Role.ADMIN: {200, 202, 204, 404, 409, 422},
}
CAPTCHA_FORMS = {
    "/user": "create_user",
    "/user/confirm/resend": "confirm",
    "/user/password/regenerate": "regenerate_password",
}


class Caller:
    """One role's way in; made anew when a request has closed it (sign-out, closing, another password)."""

    def __init__(self, app: Flask, role: Role | None) -> None:
        self.client = app.test_client()
        self.role = role
        self.headers: dict[str, str] = {}
        self.mail = "personne@brest.test"
        self.statuses: Counter[int] = Counter()
        # Somebody to decide about in each state, here and in another region.
        self.ids = [
            an_account(f"{status}.{region}@brest.test", region=region, status=status)
            for status in Status
            for region in ("bretagne", "normandie")
        ]

    def headers_in_force(self) -> dict[str, str]:
        if self.role is None:
            return {}
        if not self.headers or self.client.get("/api/bretagne/auth/me", headers=self.headers).status_code != 200:
            self.mail = f"{self.role}.{uuid4().hex[:8]}@brest.test"
            an_account(self.mail, role=self.role)
            self.headers = bearer_of(self.client, self.mail)
        return self.headers

    def send(self, request: dict[str, Any]) -> TestResponse:
        headers = {**request.pop("headers"), **self.headers_in_force()}
        answer = self.client.open(headers=headers, **request)
        self.statuses[answer.status_code] += 1
        return answer


@pytest.fixture(params=[None, Role.USER, Role.ADMIN], ids=["nobody", "member", "admin"])
def caller(request: pytest.FixtureRequest, make_app: Callable[..., Flask]) -> Iterator[Caller]:
    app = make_app(RATE_LIMITS=False)
    with app.app_context():
        yield Caller(app, request.param)
        db.session.remove()


def in_force(path: str) -> str | None:
    """The captcha form of a path of the description."""
    return CAPTCHA_FORMS.get(path.removeprefix("/api/{region}"))


def make_it_pass(data: st.DataObject, caller: Caller, case: Any) -> None:
    """Now and then put what only this service can know in the place of what was generated, so that requests go far."""
    draw = data.draw
    parameters = case.path_parameters or {}
    if "region" in parameters and draw(st.integers(0, 9)):
        parameters["region"] = "bretagne"
    if "id" in parameters and draw(st.integers(0, 9)):
        parameters["id"] = str(draw(st.sampled_from(caller.ids)))
    body = case.body
    if not isinstance(body, dict):
        return
    if draw(st.booleans()) and (form := in_force(case.operation.path)):
        body["captcha"] = solved_captcha(caller.client, "bretagne", form)
    if case.operation.path.endswith("/user") and case.operation.method == "post" and draw(st.booleans()):
        body.update({**ANSWERS, "information_lue": True})
    for name, good in (("mail", f"{uuid4().hex[:6]}@brest.test"), ("login", caller.mail), ("password", PASSWORD)):
        if name in body and draw(st.booleans()):
            body[name] = good
    if "ids" in body and draw(st.booleans()):
        body["ids"] = [str(user_id) for user_id in draw(st.lists(st.sampled_from(caller.ids), max_size=8))]


def request_of(case: Any) -> dict[str, Any]:
    """The generated case as arguments of Flask's client, its JSON written here: lone surrogates and NaN included."""
    request = dict(case.as_transport_kwargs())
    if "json" in request:
        request["data"] = json.dumps(request.pop("json"))
    return request


def operations(app: Flask) -> list[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.yaml", app)
    return [found.ok() for found in schema.get_all_operations()]


def ask_in_many_ways(operation: Any, caller: Caller) -> None:
    """Send right and wrong requests for one operation; the client raises AssertionError for a wrong answer."""
    strategies = {mode: operation.as_strategy(generation_mode=mode) for mode in GenerationMode}

    @hypothesis.settings(max_examples=EXAMPLES, phases=[hypothesis.Phase.generate], derandomize=not AT_LENGTH)
    @hypothesis.given(st.data(), st.sampled_from(list(GenerationMode)))
    def ask(data: st.DataObject, mode: GenerationMode) -> None:
        case = data.draw(strategies[mode])
        make_it_pass(data, caller, case)
        caller.send(request_of(case))

    ask()


def test_requests_of_every_kind_are_answered_as_described(caller: Caller) -> None:
    found = operations(caller.client.application)
    described = {
        f"{method.upper()} {path}"
        for path, item in description()["paths"].items()
        for method in item
        if method in METHODS
    }
    # The place it has read the description from is asked no more.
    assert {operation.label for operation in found} == described - {"GET /api/openapi.yaml"}

    for operation in found:
        ask_in_many_ways(operation, caller)
    print(caller.role, dict(caller.statuses))
    seen = {status for status, times in caller.statuses.items() if times}
    assert seen >= GETS_AS_FAR_AS[caller.role]
