"""Pages about passwords: a temporary one by mail, choosing a new one, « ce n'était pas moi »."""

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from terristory.auth.guards import caller, current_person, members_only
from terristory.captcha.forms import CaptchaSpent
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _
from terristory.password_change.change_password import void_password
from terristory.password_change.forms import ChangePasswordForm, ForgottenForm, take_new_password
from terristory.password_change.regenerate_password import regenerate_password
from terristory.regions.models import Region
from terristory.user.lookup import find_user
from terristory.user.mail_address import canonical_or_blank
from terristory.user.signed_links import LinkKind, open_link
from terristory.web.access import open_to_all
from terristory.web.even_time import evenly_timed
from terristory.web.kept_answers import keeps_answers
from terristory.web.rate_limits import limited
from terristory.web.safe_redirects import next_path, redirect_within
from terristory.web.settings_in_force import settings_in_force

pages = Blueprint("password_change", __name__)
ASKED_FOR = "forgotten_mail"
NOT_ME_SECONDS = 30 * 86400


@pages.route("/<region:region>/mot-de-passe/oublie", methods=["GET", "POST"])
@limited("regenerate")
@open_to_all
@keeps_answers
@evenly_timed
def forgotten(region: Region) -> ResponseReturnValue:
    """Ask for a temporary password; the answer is the same whether or not an account has the address."""
    form = ForgottenForm(mail=_address_typed_before(region))
    if form.validate_on_submit() and _regenerate(form, region):
        session[ASKED_FOR] = form.mail.data
        return redirect(url_for("password_change.forgotten_sent", region=region), code=303)
    return render_template("password_change/forgotten.html", form=form), 422 if form.is_submitted() else 200


@pages.get("/<region:region>/mot-de-passe/envoye")
@open_to_all
def forgotten_sent(region: Region) -> ResponseReturnValue:
    """Say what will come by mail, if there is an account."""
    mail = session.get(ASKED_FOR)
    if not isinstance(mail, str):
        return redirect(url_for("password_change.forgotten", region=region), code=303)
    seconds = settings_in_force().temporary_password_seconds
    return render_template("password_change/forgotten_sent.html", mail=mail, life_seconds=seconds)


@pages.route("/<region:region>/mot-de-passe", methods=["GET", "POST"])
@members_only(temporary=True)
@keeps_answers
def choose(region: Region) -> ResponseReturnValue:
    """Choose a new password; the current one is asked for, except after a temporary one."""
    form = ChangePasswordForm(person=caller(), region=region)
    if form.validate_on_submit() and take_new_password(form, caller()):
        flash(_("Votre nouveau mot de passe est enregistré. Vos autres sessions sont fermées."), "success")
        return redirect_within(next_path() or url_for("account.show", region=region))
    return render_template("password_change/choose.html", form=form), 422 if form.is_submitted() else 200


@pages.route("/<region:region>/pas-moi/<token>", methods=["GET", "POST"])
@open_to_all
def not_me(region: Region, token: str) -> ResponseReturnValue:
    """The link of security mails: its button, and nothing but its button, takes the password away from everybody."""
    user_id = open_link(LinkKind.NOT_ME, region.key, token)
    if user_id is None:
        abort(404)
    if open_link(LinkKind.NOT_ME, region.key, token, max_age=NOT_ME_SECONDS) is None:
        return render_template("password_change/not_me_expired.html"), 410
    if request.method != "POST":
        return render_template("password_change/not_me.html")
    settings = settings_in_force()
    with transaction():
        done = void_password(
            region.key,
            user_id,
            life_seconds=settings.temporary_password_seconds,
            rate_limits=settings.rate_limits,
            now=utc_now(),
        )
    return render_template("password_change/not_me_done.html", done=done)


def _regenerate(form: ForgottenForm, region: Region) -> bool:
    settings, now = settings_in_force(), utc_now()
    try:
        with transaction():
            form.claim_captcha(now)
            regenerate_password(
                region.key,
                canonical_or_blank(form.mail.data or ""),
                life_seconds=settings.temporary_password_seconds,
                rate_limits=settings.rate_limits,
                now=now,
            )
    except CaptchaSpent:
        return False
    return True


def _address_typed_before(region: Region) -> str:
    """Return the address to show first: what was typed at the sign-in, else that of the person signed in."""
    typed = request.args.get("login", "")
    person = None if typed else current_person()
    user = find_user(region.key, person.user_id) if person else None
    return user.mail if user else typed[:254]
