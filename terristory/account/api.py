"""JSON endpoints of one's own account."""

from uuid import UUID

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from terristory.account.closing import close_account
from terristory.account.errors import UnknownSession
from terristory.account.export import export_account, record_export
from terristory.account.forms import CloseForm, LinkForm, MailForm, ProfileForm, ask_for_address, values_of
from terristory.account.own_address import confirm_address, find_change, recover_address
from terristory.account.own_sessions import end_other_sessions, end_own_session
from terristory.api.json_forms import AnyForm, InvalidFields, fill_from_json, validated
from terristory.auth.cookies import clear_session_cookies
from terristory.auth.guards import caller, members_only
from terristory.auth.revocation import live_sessions, session_json
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _
from terristory.regions.models import Region
from terristory.user.json_views import account_json
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import Dead
from terristory.user.models import LinkPurpose, User
from terristory.user.profile import change_profile
from terristory.web.access import open_to_all
from terristory.web.even_time import evenly_timed
from terristory.web.settings_in_force import settings_in_force

api = Blueprint("account_api", __name__, url_prefix="/api")


@api.patch("/<region:region>/user")
@members_only
def change_my_profile(region: Region) -> ResponseReturnValue:
    """Change the fields of one's own profile that are given."""
    form = validated(fill_from_json(ProfileForm, data=values_of(_myself())))
    with transaction():
        user = _myself()
        change_profile(user, form.values(), now=utc_now())
    me = account_json(user) | {"user_id": {"mail": user.mail, "region": user.region}}
    return {"me": me}


@api.post("/<region:region>/user/mail")
@members_only
@evenly_timed
def change_mail(region: Region) -> ResponseReturnValue:
    """Ask for another address; the answer is the same when it is taken."""
    form = validated(fill_from_json(MailForm))
    if not form.is_right_for(_myself()) or not ask_for_address(form, caller()):
        raise _faults(form)
    return {"sent": True}, 202


@api.post("/<region:region>/user/mail/confirm")
@open_to_all
def confirm_mail(region: Region) -> ResponseReturnValue:
    """Take the address that the link proves: the new one, or the former one again, as the page of these links does."""
    token, settings, now = validated(fill_from_json(LinkForm)).token.data or "", settings_in_force(), utc_now()
    found = find_change(region.key, token, life_seconds=settings.confirmation_seconds, now=now)
    if isinstance(found, Dead):
        raise _dead_link(found)
    with transaction():
        if found.link.purpose == LinkPurpose.TAKE_BACK_ADDRESS:
            temporary_seconds = settings.temporary_password_seconds
            outcome = recover_address(region.key, token, temporary_seconds=temporary_seconds, now=now)
        else:
            outcome = confirm_address(region.key, token, life_seconds=settings.confirmation_seconds, now=now)
    if isinstance(outcome, Dead):
        raise _dead_link(outcome)
    return "", 204


@api.get("/<region:region>/user/sessions")
@members_only
def list_sessions(region: Region) -> ResponseReturnValue:
    """List one's own sessions that live, last used first."""
    me = caller()
    sessions = live_sessions(me.user_id, idle_seconds=settings_in_force().session_idle_seconds, now=utc_now())
    return {"sessions": [session_json(session, me.session_id) for session in sessions]}


@api.delete("/<region:region>/user/sessions/<uuid:session_id>")
@members_only
def end_session(region: Region, session_id: UUID) -> ResponseReturnValue:
    """End one of one's own sessions."""
    with transaction():
        if not end_own_session(region.key, caller().user_id, session_id, now=utc_now()):
            raise UnknownSession
    return "", 204


@api.delete("/<region:region>/user/sessions")
@members_only
def end_sessions(region: Region) -> ResponseReturnValue:
    """End all of one's own sessions but this one."""
    me = caller()
    with transaction():
        end_other_sessions(region.key, me.user_id, keep=me.session_id, now=utc_now())
    return "", 204


@api.get("/<region:region>/user/export")
@members_only
def export(region: Region) -> ResponseReturnValue:
    """Hand over all that is kept about the caller."""
    me = caller()
    if request.method != "HEAD":
        with transaction():
            record_export(region.key, me.user_id, now=utc_now())
    return export_account(region.key, me.user_id)


@api.delete("/<region:region>/user")
@members_only
def close(region: Region) -> ResponseReturnValue:
    """Close one's own account: signed out everywhere at once, erased some days later."""
    form = validated(fill_from_json(CloseForm))
    if not form.is_right_for(_myself()):
        raise _faults(form)
    with transaction():
        close_account(
            region.key, caller().user_id, erasure_days=settings_in_force().account_erasure_days, now=utc_now()
        )
    response = current_app.make_response(("", 204))
    if caller().by_cookie:
        clear_session_cookies(response)
    return response


def _myself() -> User:
    user = find_user(caller().region, caller().user_id)
    if user is None:
        raise LookupError("the caller's account went away during the request")
    return user


def _dead_link(link: Dead) -> InvalidFields:
    return InvalidFields({"token": [str(_("Ce lien ne sert plus."))]}, link.code)


def _faults(form: AnyForm) -> InvalidFields:
    return InvalidFields({name: [str(message) for message in messages] for name, messages in form.errors.items()})
