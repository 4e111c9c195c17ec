"""Clocks that disagree: another host is ahead, or the clock of all jumps back."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from terristory.audit.models import AuditLine
from terristory.extensions import db
from tests.support.client import CheckedClient
from tests.support.clock import Clock
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of

MAIL = "jeanne@brest.test"
AUTH, ME, REFRESH = "/api/bretagne/auth", "/api/bretagne/auth/me", "/api/bretagne/auth/refresh"


@pytest.fixture
def client(make_app: Callable[..., Flask], clock: Clock) -> Iterator[CheckedClient]:
    app = make_app(RATE_LIMITS=False)
    with app.app_context():
        an_account(MAIL)
        yield app.test_client()
        db.session.remove()


@pytest.mark.parametrize(("ahead", "status"), [(5, 200), (3600, 401), (86400, 401)])
def test_a_token_of_a_host_that_is_ahead_counts_within_the_leeway_and_is_renewed_beyond_it(
    client: CheckedClient, clock: Clock, ahead: int, status: int
) -> None:
    clock.move(seconds=ahead)
    tokens = client.post(AUTH, json={"login": MAIL, "password": PASSWORD, "device": "tablette"}).get_json()
    clock.move(seconds=-ahead)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get(ME, headers=headers).status_code == status
    renewed = client.post(REFRESH, json={"refresh_token": tokens["refresh_token"]})
    assert renewed.status_code == 200
    headers = {"Authorization": f"Bearer {renewed.get_json()['access_token']}"}
    assert client.get(ME, headers=headers).status_code == 200


def test_a_clock_that_jumps_back_a_day_keeps_people_in_order_and_at_work(client: CheckedClient, clock: Clock) -> None:
    bearer = bearer_of(client, MAIL)
    clock.move(days=-1)
    assert client.get(ME, headers=bearer).status_code == 401
    bearer = bearer_of(client, MAIL)
    assert client.get(ME, headers=bearer).status_code == 200
    assert client.post(AUTH + "/logout", headers=bearer).status_code == 204
    assert client.get(ME, headers=bearer).status_code == 401, "what was ended stays ended"
    # The trail is in the order of what happened, whatever the clock said.
    events = db.session.scalars(select(AuditLine.event).order_by(AuditLine.id)).all()
    assert [event for event in events if event.startswith("auth.")][-1] == "auth.signed_out"
