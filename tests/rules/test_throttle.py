"""Failures are counted where they weigh on who fails, never on whom is attacked."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from terristory.auth.models import Session
from terristory.auth.throttle import (
    CAPTCHA_AFTER,
    NETWORK_LIMIT,
    PAIR_LIMIT,
    Counts,
    blocked_for,
    captcha_needed,
    count_failure,
    forget_failures,
    is_known,
    keys_of,
    lock_counts,
    read_counts,
)
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from tests.support.people import an_account

HERE, THERE = "192.0.2.1", "198.51.100.7"


def keys(mail="jeanne@exemple.fr", network=HERE, region="bretagne"):
    return keys_of(region, mail, network)


def fail(of, times=1, **options):
    for _ in range(times):
        with transaction():
            lock_counts(of, now=utc_now())
            count_failure(of, now=utc_now(), **options)


def counts(of):
    found = read_counts(of, now=utc_now())
    return (found.account, found.network, found.pair)


def succeed(of):
    with transaction():
        forget_failures(of, now=utc_now())


def test_a_failure_counts_for_the_account_the_network_and_the_pair(app):
    fail(keys())
    assert counts(keys()) == (1, 1, 1)
    assert counts(keys(network=THERE)) == (1, 0, 0)
    assert counts(keys(mail="autre@exemple.fr")) == (0, 1, 0)
    assert counts(keys(region="normandie")) == (0, 1, 0)


def test_a_try_without_the_check_weighs_on_its_network_only(app):
    fail(keys(), account_too=False)
    assert counts(keys()) == (0, 1, 1)


def test_the_check_is_needed_after_five_failures(app):
    fail(keys(), CAPTCHA_AFTER - 1)
    assert not captcha_needed(keys(), known=False, now=utc_now())
    fail(keys())
    assert captcha_needed(keys(), known=False, now=utc_now())
    assert captcha_needed(keys(network=THERE), known=False, now=utc_now())


def test_a_known_owner_is_exempt_from_the_accounts_count(app):
    fail(keys(network=THERE), 50)
    assert captcha_needed(keys(), known=False, now=utc_now())
    assert not captcha_needed(keys(), known=True, now=utc_now())
    assert blocked_for(keys(), now=utc_now()) == 0


def test_a_success_forgets_the_pair_and_its_share_of_the_network(app):
    fail(keys(), 3)
    fail(keys(mail="autre@exemple.fr"), 2)
    succeed(keys())
    assert counts(keys()) == (0, 2, 0)


def test_an_account_of_ones_own_wins_no_budget_back(app):
    """allauth 65.8.1: nine guesses, one sign-in to one's own account, nine guesses…"""
    own = keys(mail="attaquant@exemple.fr")
    for _ in range(3):
        fail(keys(), 9)
        fail(own)
        succeed(own)
    assert counts(keys()) == (27, 27, 27)
    assert blocked_for(keys(), now=utc_now()) > 0


@pytest.mark.parametrize(("mails", "limit"), [(1, PAIR_LIMIT), (NETWORK_LIMIT, NETWORK_LIMIT)])
def test_a_pair_or_a_network_that_goes_on_has_to_wait(app, clock, mails, limit):
    for number in range(limit):
        assert blocked_for(keys(), now=clock.now()) == 0
        fail(keys(mail=f"{number % mails}@exemple.fr"))
    assert blocked_for(keys(mail="0@exemple.fr"), now=clock.now()) == 30


def test_the_wait_is_true_and_doubles(app, clock):
    fail(keys(), PAIR_LIMIT)
    clock.move(seconds=29)
    assert blocked_for(keys(), now=clock.now()) == 1
    clock.move(seconds=1)
    assert blocked_for(keys(), now=clock.now()) == 0
    fail(keys())
    assert blocked_for(keys(), now=clock.now()) == 60


def test_nobody_waits_longer_than_an_hour(app, clock):
    fail(keys(), PAIR_LIMIT + 30)
    assert blocked_for(keys(), now=clock.now()) == 3600


def test_failures_are_forgotten_after_a_day(app, clock):
    fail(keys(), 30)
    clock.move(days=1)
    assert read_counts(keys(), now=clock.now()) == Counts()
    fail(keys())
    assert counts(keys()) == (1, 1, 1)


def test_failures_less_than_a_day_apart_stay_in_a_row(app, clock):
    for _ in range(5):
        fail(keys())
        clock.move(hours=23)
    assert captcha_needed(keys(), known=False, now=clock.now())


def visited(user_id, *, device="", network=HERE, ago=timedelta(0)):
    at = utc_now() - ago
    row = Session(id=uuid4(), user_id=user_id, device_digest=device, network=network, created_at=at, last_used_at=at,
                  expires_at=at + timedelta(days=30))  # fmt: skip
    with transaction():
        db.session.add(row)


def known(user_id, *, device="", network=THERE):
    return is_known(user_id, device_digest=device, network=network, now=utc_now())


def test_a_device_or_a_network_of_the_last_thirty_days_is_known(app, clock):
    user_id = an_account("jeanne@exemple.fr")
    visited(user_id, device="d", network=HERE)
    assert known(user_id, device="d")
    assert known(user_id, network=HERE)
    assert not known(user_id, device="autre")
    clock.move(days=30, seconds=1)
    assert not known(user_id, device="d", network=HERE)


def test_the_shared_slot_and_an_unknown_network_make_nobody_known(app):
    user_id = an_account("jeanne@exemple.fr")
    visited(user_id, device="", network="")
    assert not known(user_id, device="", network="")


def test_a_visit_to_one_account_makes_no_other_known(app):
    visited(an_account("autre@exemple.fr"), network=HERE)
    assert not known(an_account("jeanne@exemple.fr"), network=HERE)
    assert not known(None, network=HERE)


def test_failures_at_once_are_all_counted(app):
    barrier = threading.Barrier(8)

    def run():
        with app.app_context():
            barrier.wait()
            fail(keys())
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(keys()) == (8, 8, 8)
