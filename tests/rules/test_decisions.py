"""Decisions on accounts: what each changes, what it refuses, and that repeating it does nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from terristory.admin import decisions, ways_in
from terristory.admin.desk import Question, find_users, hints_about, next_request
from terristory.admin.outcomes import Already, Conflict, Done, Unknown
from terristory.admin.reminders import remind, working_days_before
from terristory.admin.spreadsheet import csv_of
from terristory.admin.together import decide_together
from terristory.api.paging import BadCursor
from terristory.audit.models import AuditLine
from terristory.auth.models import Session, TemporaryPassword
from terristory.auth.temporary_password import issue_temporary_password
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import Dead, find_link, make_link
from terristory.user.models import LinkPurpose, Role, Status
from tests.support.people import an_account

WEEK = 604800
REGION = "bretagne"


def decide(action: str, user_id: UUID, *, actor: UUID | None = None, reason: str = "Hors de la région."):
    with transaction():
        return decisions.decide(action, REGION, user_id, actor=actor, reason=reason, life_seconds=WEEK, now=utc_now())


def status_of(user_id: UUID) -> str:
    db.session.expire_all()
    user = find_user(REGION, user_id)
    assert user is not None
    return user.status


def mails(template: str) -> int:
    return db.session.scalar(select(func.count()).select_from(OutboxMail).where(OutboxMail.template == template))


def lines(event: str) -> int:
    return db.session.scalar(select(func.count()).select_from(AuditLine).where(AuditLine.event == event))


@pytest.fixture
def admin(app) -> UUID:
    return an_account("admin@brest.test", role=Role.ADMIN)


# What each decision does from each state: the new state, or the code of the conflict.
TABLE = [
    ("activate", Status.AWAITING, Status.ACTIVE),
    ("activate", Status.REFUSED, Status.ACTIVE),
    ("activate", Status.UNCONFIRMED, "user_unconfirmed"),
    ("activate", Status.DISABLED, "user_disabled"),
    ("refuse", Status.AWAITING, Status.REFUSED),
    ("refuse", Status.UNCONFIRMED, Status.REFUSED),
    ("refuse", Status.ACTIVE, "user_not_awaiting"),
    ("refuse", Status.DISABLED, "user_not_awaiting"),
    ("disable", Status.ACTIVE, Status.DISABLED),
    ("disable", Status.AWAITING, "user_not_active"),
    ("disable", Status.REFUSED, "user_not_active"),
    ("enable", Status.DISABLED, Status.ACTIVE),
    ("enable", Status.AWAITING, "user_not_disabled"),
    ("enable", Status.REFUSED, "user_not_disabled"),
]


@pytest.mark.parametrize(("action", "before", "after"), TABLE)
def test_a_decision_leads_where_the_contract_says(admin, action, before, after):
    person = an_account("jeanne@brest.test", status=before)
    outcome = decide(action, person, actor=admin)
    if isinstance(after, Status):
        assert isinstance(outcome, Done)
        assert status_of(person) == after
    else:
        assert isinstance(outcome, Conflict) and outcome.code == after
        assert status_of(person) == before


@pytest.mark.parametrize(
    ("action", "before", "template", "event"),
    [
        ("activate", Status.AWAITING, "admin/activated", "user.activated"),
        ("refuse", Status.AWAITING, "admin/refused", "user.refused"),
        ("disable", Status.ACTIVE, "admin/disabled", "user.disabled"),
        ("enable", Status.DISABLED, "admin/enabled", "user.enabled"),
    ],
)
def test_repeating_a_decision_mails_and_traces_nothing_more(admin, action, before, template, event):
    person = an_account("jeanne@brest.test", status=before)
    assert isinstance(decide(action, person, actor=admin), Done)
    assert isinstance(decide(action, person, actor=admin), Already)
    assert (mails(template), lines(event)) == (1, 1)


@pytest.mark.parametrize("action", ["activate", "refuse", "disable", "enable"])
def test_an_administrator_decides_nothing_about_himself(admin, action):
    outcome = decide(action, admin, actor=admin)
    assert isinstance(outcome, Conflict) and outcome.code == "own_account"


def test_an_account_of_another_region_is_unknown(admin):
    stranger = an_account("jeanne@ajaccio.test", region="corse", status=Status.AWAITING)
    assert decide("activate", stranger, actor=admin) == Unknown()
    assert decide("activate", uuid4(), actor=admin) == Unknown()


def test_letting_in_an_unconfirmed_address_mails_a_temporary_password_and_kills_the_link(admin):
    person = an_account("jeanne@brest.test", status=Status.UNCONFIRMED, password=None)
    with transaction():
        token = make_link(person, LinkPurpose.REGISTRATION, now=utc_now()).token
        outcome = decisions.activate(REGION, person, actor=admin, unconfirmed=True, life_seconds=WEEK, now=utc_now())
    assert isinstance(outcome, Done)
    row = db.session.scalar(select(TemporaryPassword).where(TemporaryPassword.user_id == person))
    mail = db.session.scalar(select(OutboxMail).where(OutboxMail.template == "admin/activated"))
    assert row.life_seconds == WEEK and row.mail_id == mail.id and mail.sealed
    found = find_link(REGION, token, LinkPurpose.REGISTRATION, life_seconds=WEEK, now=utc_now())
    assert isinstance(found, Dead)


def test_who_has_a_password_gets_no_temporary_one(admin):
    person = an_account("jeanne@brest.test", status=Status.AWAITING)
    decide("activate", person, actor=admin)
    assert db.session.scalar(select(func.count()).select_from(TemporaryPassword)) == 0


def test_disabling_ends_sessions_and_temporary_passwords(admin):
    person, now = an_account("jeanne@brest.test"), utc_now()
    session = Session(user_id=person, created_at=now, last_used_at=now, expires_at=now + timedelta(days=1))
    with transaction():
        db.session.add(session)
        issue_temporary_password(person, life_seconds=WEEK, now=now)
    decide("disable", person, actor=admin)
    db.session.expire_all()
    assert session.ended_at is not None
    assert db.session.scalar(select(TemporaryPassword)).superseded_at is not None


def test_the_last_administrator_stays(admin):
    outcome = decide("disable", admin)
    assert isinstance(outcome, Conflict) and outcome.code == "last_admin"
    with transaction():
        outcome = decisions.change_role(REGION, admin, Role.USER, actor=None, now=utc_now())
    assert isinstance(outcome, Conflict) and outcome.code == "last_admin"


def test_two_administrators_who_disable_each_other_at_once_leave_one(app, admin):
    other = an_account("second@brest.test", role=Role.ADMIN)

    def disable(actor: UUID, target: UUID) -> str:
        with app.app_context():
            return type(decide("disable", target, actor=actor)).__name__

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(disable, (admin, other), (other, admin)))
    assert sorted(results) == ["Conflict", "Done"]
    assert sorted((status_of(admin), status_of(other))) == ["active", "disabled"]


def test_of_sixteen_activations_at_once_one_counts(app, admin):
    person = an_account("jeanne@brest.test", status=Status.AWAITING)

    def activate(_number: int) -> str:
        with app.app_context():
            return type(decide("activate", person, actor=admin)).__name__

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(activate, range(16)))
    assert sorted(results) == ["Already"] * 15 + ["Done"]
    assert (mails("admin/activated"), lines("user.activated")) == (1, 1)


def test_of_two_contrary_decisions_the_second_is_judged_on_what_the_first_left(admin):
    person = an_account("jeanne@brest.test", status=Status.AWAITING)
    decide("activate", person, actor=admin)
    outcome = decide("refuse", person, actor=admin)
    assert isinstance(outcome, Conflict) and outcome.code == "user_not_awaiting"
    assert mails("admin/refused") == 0


def test_a_role_is_given_once_and_only_to_active_accounts(admin):
    person = an_account("jeanne@brest.test")
    waiting = an_account("paul@brest.test", status=Status.AWAITING)
    with transaction():
        first = decisions.change_role(REGION, person, Role.ADMIN, actor=admin, now=utc_now())
        again = decisions.change_role(REGION, person, Role.ADMIN, actor=admin, now=utc_now())
        refused = decisions.change_role(REGION, waiting, Role.ADMIN, actor=admin, now=utc_now())
        assert isinstance(first, Done) and isinstance(again, Already)
        assert isinstance(refused, Conflict) and refused.code == "user_not_active"
    assert lines("user.role_changed") == 1


def test_signing_out_counts_sessions_and_repeating_it_traces_nothing(admin):
    person, now = an_account("jeanne@brest.test"), utc_now()
    with transaction():
        db.session.add(Session(user_id=person, created_at=now, last_used_at=now, expires_at=now + timedelta(days=1)))
    with transaction():
        assert isinstance(decisions.sign_out(REGION, person, actor=admin, now=now), Done)
    with transaction():
        assert isinstance(decisions.sign_out(REGION, person, actor=admin, now=now), Already)
    assert lines("user.signed_out_by_admin") == 1


def test_a_confirmation_goes_again_to_who_is_unconfirmed_only(admin):
    person = an_account("jeanne@brest.test", status=Status.UNCONFIRMED, password=None)
    active = an_account("paul@brest.test")
    with transaction():
        assert isinstance(ways_in.resend_confirmation(REGION, person, actor=admin, now=utc_now()), Done)
        outcome = ways_in.resend_confirmation(REGION, active, actor=admin, now=utc_now())
        assert isinstance(outcome, Conflict) and outcome.code == "user_not_unconfirmed"
    assert mails("user/confirm") == 1


def test_a_temporary_password_goes_to_active_accounts_three_times_an_hour(admin):
    person = an_account("jeanne@brest.test")
    disabled = an_account("paul@brest.test", status=Status.DISABLED)
    act = {"actor": admin, "life_seconds": 3600, "rate_limits": True}
    with transaction():
        kinds = [type(ways_in.regenerate_password_of(REGION, person, now=utc_now(), **act)).__name__ for _ in range(4)]
        outcome = ways_in.regenerate_password_of(REGION, disabled, now=utc_now(), **act)
        assert isinstance(outcome, Conflict) and outcome.code == "user_not_active"
    assert kinds == ["Done", "Done", "Done", "Already"]


def test_decisions_together_say_what_became_of_each_in_order(admin):
    waiting = an_account("jeanne@brest.test", status=Status.AWAITING)
    active = an_account("paul@brest.test")
    disabled = an_account("anne@brest.test", status=Status.DISABLED)
    ids = [str(active), "x", str(waiting), str(disabled), str(admin), str(uuid4()), str(waiting)]
    with transaction():
        results = decide_together(
            ids,
            lambda user_id: decisions.activate(REGION, user_id, actor=admin, life_seconds=WEEK, now=utc_now()),
        )
        words = [item.result for item in results]
    assert words == ["already", "unknown", "done", "conflict", "conflict", "unknown", "done"]
    assert mails("admin/activated") == 1


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "nom", "-nom", "last_sign_in_at", "-last_sign_in_at"])
def test_paging_shows_every_account_once_whatever_the_sort(app, sort):
    now = utc_now()
    for number in range(7):
        signed_in = now - timedelta(hours=number % 3) if number % 2 else None
        an_account(f"p{number}@brest.test", nom="É" * 99 + str(number // 2), last_sign_in_at=signed_in)
    seen, after = [], None
    while True:
        answer = find_users(REGION, Question(sort=sort, after=after, limit=2))
        seen += [user.id for user in answer.users]
        after = answer.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert seen == [user.id for user in find_users(REGION, Question(sort=sort, limit=100)).users]


def test_a_cursor_of_another_sort_is_refused(app):
    for number in range(3):
        an_account(f"p{number}@brest.test")
    after = find_users(REGION, Question(sort="nom", limit=1)).next
    with pytest.raises(BadCursor):
        find_users(REGION, Question(sort="created_at", after=after))


def test_the_search_ignores_accents_and_case_and_takes_wildcards_literally(app):
    found = an_account("eleonore@brest.test", prenom="Éléonore", nom="Le Goff")
    an_account("paul@quimper.test", prenom="Paul", nom="Kerdoncuff")
    assert [user.id for user in find_users(REGION, Question(q="GOFF eléo")).users] == [found]
    assert find_users(REGION, Question(q="%")).users == []
    assert find_users("corse", Question(q="goff")).users == []


def test_the_oldest_request_comes_next(app):
    assert next_request(REGION) is None
    oldest = an_account("jeanne@brest.test", status=Status.AWAITING)
    an_account("paul@brest.test", status=Status.AWAITING)
    assert next_request(REGION).id == oldest


def test_hints_compare_with_active_accounts_of_the_region_only(app):
    an_account("a@brest.test", nom="Autre")
    an_account("b@brest.test", region="corse")
    person = find_user(REGION, an_account("jeanne@brest.test", status=Status.AWAITING))
    hints = hints_about(person)
    assert (hints.colleagues, hints.free_mail, hints.namesakes, hints.punycode) == (1, False, 0, False)
    other = hints_about(find_user(REGION, an_account("jeanne@gmail.com", status=Status.AWAITING)))
    assert (other.colleagues, other.free_mail, other.namesakes) == (0, True, 1)


def test_five_working_days_skip_the_week_end(clock):
    friday = clock.now().replace(year=2026, month=3, day=6)
    assert working_days_before(friday, 5).date().isoformat() == "2026-02-27"
    assert working_days_before(friday, 1).date().isoformat() == "2026-03-05"


def test_requests_that_wait_are_recalled_once_to_admins_and_then_to_the_operator(admin):
    an_account("jeanne@brest.test", status=Status.AWAITING)
    an_account("paul@ajaccio.test", status=Status.AWAITING, region="corse")
    later = utc_now()

    def remind_at(days: int) -> list[str]:
        moment = later + timedelta(days=days)
        with transaction():
            remind(operator_mail="exploitation@exemple.fr", now=moment)
        statement = select(OutboxMail.recipient).where(OutboxMail.created_at == moment).order_by(OutboxMail.recipient)
        return list(db.session.scalars(statement).all())

    assert remind_at(1) == []
    # Corse has no administrator: its operator hears of it at once.
    assert remind_at(8) == ["admin@brest.test", "exploitation@exemple.fr"]
    assert remind_at(9) == []
    assert "exploitation@exemple.fr" in remind_at(17)
    assert "admin@brest.test" not in remind_at(18)


@pytest.mark.parametrize("cell", ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1", " =1", "|cmd"])
def test_no_cell_of_a_spreadsheet_is_a_formula(cell):
    last = csv_of(["nom"], [[cell]]).decode("utf-8-sig").splitlines()[-1]
    assert last.startswith("\"'")


def test_a_name_stays_as_it_is_in_a_spreadsheet():
    assert csv_of(["nom"], [["Le Goff"]]).decode("utf-8-sig").splitlines()[-1] == '"Le Goff"'
