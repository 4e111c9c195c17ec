"""Refresh tokens rotate without a race, tell a theft, and die with their session."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from terristory.audit.models import AuditLine
from terristory.auth.models import RefreshToken, Session
from terristory.auth.refresh_token import Refused, Replayed, Rotated, retrieve_refresh_token, rotate_refresh_token
from terristory.auth.revocation import end_session
from terristory.auth.sessions import Opened, Visit, open_session, renew_session
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.settings import digest_of
from terristory.user.models import Status, User
from tests.support.people import an_account

MAIL = "jeanne@brest.test"
BROWSER = Visit("a" * 64, "Firefox sur Windows", "192.0.2.7", by_browser=True)


@pytest.fixture
def user_id(clock, app):
    return an_account(MAIL, password=None)


def the_user(user_id):
    return db.session.scalars(select(User).where(User.id == user_id)).one()


def opened(user_id, clock, visit=BROWSER, rotates=True, life=timedelta(days=30)):
    with transaction():
        return open_session(the_user(user_id), visit, rotates=rotates, life=life, access_seconds=900, now=clock.now())


def rotated(token, clock, grace=30, idle=14 * 86400):
    held = retrieve_refresh_token(token)
    if held is None:
        return Refused()
    with transaction():
        return rotate_refresh_token(token, held, grace_seconds=grace, idle_seconds=idle, now=clock.now())


def renewed(token, clock, grace=30, idle=14 * 86400, **more):
    return renew_session(token, access_seconds=900, grace_seconds=grace, idle_seconds=idle, now=clock.now(), **more)


def test_it_is_256_bits_of_which_only_the_digest_is_kept(user_id, clock):
    token = opened(user_id, clock).refresh_token
    assert len(token) >= 43
    assert db.session.scalars(select(RefreshToken.digest)).all() == [digest_of(token)]


def test_each_use_gives_another(user_id, clock):
    first = opened(user_id, clock).refresh_token
    second = rotated(first, clock).token
    third = rotated(second, clock).token
    assert len({first, second, third}) == 3


def test_a_use_within_the_grace_gives_the_same_successor(user_id, clock):
    first = opened(user_id, clock).refresh_token
    second = rotated(first, clock).token
    clock.move(seconds=29)
    assert rotated(first, clock).token == second


def test_the_successor_stays_the_same_when_it_was_rotated_since(user_id, clock):
    first = opened(user_id, clock).refresh_token
    second = rotated(first, clock).token
    rotated(second, clock)
    clock.move(seconds=5)
    assert rotated(first, clock).token == second


def test_a_replay_after_the_grace_ends_the_session_for_good(user_id, clock):
    session = opened(user_id, clock)
    second = rotated(session.refresh_token, clock).token
    clock.move(seconds=30)
    assert rotated(session.refresh_token, clock) == Replayed()
    assert rotated(second, clock) == Refused()
    assert db.session.get(Session, session.session_id).ended_at == clock.now()
    assert db.session.scalars(select(AuditLine.event)).all()[-1] == "auth.refresh_replayed"
    mail = db.session.scalars(select(OutboxMail)).one()
    assert (mail.template, mail.recipient) == ("auth/session_ended", MAIL)


def test_a_second_replay_tells_nobody_again(user_id, clock):
    first = opened(user_id, clock).refresh_token
    rotated(first, clock)
    clock.move(seconds=31)
    assert rotated(first, clock) == Replayed()
    assert rotated(first, clock) == Refused()
    assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 1


def test_without_a_grace_the_second_use_is_a_replay(user_id, clock):
    first = opened(user_id, clock).refresh_token
    rotated(first, clock, grace=0)
    assert rotated(first, clock, grace=0) == Replayed()


def test_the_grace_does_not_outlive_the_session(user_id, clock):
    session = opened(user_id, clock)
    rotated(session.refresh_token, clock)
    with transaction():
        assert end_session(user_id, session.session_id, now=clock.now())
    assert rotated(session.refresh_token, clock) == Refused()


def test_a_client_without_a_device_keeps_its_token(user_id, clock):
    shared = Visit("", "", "192.0.2.7", by_browser=False)
    token = opened(user_id, clock, shared, rotates=False).refresh_token
    for _ in range(3):
        clock.move(days=1)
        assert rotated(token, clock).token == token


def test_a_new_sign_in_of_the_device_kills_its_former_token_and_tells_nobody(user_id, clock):
    first = opened(user_id, clock)
    second = opened(user_id, clock)
    assert rotated(first.refresh_token, clock) == Refused()
    assert isinstance(rotated(second.refresh_token, clock), Rotated)
    assert db.session.get(Session, first.session_id).ended_at is None
    assert db.session.scalars(select(OutboxMail)).all() == []


def test_another_device_keeps_its_own(user_id, clock):
    first = opened(user_id, clock)
    opened(user_id, clock, Visit("b" * 64, "Chrome sur Android", "192.0.2.8", by_browser=True))
    assert isinstance(rotated(first.refresh_token, clock), Rotated)


def test_it_dies_when_nobody_uses_it(user_id, clock):
    token = opened(user_id, clock).refresh_token
    clock.move(seconds=99)
    token = rotated(token, clock, idle=100).token
    clock.move(seconds=100)
    assert rotated(token, clock, idle=100) == Refused()


def test_rotation_does_not_lengthen_the_absolute_life(user_id, clock):
    token = opened(user_id, clock, life=timedelta(days=2)).refresh_token
    clock.move(days=1)
    token = rotated(token, clock).token
    clock.move(days=1)
    assert rotated(token, clock) == Refused()


@pytest.mark.parametrize("change", [{"status": Status.DISABLED}, {"closing_at": "now"}])
def test_it_dies_with_the_account(user_id, clock, change):
    token = opened(user_id, clock).refresh_token
    # Also for whoever has read the token while the account was alive.
    held = retrieve_refresh_token(token)
    with transaction():
        for name, value in change.items():
            setattr(the_user(user_id), name, clock.now() if value == "now" else value)
    with transaction():
        outcome = rotate_refresh_token(token, held, grace_seconds=30, idle_seconds=999, now=clock.now())
    assert outcome == Refused()


def test_a_use_meanwhile_is_known_to_the_rotation(user_id, clock):
    token = opened(user_id, clock).refresh_token
    held = retrieve_refresh_token(token)
    successor = rotated(token, clock).token
    clock.move(seconds=31)
    with transaction():
        outcome = rotate_refresh_token(token, held, grace_seconds=30, idle_seconds=999, now=clock.now())
    assert outcome == Replayed()
    assert rotated(successor, clock) == Refused()


def test_a_foreign_region_or_account_changes_nothing(user_id, clock):
    other = an_account("autre@brest.test", password=None)
    token = opened(user_id, clock).refresh_token
    assert renewed(token, clock, region="normandie") == Refused()
    assert renewed(token, clock, of_account=other) == Refused()
    assert isinstance(renewed(token, clock, region="bretagne", of_account=user_id), Opened)
    assert db.session.scalar(select(func.count()).select_from(RefreshToken)) == 2


@pytest.mark.parametrize("garbage", ["", "x", "é", "\ud800", "\x00", "y" * 100_000])
def test_an_unknown_token_is_refused(app, clock, garbage):
    assert retrieve_refresh_token(garbage) is None
    assert renewed(garbage, clock) == Refused()


def test_a_failed_transaction_burns_nothing(user_id, clock):
    token = opened(user_id, clock).refresh_token

    held = retrieve_refresh_token(token)

    def rotate_and_fail():
        with transaction():
            rotate_refresh_token(token, held, grace_seconds=0, idle_seconds=999, now=clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rotate_and_fail()
    assert isinstance(rotated(token, clock, grace=0), Rotated)


@pytest.mark.parametrize("grace", [30, 0])
def test_of_sixteen_uses_at_once_there_is_one_successor(user_id, clock, app, grace):
    token = opened(user_id, clock).refresh_token
    outcomes, gate = [], threading.Barrier(16)

    def use():
        with app.app_context():
            gate.wait()
            outcomes.append(rotated(token, clock, grace=grace))

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 16
    good = [outcome.token for outcome in outcomes if isinstance(outcome, Rotated)]
    assert len(set(good)) == 1
    assert len(good) == (16 if grace else 1)
    rows = select(func.count()).select_from(RefreshToken)
    assert db.session.scalar(rows) == 2
