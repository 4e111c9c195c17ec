"""A password is looked at once, whoever is asked for, and everything that happens is told to the right one only."""

import threading
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event, select

from terristory.audit.models import AuditLine
from terristory.auth import authenticate as module
from terristory.auth.authenticate import (
    Attempt,
    Authenticated,
    Failed,
    Right,
    Throttled,
    Weighed,
    Wrong,
    authenticate,
    check_current_password,
    weigh,
)
from terristory.auth.temporary_password import issue_temporary_password
from terristory.auth.throttle import CAPTCHA_AFTER, PAIR_LIMIT
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.user.models import Status, User
from tests.support.environment import PASSWORD
from tests.support.people import an_account

MAIL = "Jeanne@exemple.fr"
WRONG = "autre phrase de passe 7"
TRY = Attempt("bretagne", MAIL, PASSWORD, "", "192.0.2.1")


def attempt(password=PASSWORD, *, login=MAIL, network="192.0.2.1", region="bretagne", check=False, throttled=True):
    """Try as the doors do; `check`: whether a good automatic check came along."""
    tried = replace(TRY, password=password, login=login, network=network, region=region)
    weighed = weigh(tried, throttled=throttled, spend_check=lambda: check, now=utc_now())
    if not isinstance(weighed, Weighed):
        return weighed
    with transaction():
        return authenticate(weighed, now=utc_now())


def temporary_of(user_id, life_seconds=3600):
    with transaction():
        return issue_temporary_password(user_id, life_seconds=life_seconds, now=utc_now()).password


def user_of(user_id):
    return db.session.scalar(select(User).where(User.id == user_id))


def trail():
    lines = db.session.scalars(select(AuditLine).order_by(AuditLine.id)).all()
    return [(line.event, line.subject, line.details.get("code")) for line in lines]


@pytest.fixture
def looks(monkeypatch):
    """Count the looks at a password."""
    real, seen = module.verify_password, []
    monkeypatch.setattr(module, "verify_password", lambda *given: seen.append(given) or real(*given))
    return seen


def test_the_right_password_answers_what_the_original_answered(app):
    an_account(MAIL)
    outcome = attempt()
    assert isinstance(outcome, Authenticated)
    assert outcome.user_id == {"mail": MAIL, "region": "bretagne"}


@pytest.mark.parametrize("login", ["jeanne@exemple.fr", " JEANNE@EXEMPLE.FR ", "jeanne@Exemple.fr"])
def test_the_address_is_compared_in_canonical_form(app, login):
    an_account(MAIL)
    assert isinstance(attempt(login=login), Authenticated)


@pytest.mark.parametrize("password", [PASSWORD + " ", " " + PASSWORD, PASSWORD.upper(), PASSWORD[:-1], ""])
def test_the_password_is_compared_exactly(app, password):
    an_account(MAIL)
    assert attempt(password) == Failed("invalid_credentials")


def test_both_ways_to_write_an_accent_are_the_same_password(app):
    an_account(MAIL, password="écureuil tambour 42 lune")
    assert isinstance(attempt("e\u0301cureuil tambour 42 lune"), Authenticated)


def test_another_region_is_another_account(app):
    an_account(MAIL)
    assert attempt(region="normandie") == Failed("invalid_credentials")


CODES = {Status.AWAITING: "account_awaiting", Status.REFUSED: "account_refused", Status.DISABLED: "account_disabled"}


@pytest.mark.parametrize(("status", "code"), CODES.items())
def test_only_the_right_password_learns_why_an_account_does_not_sign_in(app, status, code):
    user_id = an_account(MAIL, status=status)
    outcome = attempt()
    assert (outcome.code, outcome.user.id) == (code, user_id)
    assert attempt(WRONG) == Failed("invalid_credentials")


def test_a_closing_account_does_not_sign_in(app):
    an_account(MAIL, closing_at=utc_now())
    assert attempt().code == "account_closing"


def test_an_unconfirmed_account_has_no_password(app):
    an_account(MAIL, status=Status.UNCONFIRMED, password=None)
    assert attempt("") == attempt() == Failed("invalid_credentials")


PEOPLE = {
    "known": {},
    "awaiting": {"status": Status.AWAITING},
    "without a password": {"status": Status.UNCONFIRMED, "password": None},
    "unknown": None,
}


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
@pytest.mark.parametrize("password", [PASSWORD, WRONG, "a\0b", "x" * 3000])
def test_one_password_is_looked_at_on_every_path(app, looks, person, password):
    if person is not None:
        an_account(MAIL, **person)
    attempt(password)
    assert len(looks) == 1


def test_a_wrong_password_costs_the_same_statements_whoever_is_asked_for(app):
    """Time tells nothing: the same look (see above), and the same questions to the database."""
    an_account(MAIL)
    asked = []
    note = ("before_cursor_execute", lambda *given: asked.append(given[2]))
    event.listen(db.engine, *note)
    for login in (MAIL, "inconnue@exemple.fr"):
        asked.append(login)
        attempt(WRONG, login=login)
    event.remove(db.engine, *note)
    known, unknown = asked[1 : asked.index("inconnue@exemple.fr")], asked[asked.index("inconnue@exemple.fr") + 1 :]
    assert len(known) > 5
    assert known == unknown


def test_a_temporary_password_costs_one_look_too(app, looks):
    temporary = temporary_of(an_account(MAIL))
    assert isinstance(attempt(temporary), Authenticated)
    assert attempt(temporary).code == "temporary_password_used"
    assert len(looks) == 2


def test_a_temporary_password_signs_in_beside_the_regular_one(app):
    temporary = temporary_of(an_account(MAIL))
    assert attempt().must_change_password is False
    assert attempt(f" {temporary} ").must_change_password is True
    assert attempt().must_change_password is False


def test_a_dead_temporary_password_is_told_apart(app, clock):
    temporary = temporary_of(an_account(MAIL), life_seconds=60)
    clock.move(seconds=61)
    assert attempt(temporary).code == "temporary_password_expired"


def test_an_account_that_is_not_active_does_not_use_its_temporary_password_up(app):
    user_id = an_account(MAIL, status=Status.AWAITING, password=None)
    temporary = temporary_of(user_id)
    assert attempt(temporary).code == "account_awaiting"
    with transaction():
        user_of(user_id).status = Status.ACTIVE
    assert isinstance(attempt(temporary), Authenticated)


def test_a_value_of_lower_cost_is_made_again_at_sign_in(app):
    user_id = an_account(MAIL)
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with transaction():
        user_of(user_id).password_hash = old
    assert isinstance(attempt(), Authenticated)
    assert "m=64,t=1,p=1" in user_of(user_id).password_hash
    assert isinstance(attempt(), Authenticated)


def test_a_password_changed_while_it_was_looked_at_does_not_sign_in(app):
    user_id = an_account(MAIL)
    weighed = weigh(TRY, throttled=True, spend_check=lambda: False, now=utc_now())
    with transaction():
        user_of(user_id).password_hash = None
    with transaction():
        assert authenticate(weighed, now=utc_now()) == Failed("invalid_credentials")


def test_an_account_disabled_while_its_password_was_looked_at_does_not_sign_in(app):
    user_id = an_account(MAIL)
    weighed = weigh(TRY, throttled=True, spend_check=lambda: False, now=utc_now())
    with transaction():
        user_of(user_id).status = Status.DISABLED
    with transaction():
        assert authenticate(weighed, now=utc_now()).code == "account_disabled"


def test_every_failure_is_traced_and_an_unknown_address_names_nobody(app):
    user_id = an_account(MAIL)
    attempt(WRONG)
    attempt(login="inconnue@exemple.fr")
    assert trail() == [
        ("auth.failed", user_id, "invalid_credentials"),
        ("auth.failed", None, "invalid_credentials"),
    ]


def test_the_fifth_failure_asks_for_the_check_whatever_the_password(app, looks):
    an_account(MAIL)
    codes = [attempt(WRONG).code for _ in range(CAPTCHA_AFTER)]
    assert codes == ["invalid_credentials"] * 4 + ["captcha_required"]
    assert attempt() == Failed("captcha_required", captcha_next=True)
    assert len(looks) == CAPTCHA_AFTER
    assert isinstance(attempt(check=True), Authenticated)
    assert isinstance(attempt(), Authenticated)


def test_other_spellings_of_the_address_share_its_count(app):
    an_account(MAIL)
    for number in range(CAPTCHA_AFTER):
        attempt(WRONG, login=("jeanne@exemple.fr", "JEANNE@exemple.fr")[number % 2], network=f"192.0.2.{number}")
    assert attempt(network="203.0.113.1").code == "captcha_required"


def test_an_unknown_address_meets_the_same_throttle(app):
    an_account(MAIL)
    known = [attempt(WRONG) for _ in range(7)]
    unknown = [attempt(WRONG, login="inconnue@exemple.fr", network="198.51.100.1") for _ in range(7)]
    assert [outcome.code for outcome in known] == [outcome.code for outcome in unknown]


def test_who_goes_on_waits_and_then_is_looked_at_again(app, clock, looks):
    an_account(MAIL)
    for _ in range(PAIR_LIMIT):
        attempt(WRONG, check=True)
    assert len(looks) == PAIR_LIMIT
    assert attempt(check=True) == Throttled(30)
    assert trail()[-1][0] == "auth.throttled"
    assert len(looks) == PAIR_LIMIT
    clock.move(seconds=30)
    assert isinstance(attempt(check=True), Authenticated)


def test_without_limits_nothing_is_counted(app):
    an_account(MAIL)
    assert {attempt(WRONG, throttled=False).code for _ in range(PAIR_LIMIT + 5)} == {"invalid_credentials"}
    assert isinstance(attempt(), Authenticated)


def test_of_many_wrong_passwords_at_once_five_are_looked_at(app, looks):
    an_account(MAIL)
    db.session.remove()
    barrier = threading.Barrier(12)

    def run():
        with app.app_context():
            barrier.wait()
            attempt(WRONG)
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looks) == CAPTCHA_AFTER


def current(user_id, password, throttled=True):
    user = user_of(user_id)
    return check_current_password(
        user, password, device_digest="d", network="192.0.2.1", throttled=throttled, now=utc_now()
    )


def test_the_current_password_is_asked_for_under_the_same_throttle(app, clock):
    user_id = an_account(MAIL)
    assert current(user_id, PASSWORD) == Right()
    for _ in range(CAPTCHA_AFTER):
        assert current(user_id, WRONG) == Wrong()
    assert current(user_id, PASSWORD) == Throttled(30)
    # A try refused for want of the check counts for its network as well, and makes the wait longer.
    assert attempt().code == "captcha_required"
    clock.move(seconds=60)
    assert current(user_id, PASSWORD) == Right()
    assert isinstance(attempt(), Authenticated)


def test_failures_at_sign_in_bite_where_the_current_password_is_asked_for(app):
    user_id = an_account(MAIL)
    for _ in range(CAPTCHA_AFTER):
        attempt(WRONG)
    assert isinstance(current(user_id, PASSWORD), Throttled)
    assert current(user_id, PASSWORD, throttled=False) == Right()


def test_a_wrong_current_password_is_traced(app):
    user_id = an_account(MAIL)
    current(user_id, WRONG)
    assert [(event, subject) for event, subject, _ in trail()] == [("password.change_failed", user_id)]
