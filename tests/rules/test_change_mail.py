"""Changing the address: proved from the new one, told to the old one, which can take it back."""

import pytest

from terristory.database import transaction
from terristory.extensions import db
from terristory.user.change_mail import Asked, MailChanged, ask_mail_change, confirm_mail_change, take_back_address
from terristory.user.lookup import find_by_mail, lock_user
from terristory.user.mail_confirmation import Dead
from terristory.user.models import Status
from tests.support.people import an_account
from tests.support.requests_for_accounts import ask, outbox, secrets_of, templates

OLD, NEW, THIEF = "jeanne@brest.test", "Jeanne@quimper.test", "voleur@ailleurs.test"
LIFE = 604800


@pytest.fixture
def owner(app, clock):
    return an_account(OLD)


def wish(user_id, mail, now):
    with transaction():
        return ask_mail_change(lock_user("bretagne", user_id), mail, limited=True, now=now)


def follow(act, token, now):
    with transaction():
        return act("bretagne", token, life_seconds=LIFE, now=now)


def change(user_id, mail, now):
    wish(user_id, mail, now)
    return follow(confirm_mail_change, secrets_of("account/confirm_new_address")[-1]["token"], now)


def mail_of(user_id):
    db.session.expire_all()
    return lock_user("bretagne", user_id).mail


def test_nothing_changes_before_the_new_address_is_proved(owner, clock):
    assert wish(owner, NEW, clock.now()) == Asked.SENT
    assert mail_of(owner) == OLD
    assert {(mail.template, mail.recipient) for mail in outbox()} == {
        ("account/address_change_asked", OLD),
        ("account/confirm_new_address", NEW),
    }


def test_following_the_link_changes_it_and_tells_the_old_address(owner, clock):
    outcome = change(owner, NEW, clock.now())
    assert isinstance(outcome, MailChanged)
    assert outcome.old_mail == OLD
    assert mail_of(owner) == NEW
    assert find_by_mail("bretagne", NEW.lower()).search_text.find("quimper") > 0
    assert [mail.recipient for mail in outbox() if mail.template == "account/address_changed"] == [OLD]


def test_a_link_serves_once(owner, clock):
    change(owner, NEW, clock.now())
    token = secrets_of("account/confirm_new_address")[0]["token"]
    assert follow(confirm_mail_change, token, clock.now()) == Dead("token_used")


def test_a_taken_address_gets_the_same_outcome_and_no_link(owner, clock):
    an_account(NEW)
    assert wish(owner, NEW, clock.now()) == Asked.SENT
    assert templates() == ["account/address_change_asked"]


def test_an_address_taken_meanwhile_is_not_given(owner, clock):
    wish(owner, NEW, clock.now())
    an_account(NEW)
    token = secrets_of("account/confirm_new_address")[0]["token"]
    assert follow(confirm_mail_change, token, clock.now()) == Dead("token_expired")
    assert mail_of(owner) == OLD


def test_the_present_address_in_other_letters_changes_nothing(owner, clock):
    assert wish(owner, OLD.upper(), clock.now()) == Asked.SAME
    assert outbox() == []


def test_strangers_get_at_most_three_mails_an_hour(owner, clock):
    for number in range(6):
        assert wish(owner, f"autre{number}@brest.test", clock.now()) == Asked.SENT
    assert templates().count("account/confirm_new_address") == 3


def test_an_account_disabled_meanwhile_keeps_its_address(owner, clock):
    wish(owner, NEW, clock.now())
    with transaction():
        lock_user("bretagne", owner).status = Status.DISABLED
    token = secrets_of("account/confirm_new_address")[0]["token"]
    assert follow(confirm_mail_change, token, clock.now()) == Dead("token_expired")


def test_the_owner_takes_it_back_even_after_a_second_change(owner, clock):
    change(owner, THIEF, clock.now())
    first = secrets_of("account/address_changed")[0]["token"]
    clock.move(minutes=5)
    wish(owner, "voleur2@ailleurs.test", clock.now())
    second = next(
        secret["token"]
        for mail, secret in zip(
            [mail for mail in outbox() if mail.template == "account/confirm_new_address"],
            secrets_of("account/confirm_new_address"),
            strict=True,
        )
        if mail.recipient == "voleur2@ailleurs.test"
    )
    assert isinstance(follow(confirm_mail_change, second, clock.now()), MailChanged)
    thiefs = next(secret["token"] for secret in secrets_of("account/address_changed") if secret["token"] != first)
    assert isinstance(follow(take_back_address, first, clock.now()), MailChanged)
    assert mail_of(owner) == OLD
    assert follow(take_back_address, thiefs, clock.now()) == Dead("token_expired")


def test_a_request_that_never_proved_the_old_address_does_not_stand_in_the_way(owner, clock):
    change(owner, THIEF, clock.now())
    ask(clock.now(), mail=OLD)
    token = secrets_of("account/address_changed")[0]["token"]
    assert isinstance(follow(take_back_address, token, clock.now()), MailChanged)
    assert find_by_mail("bretagne", OLD).id == owner
