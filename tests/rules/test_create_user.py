"""Asking for an account: what each state of the address calls for."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.regions.lookup import find_region
from terristory.user.create_user import resend_confirmation
from terristory.user.lookup import find_by_mail
from terristory.user.models import MailLink, Role, Status, User
from tests.support.people import an_account
from tests.support.requests_for_accounts import MAIL, RULES, ask, outbox, secrets_of, templates

CANONICAL = MAIL.lower()


@pytest.fixture(autouse=True)
def _within(app, clock):
    """Every test acts within the app, at one moment."""


def account() -> User:
    db.session.expire_all()
    user = find_by_mail("bretagne", CANONICAL)
    assert user is not None
    return user


def live_links() -> int:
    return db.session.scalar(select(func.count()).where(MailLink.superseded_at.is_(None), MailLink.used_at.is_(None)))


def test_a_new_address_waits_for_its_confirmation_and_has_no_password(clock):
    ask(clock.now(), motif="Plan climat")
    user = account()
    assert (user.mail, user.status, user.password_hash, user.motif) == (MAIL, "unconfirmed", None, "Plan climat")
    assert "le goff" in user.search_text
    assert user.information_version
    assert templates() == ["user/confirm"]


def test_the_link_itself_is_not_stored(clock):
    ask(clock.now())
    token = secrets_of("user/confirm")[0]["token"]
    link = db.session.scalars(select(MailLink)).one()
    assert token not in (link.token_digest, outbox()[0].sealed)
    assert link.mail_id == outbox()[0].id


def test_asking_again_before_the_confirmation_replaces_the_data_and_the_link(clock):
    ask(clock.now())
    ask(clock.move(minutes=5), nom="Le Gall", mail=MAIL.upper())
    assert (account().nom, account().mail) == ("Le Gall", MAIL.upper())
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    assert live_links() == 1
    assert len(secrets_of("user/confirm")) == 2


def test_the_fourth_mail_in_an_hour_does_not_leave_and_the_last_link_lives_on(clock):
    for _time in range(5):
        ask(clock.move(minutes=1))
    assert templates() == ["user/confirm"] * 3
    assert live_links() == 1
    ask(clock.move(hours=1))
    assert len(templates()) == 4


def test_without_limits_by_count_every_mail_leaves(clock):
    for _time in range(5):
        ask(clock.move(minutes=1), rules=replace(RULES, limited=False))
    assert len(templates()) == 5


@pytest.mark.parametrize(
    ("status", "template"),
    [
        (Status.AWAITING, "user/under_review"),
        (Status.ACTIVE, "user/already_registered"),
        (Status.DISABLED, "user/disabled_notice"),
    ],
)
def test_the_owner_of_an_account_is_told_where_it_stands(clock, status, template):
    an_account(MAIL, status=status)
    ask(clock.now(), nom="Voleur")
    assert templates() == [template]
    assert (account().nom, account().status) == ("Martin", status)
    assert outbox()[0].recipient == MAIL


def test_an_account_that_closes_is_offered_the_way_back(clock):
    an_account(MAIL, closing_at=clock.now())
    ask(clock.now())
    assert templates() == ["user/closing_notice"]
    assert secrets_of("user/closing_notice")[0]["token"]
    assert outbox()[0].context["erased_at"].startswith("2026-03-17")


def test_a_refused_request_starts_again_and_shows_the_earlier_refusal(clock):
    an_account(MAIL, status=Status.REFUSED, reason="Hors région", decided_at=clock.now())
    ask(clock.now())
    user = account()
    assert (user.status, user.reason, user.decided_at) == ("unconfirmed", "Hors région", clock.now())
    assert user.password_hash is None
    assert templates() == ["user/confirm"]


def test_the_same_address_may_ask_in_two_regions(clock):
    ask(clock.now())
    ask(clock.now(), region="occitanie")
    assert db.session.scalar(select(func.count()).select_from(User)) == 2


class TestWithoutMailConfirmation:
    rules = replace(RULES, confirmation_required=False)

    def test_the_request_goes_straight_to_the_admins(self, clock):
        an_account("admin@brest.test", role=Role.ADMIN)
        ask(clock.now(), rules=self.rules)
        assert (account().status, account().confirmed_at) == ("awaiting", None)
        assert templates() == ["user/new_request", "user/received"]

    def test_asking_again_says_under_review_and_tells_no_admin(self, clock):
        ask(clock.now(), rules=self.rules)
        ask(clock.move(minutes=1), rules=self.rules)
        assert templates() == ["user/new_request_nobody", "user/received", "user/under_review"]

    def test_beyond_ten_an_hour_the_admins_get_one_count(self, clock):
        an_account("admin@brest.test", role=Role.ADMIN)
        for number in range(14):
            ask(clock.now(), rules=self.rules, mail=f"personne{number}@brest.test")
        sent = [mail for mail in outbox() if mail.recipient == "admin@brest.test"]
        assert [mail.template for mail in sent].count("user/new_request") == 10
        digests = [mail for mail in sent if mail.template == "user/requests_waiting"]
        assert [mail.context["count"] for mail in digests] == [11]


class TestResending:
    def resend(self, now, mail=MAIL):
        with transaction():
            resend_confirmation(find_region("bretagne"), mail, RULES, now=now)

    def test_sends_a_new_link_and_the_older_one_dies(self, clock):
        ask(clock.now())
        self.resend(clock.move(minutes=1))
        first, second = secrets_of("user/confirm")
        assert first != second
        assert live_links() == 1

    @pytest.mark.parametrize("mail", ["inconnue@brest.test", "pas une adresse"])
    def test_is_silent_where_no_account_is(self, clock, mail):
        self.resend(clock.now(), mail)
        assert db.session.scalar(select(func.count()).select_from(OutboxMail)) == 0

    def test_shares_the_count_of_the_requests(self, clock):
        ask(clock.now())
        for _time in range(5):
            self.resend(clock.move(minutes=1))
        assert len(outbox()) == 3

    def test_does_not_take_up_a_refused_request(self, clock):
        an_account(MAIL, status=Status.REFUSED)
        self.resend(clock.now())
        assert (account().status, templates()) == ("refused", [])
