"""A ticket counts after a wait, for its form and region, for a day, once, and few pass per network."""

import pytest

from terristory.captcha import ticket as tickets
from terristory.captcha.ticket import (
    MOST_PER_HOUR,
    Refused,
    TooEarly,
    Valid,
    check_ticket,
    issue_ticket,
    spend_ticket,
    take_from_ticket_quota,
    use_ticket_keys,
)
from terristory.database import transaction


@pytest.fixture(autouse=True)
def keys(request):
    if "app" in request.fixturenames:
        # The app sets the keys when it is built: what is put back at the end must be its own.
        request.getfixturevalue("app")
    before = list(reversed(tickets._keys))
    use_ticket_keys([b"t" * 32])
    yield
    use_ticket_keys(before)


def issued(clock):
    return issue_ticket("create_user", "bretagne", now=clock.now())


def check(ticket, clock, form="create_user", region="bretagne"):
    return check_ticket(ticket, form=form, region=region, wait_seconds=20, now=clock.now())


def test_it_counts_after_the_wait_and_says_how_long_that_is(clock):
    ticket = issued(clock)
    assert check(ticket, clock) == TooEarly(20)
    clock.move(seconds=19.5)
    assert check(ticket, clock) == TooEarly(1)
    clock.move(seconds=0.5)
    assert isinstance(check(ticket, clock), Valid)


def test_it_lives_a_day(clock):
    ticket = issued(clock)
    clock.move(hours=23, minutes=59)
    assert isinstance(check(ticket, clock), Valid)
    clock.move(minutes=1)
    assert check(ticket, clock) == Refused()


@pytest.mark.parametrize(("form", "region"), [("confirm", "bretagne"), ("create_user", "normandie")])
def test_it_serves_only_the_form_and_region_it_was_issued_for(clock, form, region):
    ticket = issued(clock)
    clock.move(seconds=60)
    assert check(ticket, clock, form=form, region=region) == Refused()


@pytest.mark.parametrize("ticket", ["", "x", "a.b", "é", "\0", "." * 50, "a" * 100_000])
def test_garbage_is_refused(clock, ticket):
    assert check(ticket, clock) == Refused()


def test_one_whose_time_was_changed_is_refused(clock):
    earlier, later = issued(clock), issue_ticket("create_user", "bretagne", now=clock.move(seconds=1))
    assert check(later.partition(".")[0] + "." + earlier.partition(".")[2], clock) == Refused()


def test_the_previous_key_still_opens_it(clock):
    ticket = issued(clock)
    use_ticket_keys([b"T" * 32, b"t" * 32])
    assert check(ticket, clock) == TooEarly(20)
    use_ticket_keys([b"T" * 32])
    assert check(ticket, clock) == Refused()


def test_it_is_spent_once(app, clock):
    ticket = issued(clock)
    clock.move(seconds=20)
    with transaction():
        assert spend_ticket(check(ticket, clock)) is True
    with transaction():
        assert spend_ticket(check(ticket, clock)) is False


def test_ten_an_hour_pass_from_one_network_and_others_are_not_hindered(app, clock):
    with transaction():
        passed = [take_from_ticket_quota("192.0.2.1", now=clock.now()) for _ in range(MOST_PER_HOUR + 1)]
        assert passed == [True] * 10 + [False]
        assert take_from_ticket_quota("192.0.2.2", now=clock.now())
        assert take_from_ticket_quota("192.0.2.1", now=clock.move(hours=1))
