"""« Mon compte »: profile, address, sessions, data, closing."""

import json
from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from terristory.account.closing import TakenBack, close_account, find_take_back, take_back_account
from terristory.account.events import words_for_event
from terristory.account.export import events_about, export_account, kept_mails, kept_sessions, record_export
from terristory.account.forms import (
    ClosePageForm,
    EndOthersForm,
    MailForm,
    ProfilePageForm,
    ask_for_address,
    values_of,
)
from terristory.account.own_address import confirm_address as take_new_address
from terristory.account.own_address import find_change, recover_address
from terristory.account.own_sessions import end_other_sessions, end_own_session
from terristory.auth.cookies import clear_session_cookies
from terristory.auth.guards import caller, current_person, members_only
from terristory.auth.models import Session
from terristory.auth.revocation import live_sessions
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _, ngettext, speak
from terristory.regions.models import Region
from terristory.user.errors import LastAdmin
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import UNKNOWN, Dead
from terristory.user.models import LinkPurpose, User
from terristory.user.profile import change_profile
from terristory.web.access import open_to_all
from terristory.web.even_time import evenly_timed
from terristory.web.kept_answers import keeps_answers
from terristory.web.settings_in_force import settings_in_force

pages = Blueprint("account", __name__)
RECENT_EVENTS = 10
SHOWN_EVENTS = 200


@pages.get("/<region:region>/compte")
@members_only
def show(region: Region) -> ResponseReturnValue:
    """Sum up one's account, and lead to what can be changed."""
    return render_template(
        "account/show.html",
        user=_myself(),
        number_of_sessions=len(_sessions()),
        events=events_about(region.key, caller().user_id, most=RECENT_EVENTS, done_to_others=False),
        words_for_event=words_for_event,
    )


@pages.route("/<region:region>/compte/profil", methods=["GET", "POST"])
@members_only
@keeps_answers
def profile(region: Region) -> ResponseReturnValue:
    """Change one's profile, with an explicit confirmation."""
    form = ProfilePageForm(data=values_of(_myself()))
    if not form.validate_on_submit():
        return render_template("account/profile.html", form=form), 422 if form.is_submitted() else 200
    with transaction():
        change_profile(_myself(), form.values(), now=utc_now())
    speak(form.langue.data)
    flash(_("Votre profil est enregistré."), "success")
    return redirect(url_for("account.show", region=region), code=303)


@pages.route("/<region:region>/compte/adresse", methods=["GET", "POST"])
@members_only
@keeps_answers
@evenly_timed
def mail(region: Region) -> ResponseReturnValue:
    """Ask for another address."""
    form = MailForm()
    if form.validate_on_submit() and form.is_right_for(_myself()) and ask_for_address(form, caller()):
        flash(
            _(
                "Nous avons envoyé un message à %(adresse)s. Ouvrez-le et suivez le lien : votre adresse sera alors "
                "changée.",
                adresse=form.mail.data,
            ),
            "info",
        )
        return redirect(url_for("account.show", region=region), code=303)
    return render_template("account/mail.html", form=form), 422 if form.is_submitted() else 200


@pages.route("/<region:region>/compte/sessions", methods=["GET", "POST"])
@members_only
@keeps_answers
def sessions(region: Region) -> ResponseReturnValue:
    """Show where one is signed in; POST ends all the other sessions."""
    form, me = EndOthersForm(), caller()
    if form.validate_on_submit() and form.is_right_for(_myself()):
        with transaction():
            ended = end_other_sessions(region.key, me.user_id, keep=me.session_id, now=utc_now())
        flash(ngettext("%(num)s session est fermée.", "%(num)s sessions sont fermées.", ended), "success")
        return redirect(url_for("account.sessions", region=region), code=303)
    listed = _sessions()
    others = any(session.id != me.session_id for session in listed)
    page = render_template(
        "account/sessions.html", form=form, sessions=listed, others=others, current_session=me.session_id
    )
    return page, 422 if form.is_submitted() else 200


@pages.post("/<region:region>/compte/sessions/<uuid:session_id>")
@members_only
def end_session(region: Region, session_id: UUID) -> ResponseReturnValue:
    """End one session; one that has ended meanwhile is no error."""
    with transaction():
        end_own_session(region.key, caller().user_id, session_id, now=utc_now())
    flash(_("La session est fermée."), "success")
    return redirect(url_for("account.sessions", region=region), code=303)


@pages.get("/<region:region>/compte/donnees")
@members_only
def data(region: Region) -> ResponseReturnValue:
    """Show all that is kept about oneself."""
    me = caller()
    return render_template(
        "account/data.html",
        user=_myself(),
        sessions=kept_sessions(me.user_id),
        mails=kept_mails(me.user_id),
        events=events_about(region.key, me.user_id, most=SHOWN_EVENTS),
        words_for_event=words_for_event,
    )


@pages.post("/<region:region>/compte/donnees/fichier")
@members_only
def download(region: Region) -> ResponseReturnValue:
    """Hand over all that is kept about oneself as a JSON file; it leaves a trace, hence no GET."""
    with transaction():
        record_export(region.key, caller().user_id, now=utc_now())
    body = json.dumps(export_account(region.key, caller().user_id), ensure_ascii=False, indent=2)
    response = Response(body, mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="terristory-{region.key}.json"'
    return response


@pages.route("/<region:region>/compte/fermeture", methods=["GET", "POST"])
@members_only
@keeps_answers
def close(region: Region) -> ResponseReturnValue:
    """Close one's account: consequences, password, explicit confirmation."""
    form, days = ClosePageForm(), settings_in_force().account_erasure_days
    if form.validate_on_submit() and form.is_right_for(_myself()) and _close(form, region, days):
        response = redirect(url_for("regions.region_home", region=region), code=303)
        clear_session_cookies(response)
        speak(None)
        flash(_("Votre compte est fermé. Un courriel vous dit comment revenir d'ici son effacement."), "success")
        return response
    return render_template("account/close.html", form=form, days=days), 422 if form.is_submitted() else 200


@pages.route("/<region:region>/reprendre/<token>", methods=["GET", "POST"])
@open_to_all
def take_back(region: Region, token: str) -> ResponseReturnValue:
    """The way back of a closing account: a button, and nothing before it is pressed."""
    days, now = settings_in_force().account_erasure_days, utc_now()
    if request.method == "POST":
        with transaction():
            outcome = take_back_account(region.key, token, erasure_days=days, now=now)
        if isinstance(outcome, TakenBack):
            flash(_("Votre compte est de nouveau ouvert. Connectez-vous avec votre mot de passe."), "success")
            return redirect(url_for("auth.sign_in", region=region), code=303)
        return _dead_link(outcome)
    found = find_take_back(region.key, token, erasure_days=days, now=now)
    if isinstance(found, Dead):
        return _dead_link(found)
    return render_template(
        "account/mailed_link.html",
        heading=_("Reprendre votre compte"),
        sentences=[_("Sa fermeture sera annulée, et rien ne sera effacé. Vous vous connecterez comme avant.")],
        button=_("Reprendre mon compte"),
    )


@pages.route("/<region:region>/adresse/<token>", methods=["GET", "POST"])
@open_to_all
def confirm_address(region: Region, token: str) -> ResponseReturnValue:
    """The links of a change of address, to the new one and back: a button, and nothing before it is pressed."""
    seconds, now = settings_in_force().confirmation_seconds, utc_now()
    found = find_change(region.key, token, life_seconds=seconds, now=now)
    if isinstance(found, Dead):
        return _dead_link(found)
    back = found.link.purpose == LinkPurpose.TAKE_BACK_ADDRESS
    if request.method != "POST":
        return _address_link_page(found.link.mail, back=back)
    with transaction():
        if back:
            temporary_seconds = settings_in_force().temporary_password_seconds
            outcome = recover_address(region.key, token, temporary_seconds=temporary_seconds, now=now)
        else:
            outcome = take_new_address(region.key, token, life_seconds=seconds, now=now)
    if isinstance(outcome, Dead):
        return _dead_link(outcome)
    done = _("Votre adresse est changée. C'est avec elle que vous vous connectez désormais.")
    if back:
        done = _(
            "Votre ancienne adresse est rétablie et toutes les sessions sont fermées. Un mot de passe provisoire vient "
            "de vous y être envoyé."
        )
    flash(done, "success")
    return redirect(url_for("account.show" if current_person() else "auth.sign_in", region=region), code=303)


def _address_link_page(mail: str, *, back: bool) -> ResponseReturnValue:
    if back:
        heading, button = _("Reprendre votre ancienne adresse"), _("Reprendre cette adresse")
        sentences = [
            _("L'adresse de votre compte redeviendra %(adresse)s.", adresse=mail),
            _("Toutes les sessions seront fermées, et vous recevrez un mot de passe provisoire à cette adresse."),
        ]
    else:
        heading, button = _("Confirmez votre nouvelle adresse"), _("Confirmer cette adresse")
        sentences = [_("L'adresse de votre compte deviendra %(adresse)s.", adresse=mail)]
    return render_template("account/mailed_link.html", heading=heading, sentences=sentences, button=button)


def _dead_link(dead: Dead) -> ResponseReturnValue:
    if dead.code == UNKNOWN:
        abort(404)
    return render_template("account/dead_link.html", code=dead.code), 410


def _close(form: ClosePageForm, region: Region, days: int) -> bool:
    try:
        with transaction():
            close_account(region.key, caller().user_id, erasure_days=days, now=utc_now())
    except LastAdmin:
        form.form_errors.append(
            _("Vous êtes le dernier administrateur de la région. Nommez-en un autre avant de fermer votre compte.")
        )
        return False
    return True


def _sessions() -> Sequence[Session]:
    return live_sessions(caller().user_id, idle_seconds=settings_in_force().session_idle_seconds, now=utc_now())


def _myself() -> User:
    user = find_user(caller().region, caller().user_id)
    if user is None:
        abort(404)
    return user
