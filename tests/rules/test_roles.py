"""Roles: a region never loses its last active administrator."""

from datetime import UTC, datetime

import pytest

from terristory.admin.decisions import change_role
from terristory.admin.outcomes import Already, Conflict, Done
from terristory.database import transaction
from terristory.user.lookup import lock_user
from terristory.user.models import Role, Status
from terristory.user.profile import change_profile
from terristory.user.roles import keep_an_admin
from tests.support.people import an_account

NOW = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def admin(app):
    return an_account("admin@brest.test", role=Role.ADMIN)


def demote(user_id):
    with transaction():
        return change_role("bretagne", user_id, Role.USER, actor=None, now=NOW)


@pytest.mark.parametrize(
    "other",
    [
        {"role": Role.USER},
        {"role": Role.ADMIN, "status": Status.DISABLED},
        {"role": Role.ADMIN, "closing_at": NOW},
        {"role": Role.ADMIN, "region": "occitanie"},
    ],
)
def test_the_last_active_administrator_keeps_the_role(admin, other):
    an_account("autre@brest.test", **other)
    outcome = demote(admin)
    assert isinstance(outcome, Conflict)
    assert outcome.code == "last_admin"
    assert lock_user("bretagne", admin).role == Role.ADMIN


def test_one_of_two_may_go_and_then_the_other_stays(admin):
    other = an_account("autre@brest.test", role=Role.ADMIN)
    assert isinstance(demote(admin), Done)
    assert isinstance(demote(other), Conflict)


def test_the_role_that_one_has_is_no_change(admin):
    with transaction():
        assert isinstance(change_role("bretagne", admin, Role.ADMIN, actor=None, now=NOW), Already)


def test_who_is_no_active_administrator_may_go(app):
    user_id = an_account("personne@brest.test")
    with transaction():
        keep_an_admin(lock_user("bretagne", user_id))


def test_a_profile_takes_its_own_fields_only_and_is_found_by_them(admin):
    with transaction():
        user = lock_user("bretagne", admin)
        assert change_profile(user, {"nom": "Éloïse", "role": "user", "status": "disabled"}, now=NOW)
        assert not change_profile(user, {"nom": "Éloïse"}, now=NOW)
    user = lock_user("bretagne", admin)
    assert (user.nom, user.role, user.status) == ("Éloïse", "admin", "active")
    assert "eloise" in user.search_text
