"""JSON endpoints about passwords: regenerate_password, and choosing a new one."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from terristory.api.json_forms import InvalidFields, fill_from_json, validated
from terristory.auth.guards import caller, members_only
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.password_change.forms import ChangePasswordForm, ForgottenForm, take_new_password
from terristory.password_change.regenerate_password import regenerate_password as mail_a_new_one
from terristory.regions.models import Region
from terristory.user.mail_address import canonical_or_blank
from terristory.web.access import open_to_all
from terristory.web.even_time import evenly_timed
from terristory.web.rate_limits import limited
from terristory.web.settings_in_force import settings_in_force

api = Blueprint("password_change_api", __name__, url_prefix="/api")


@api.post("/<region:region>/user/password/regenerate")
@limited("regenerate")
@open_to_all
@evenly_timed
def regenerate_password(region: Region) -> ResponseReturnValue:
    """Mail a temporary password to the active account of an address, if there is one; the answer never tells."""
    form = validated(fill_from_json(ForgottenForm))
    settings, now = settings_in_force(), utc_now()
    with transaction():
        form.claim_captcha(now)
        mail_a_new_one(
            region.key,
            canonical_or_blank(form.mail.data or ""),
            life_seconds=settings.temporary_password_seconds,
            rate_limits=settings.rate_limits,
            now=now,
        )
    return {"sent": True}, 202


@api.put("/<region:region>/user/password")
@members_only(temporary=True)
def change_password(region: Region) -> ResponseReturnValue:
    """Choose a new password; other sessions end, this one lives on."""
    form = validated(fill_from_json(ChangePasswordForm, person=caller(), region=region))
    if not take_new_password(form, caller()):
        raise InvalidFields({name: [str(message) for message in messages] for name, messages in form.errors.items()})
    return "", 204
