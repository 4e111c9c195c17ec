"""JSON endpoints for the administrators of a region."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from terristory.admin import decisions, ways_in
from terristory.admin.desk import find_users
from terristory.admin.forms import (
    ActivateForm,
    NothingForm,
    RefuseForm,
    RoleForm,
    decide_as_sent,
    decision_from_json,
    question_of,
    together_from_json,
    trail_question_of,
)
from terristory.admin.outcomes import Conflict, Outcome, Unknown
from terristory.admin.words import words_for
from terristory.api.problems import problem
from terristory.audit.lookup import line_json, lines_about, lines_of_region
from terristory.auth.guards import admins_only, caller
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.regions.models import Region
from terristory.user.json_views import account_json
from terristory.user.lookup import count_by_status, find_user
from terristory.user.models import Role, User
from terristory.web.rate_limits import limited
from terristory.web.settings_in_force import settings_in_force

api = Blueprint("admin_api", __name__, url_prefix="/api")
ONE = "/<region:region>/admin/users/<uuid:user_id>"


@api.get("/<region:region>/admin/users")
@admins_only
@limited("admin")
def list_users(region: Region) -> ResponseReturnValue:
    """Return a page of the region's accounts, with the exact count of each status."""
    answer = find_users(region.key, question_of(request.args))
    users = [account_json(user, for_admin=True) for user in answer.users]
    return {"users": users, "next": answer.next, "counts": count_by_status(region.key)}


@api.get(ONE)
@admins_only
@limited("admin")
def show_user(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Return one account and its history."""
    user = _found(region, user_id)
    history = [line_json(line) for line in lines_about(region.key, user.id)]
    return {"user": account_json(user, for_admin=True), "history": history}


@api.post(f"{ONE}/activate")
@admins_only
@limited("admin")
def activate(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Let the person in."""
    _found(region, user_id)
    form = decision_from_json(ActivateForm)
    life_seconds = settings_in_force().invitation_seconds
    act = partial(decisions.activate, unconfirmed=form.unconfirmed.data, life_seconds=life_seconds)
    return _decide(region, user_id, act)


@api.post(f"{ONE}/refuse")
@admins_only
@limited("admin")
def refuse(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Refuse the request, with a reason."""
    _found(region, user_id)
    form = decision_from_json(RefuseForm)
    return _decide(region, user_id, partial(decisions.refuse, reason=form.reason.data))


@api.post(f"{ONE}/disable")
@admins_only
@limited("admin")
def disable(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Disable the account."""
    _found(region, user_id)
    decision_from_json(NothingForm)
    return _decide(region, user_id, decisions.disable)


@api.post(f"{ONE}/enable")
@admins_only
@limited("admin")
def enable(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Enable the account again."""
    _found(region, user_id)
    decision_from_json(NothingForm)
    return _decide(region, user_id, decisions.enable)


@api.post(f"{ONE}/role")
@admins_only
@limited("admin")
def change_role(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Give the account a role."""
    _found(region, user_id)
    form = decision_from_json(RoleForm)
    return _decide(region, user_id, partial(decisions.change_role, role=Role(form.role.data)))


@api.post(f"{ONE}/sign-out")
@admins_only
@limited("admin")
def sign_out(region: Region, user_id: UUID) -> ResponseReturnValue:
    """End all sessions of the account."""
    _found(region, user_id)
    decision_from_json(NothingForm)
    return _decide(region, user_id, decisions.sign_out)


@api.post(f"{ONE}/regenerate-password")
@admins_only
@limited("admin")
def regenerate_password(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Mail a temporary password."""
    _found(region, user_id)
    decision_from_json(NothingForm)
    life_seconds, rate_limits = settings_in_force().temporary_password_seconds, settings_in_force().rate_limits
    act = partial(ways_in.regenerate_password_of, life_seconds=life_seconds, rate_limits=rate_limits)
    return _decide(region, user_id, act)


@api.post(f"{ONE}/resend-confirmation")
@admins_only
@limited("admin")
def resend_confirmation(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Mail the confirmation link again."""
    _found(region, user_id)
    decision_from_json(NothingForm)
    return _decide(region, user_id, ways_in.resend_confirmation)


@api.post("/<region:region>/admin/users/decisions")
@admins_only
@limited("admin")
def decide_many(region: Region) -> ResponseReturnValue:
    """Take one decision on up to 100 accounts."""
    sent = together_from_json()
    results = decide_as_sent(sent, region)
    return {"results": [{"id": item.id, "result": item.result} for item in results]}


@api.get("/<region:region>/admin/audit")
@admins_only
@limited("admin")
def list_events(region: Region) -> ResponseReturnValue:
    """Return a page of the region's audit trail, newest first."""
    asked = trail_question_of(request.args)
    found = lines_of_region(region.key, user=asked.user, event=asked.event, after=asked.after, limit=asked.limit)
    return {"events": [line_json(line) for line in found.lines], "next": found.next}


def _found(region: Region, user_id: UUID) -> User:
    """Return the account, or answer 404 before anything is said about the body."""
    user = find_user(region.key, user_id)
    if user is None:
        abort(404)
    return user


def _decide(region: Region, user_id: UUID, act: Callable[..., Outcome]) -> ResponseReturnValue:
    with transaction():
        outcome = act(region.key, user_id, actor=caller().user_id, now=utc_now())
    if isinstance(outcome, Unknown):
        abort(404)
    if isinstance(outcome, Conflict):
        return problem(409, outcome.code, detail=words_for(outcome.code))
    return {"user": account_json(outcome.user, for_admin=True)}
