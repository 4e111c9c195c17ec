"""Asking for an account and confirming its address, as JSON."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from terristory.api.json_forms import InvalidFields, fill_from_json, validated
from terristory.clock import utc_now
from terristory.database import give_back_connection, transaction
from terristory.i18n import _
from terristory.passwords.hashing import hash_password
from terristory.regions.models import Region
from terristory.user.confirm_user import confirm_user, find_request
from terristory.user.create_user import create_user, resend_confirmation
from terristory.user.forms import ConfirmationWithTokenForm, RegistrationForm, ResendForm, applicant_of, request_rules
from terristory.user.known_words import words_about
from terristory.user.mail_confirmation import EXPIRED, USED, Dead
from terristory.web.access import open_to_all
from terristory.web.even_time import evenly_timed
from terristory.web.rate_limits import limited
from terristory.web.settings_in_force import settings_in_force

api = Blueprint("user_api", __name__, url_prefix="/api")


@api.post("/<region:region>/user")
@open_to_all
@limited("register")
@evenly_timed
def register(region: Region) -> ResponseReturnValue:
    """Take a request for an account; the answer is the same whatever is known of the address."""
    form = validated(fill_from_json(RegistrationForm))
    now = utc_now()
    give_back_connection()
    with transaction():
        form.claim_captcha(now)
        create_user(region, applicant_of(form), request_rules(settings_in_force()), now=now)
    return jsonify({"login": form.mail.data, "active": False}), 201


@api.post("/<region:region>/user/confirm")
@open_to_all
@limited("register")
def confirm(region: Region) -> ResponseReturnValue:
    """Confirm the address by the link's token and set the password; a refused password does not spend the link."""
    form = fill_from_json(ConfirmationWithTokenForm)
    token = form.token.data or ""
    life, now = settings_in_force().confirmation_seconds, utc_now()
    found = find_request(region, token, life_seconds=life, now=now)
    if isinstance(found, Dead):
        if token:
            raise _dead(found)
    else:
        form.about = words_about(found.user, region)
    form.minimum = settings_in_force().password_min_length
    give_back_connection()
    password_hash = hash_password(validated(form).password.data or "")
    with transaction():
        outcome = confirm_user(
            region, token, password_hash, request_rules(settings_in_force()), life_seconds=life, now=utc_now()
        )
    if isinstance(outcome, Dead):
        raise _dead(outcome)
    return "", 204


@api.post("/<region:region>/user/confirm/resend")
@open_to_all
@limited("register")
@evenly_timed
def resend(region: Region) -> ResponseReturnValue:
    """Send the message once more; the answer is the same whatever is known of the address."""
    form = validated(fill_from_json(ResendForm))
    now = utc_now()
    with transaction():
        form.claim_captcha(now)
        resend_confirmation(region, form.mail.data or "", request_rules(settings_in_force()), now=now)
    return jsonify({"sent": True}), 202


def _dead(link: Dead) -> InvalidFields:
    words = {
        EXPIRED: _("Ce lien a expiré ou a été remplacé par un plus récent. Demandez un nouveau message."),
        USED: _("Ce lien a déjà servi : l'adresse est confirmée."),
    }
    unknown = _("Ce lien n'est pas connu. Recopiez-le en entier depuis le message.")
    return InvalidFields({"token": [str(words.get(link.code, unknown))]}, link.code)
