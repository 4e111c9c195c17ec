"""Every route × every role × objects of this region, of another one and of none, generated from the URL map."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.routing import Rule

from terristory.auth.temporary_password import issue_temporary_password
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.user.lookup import find_by_mail
from terristory.user.models import Role, Status
from terristory.web.access import Access
from tests.support.client import CheckedClient
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of

pytestmark = pytest.mark.timeout(240)
HERE, ELSEWHERE = "bretagne", "corse"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class World:
    """One person in each role, and somebody to act upon in each region."""

    here: UUID
    elsewhere: UUID
    mails: dict[str, str]

    def headers(self, client: CheckedClient, role: str) -> dict[str, str]:
        """A new session of that role: what a route ends is not missed by the next one."""
        if role == "nobody":
            return {}
        if role == "must change":
            with transaction():
                row = _person(self.mails[role])
                password = issue_temporary_password(row, life_seconds=600, now=utc_now()).password
            return bearer_of(client, self.mails[role], password=password)
        return bearer_of(client, self.mails[role], region=ELSEWHERE if role == "admin B" else HERE)


def _person(mail: str) -> UUID:
    user = find_by_mail(HERE, mail)
    assert user is not None
    return user.id


@pytest.fixture
def world(app: Flask) -> World:
    mails = {
        "user": "user@brest.test",
        "must change": "change@brest.test",
        "admin A": "admin@brest.test",
        "admin B": "admin@ajaccio.test",
    }
    an_account(mails["user"])
    an_account(mails["must change"])
    an_account(mails["admin A"], role=Role.ADMIN)
    # A second administrator, so that no decision below is refused for want of another one.
    an_account("second@brest.test", role=Role.ADMIN)
    an_account(mails["admin B"], role=Role.ADMIN, region=ELSEWHERE)
    here = an_account("object@brest.test", status=Status.AWAITING)
    elsewhere = an_account("object@ajaccio.test", status=Status.AWAITING, region=ELSEWHERE)
    return World(here, elsewhere, mails)


def routes(app: Flask, access: Access) -> list[tuple[Rule, str]]:
    """Each rule with each of its methods that a client sends, for the views of one kind of access."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "access", None) == access
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def path_of(rule: Rule, region: str, target: UUID) -> str:
    """Fill a rule's arguments: the region, and the target's id wherever an id stands."""

    def fill(argument: re.Match[str]) -> str:
        name = argument.group(1)
        if name in ("region", "region_key"):
            return region
        return "x" if name in ("token", "guide", "form") else str(target)

    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", fill, rule.rule)


def call(client: CheckedClient, method: str, path: str, headers: dict[str, str]) -> Any:
    body = {"json": {}} if method in UNSAFE and path.startswith("/api/") else {}
    return client.open(path, method=method, headers=headers, **body)


def masked(answer: Any) -> str:
    return re.sub(r'"request_id":"[0-9a-f]+"', "", answer.get_data(as_text=True))


def is_api(path: str) -> bool:
    return path.startswith("/api/")


def test_every_route_says_who_may_use_it(app: Flask) -> None:
    unmarked = [
        rule.rule for rule in app.url_map.iter_rules() if not hasattr(app.view_functions[rule.endpoint], "access")
    ]
    # Flask's own route of static files serves the same public files.
    assert unmarked == ["/static/<path:filename>"]


def test_nobody_passes_a_guarded_route(app: Flask, client: CheckedClient, world: World) -> None:
    for access in (Access.MEMBER, Access.ADMIN):
        for rule, method in routes(app, access):
            path = path_of(rule, HERE, world.here)
            answer = call(client, method, path, {})
            if is_api(path):
                assert answer.status_code == 401, (method, path, answer.status_code)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            else:
                assert answer.status_code in (302, 303, 400), (method, path, answer.status_code)


def test_a_member_is_refused_on_every_admin_route(app: Flask, client: CheckedClient, world: World) -> None:
    headers = world.headers(client, "user")
    for rule, method in routes(app, Access.ADMIN):
        path = path_of(rule, HERE, world.here)
        if is_api(path):
            assert call(client, method, path, headers).status_code == 403, (method, path)


def test_the_admin_of_another_region_is_nobody_here(app: Flask, client: CheckedClient, world: World) -> None:
    headers = world.headers(client, "admin B")
    for access in (Access.MEMBER, Access.ADMIN):
        for rule, method in routes(app, access):
            path = path_of(rule, HERE, world.here)
            if is_api(path):
                assert call(client, method, path, headers).status_code == 401, (method, path)


def test_what_belongs_to_another_region_is_unknown_to_the_byte(app: Flask, client: CheckedClient, world: World) -> None:
    headers = world.headers(client, "admin A")
    compared = 0
    for rule, method in routes(app, Access.ADMIN):
        if "user_id" not in rule.arguments or not is_api(rule.rule):
            continue
        foreign = call(client, method, path_of(rule, HERE, world.elsewhere), headers)
        unknown = call(client, method, path_of(rule, HERE, uuid4()), headers)
        assert (foreign.status_code, unknown.status_code) in ((404, 404), (422, 422)), (method, rule.rule)
        assert masked(foreign) == masked(unknown), rule.rule
        compared += 1
    assert compared >= 8


def test_a_session_of_a_temporary_password_only_changes_the_password(
    app: Flask, client: CheckedClient, world: World
) -> None:
    headers = world.headers(client, "must change")
    allowed = {
        ("GET", f"/api/{HERE}/auth/me"),
        ("GET", f"/api/{HERE}/auth/verify"),
        ("PUT", f"/api/{HERE}/user/password"),
    }
    for access in (Access.MEMBER, Access.ADMIN):
        for rule, method in routes(app, access):
            path = path_of(rule, HERE, world.here)
            if not is_api(path):
                continue
            answer = call(client, method, path, headers)
            if (method, path.rstrip("/")) in allowed:
                assert answer.status_code in (200, 422), (method, path)
            else:
                assert answer.status_code == 403, (method, path, answer.status_code)


def test_an_admin_reaches_every_route_of_his_region(app: Flask, client: CheckedClient, world: World) -> None:
    for access in (Access.MEMBER, Access.ADMIN):
        for rule, method in routes(app, access):
            path = path_of(rule, HERE, world.here)
            if is_api(path):
                headers = world.headers(client, "admin A")
                answer = call(client, method, path, headers)
                assert answer.status_code not in (401, 403, 500), (method, path, answer.status_code)


@pytest.mark.parametrize("status", [Status.UNCONFIRMED, Status.AWAITING, Status.REFUSED, Status.DISABLED])
def test_who_is_not_active_gets_no_session(client: CheckedClient, status: Status) -> None:
    an_account("other@brest.test", status=status)
    answer = client.post(f"/api/{HERE}/auth", json={"login": "other@brest.test", "password": PASSWORD})
    assert answer.status_code == 401
    assert "access_token" not in answer.get_json()
