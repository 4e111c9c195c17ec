"""Sixteen people, or one impatient one, at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

from sqlalchemy import func, select

from terristory.admin.decisions import change_role
from terristory.admin.outcomes import Done
from terristory.database import transaction
from terristory.extensions import db
from terristory.regions.lookup import find_region
from terristory.user.confirm_user import confirm_user
from terristory.user.lookup import active_admins
from terristory.user.mail_confirmation import Dead
from terristory.user.models import MailLink, Role, User
from tests.support.people import an_account
from tests.support.requests_for_accounts import RULES, ask, secrets_of, templates

NOW = datetime(2026, 3, 10, tzinfo=UTC)
MANY = 8


def at_once(app, act, values):
    """Run `act(value)` for each value in a thread and app context of its own, all starting together."""
    start = Barrier(len(values))

    def run(value):
        with app.app_context():
            start.wait(20)
            return act(value)

    with ThreadPoolExecutor(len(values)) as threads:
        return list(threads.map(run, values))


def test_identical_requests_make_one_account_with_one_live_link(app):
    at_once(app, lambda _number: ask(NOW), range(MANY))
    db.session.expire_all()
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    live = select(func.count()).where(MailLink.superseded_at.is_(None), MailLink.used_at.is_(None))
    assert db.session.scalar(live) == 1
    assert templates() == ["user/confirm"] * 3


def test_of_parallel_confirmations_one_wins(app):
    ask(NOW)
    token = secrets_of("user/confirm")[0]["token"]

    def confirm(number):
        with transaction():
            region = find_region("bretagne")
            return confirm_user(region, token, f"hash {number}", RULES, life_seconds=3600, now=NOW)

    outcomes = at_once(app, confirm, range(MANY))
    assert [outcome for outcome in outcomes if isinstance(outcome, Dead)] == [Dead("token_used")] * (MANY - 1)
    assert templates().count("user/received") == 1


def test_administrators_who_all_leave_at_once_leave_one(app):
    ids = [an_account(f"admin{number}@brest.test", role=Role.ADMIN) for number in range(4)]

    def leave(user_id):
        with transaction():
            return isinstance(change_role("bretagne", user_id, Role.USER, actor=None, now=NOW), Done)

    assert sorted(at_once(app, leave, ids)) == [False, True, True, True]
    db.session.expire_all()
    assert len(active_admins("bretagne")) == 1
