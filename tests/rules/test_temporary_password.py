"""A temporary password serves once, for its time, as long as no newer one was made."""

import threading

import pytest

from terristory.auth.temporary_password import (
    Claimed,
    Dead,
    NotOne,
    claim_temporary_password,
    is_current_or_past_temporary,
    issue_temporary_password,
    void_temporary_passwords,
)
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.user.models import User
from tests.support.people import an_account

USED, EXPIRED = Dead("temporary_password_used"), Dead("temporary_password_expired")


@pytest.fixture
def user(app):
    return db.session.get(User, an_account("jeanne@exemple.fr"))


def issued(user, *, life_seconds=3600):
    with transaction():
        return issue_temporary_password(user.id, life_seconds=life_seconds, now=utc_now()).password


def claimed(user, password):
    with transaction():
        return claim_temporary_password(user.id, password, now=utc_now())


def test_it_serves_once(user):
    password = issued(user)
    assert isinstance(claimed(user, password), Claimed)
    assert claimed(user, password) == USED


def test_it_is_sixteen_letters_and_digits_kept_as_a_digest(user):
    with transaction():
        made = issue_temporary_password(user.id, life_seconds=3600, now=utc_now())
        assert len(made.password) == 16
        assert made.password not in repr(vars(made.row))


def test_surrounding_spaces_are_forgiven_and_nothing_else_is(user):
    password = issued(user)
    assert claimed(user, password.upper()) == NotOne()
    assert claimed(user, password[:-1]) == NotOne()
    assert isinstance(claimed(user, f" {password}\u00a0\r\n"), Claimed)


def test_it_ends_with_its_life(user, clock):
    password = issued(user, life_seconds=60)
    clock.move(seconds=60)
    assert claimed(user, password) == EXPIRED


def test_what_it_opens_ends_when_it_would_have_ended_itself(user, clock):
    password = issued(user, life_seconds=60)
    end = clock.now().timestamp() + 60
    clock.move(seconds=20)
    assert claimed(user, password).expires_at.timestamp() == end


def test_its_life_counts_from_the_latest_attempt_to_deliver_its_mail(user, clock):
    with transaction():
        made = issue_temporary_password(user.id, life_seconds=60, now=clock.now())
        mail = MailMessage("bretagne", user.mail, "fr", "password_change/temporary_password")
        made.row.mail_id = put_in_outbox(mail, now=clock.now())
    later = clock.move(seconds=50)
    with transaction():
        db.session.get(OutboxMail, made.row.mail_id).last_attempt_at = later
    clock.move(seconds=59)
    assert isinstance(claimed(user, made.password), Claimed)


def test_a_newer_one_replaces_it(user):
    first, second = issued(user), issued(user)
    assert claimed(user, first) == EXPIRED
    assert isinstance(claimed(user, second), Claimed)


def test_a_voided_one_is_dead(user):
    password = issued(user)
    with transaction():
        void_temporary_passwords(user.id, now=utc_now())
    assert claimed(user, password) == EXPIRED


def test_it_is_of_one_account_only(user):
    password = issued(user)
    other = db.session.get(User, an_account("autre@exemple.fr"))
    assert claimed(other, password) == NotOne()
    assert isinstance(claimed(user, password), Claimed)


def test_none_may_become_the_regular_password(user):
    first, second = issued(user), issued(user)
    assert is_current_or_past_temporary(user.id, first)
    assert is_current_or_past_temporary(user.id, f" {second} ")
    assert not is_current_or_past_temporary(user.id, "moulin orage boussole 3")


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "a" * 2000])
def test_what_is_no_password_is_none(user, text):
    assert claimed(user, text) == NotOne()


def in_parallel(app, act, times=16):
    """Run `act` in threads that start together; return what each got."""
    barrier, got = threading.Barrier(times), []

    def run():
        with app.app_context():
            barrier.wait()
            got.append(act())
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_of_parallel_uses_at_once_one_is_served(app, user):
    user_id, password = user.id, issued(user)
    db.session.remove()

    def use():
        with transaction():
            return claim_temporary_password(user_id, password, now=utc_now())

    got = in_parallel(app, use, times=8)
    assert sum(isinstance(outcome, Claimed) for outcome in got) == 1
    assert got.count(USED) == 7


def test_of_several_made_at_once_one_lives(app, user):
    user_id = user.id
    db.session.remove()

    def make():
        with transaction():
            return issue_temporary_password(user_id, life_seconds=60, now=utc_now()).password

    passwords = in_parallel(app, make, times=6)
    with transaction():
        served = [claim_temporary_password(user_id, password, now=utc_now()) for password in passwords]
    assert sum(isinstance(outcome, Claimed) for outcome in served) == 1
