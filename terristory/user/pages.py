"""Pages of a request for an account: the form, what comes next, the confirmation, where the request stands."""

from flask import Blueprint, abort, flash, render_template, session, url_for
from flask.typing import ResponseReturnValue

from terristory.captcha.forms import CaptchaSpent
from terristory.clock import utc_now
from terristory.database import give_back_connection, transaction
from terristory.i18n import _
from terristory.passwords.hashing import hash_password
from terristory.regions.models import Region
from terristory.user.confirm_user import confirm_user, find_request, withdraw_request
from terristory.user.create_user import create_user, resend_confirmation
from terristory.user.forms import (
    ConfirmationForm,
    RegistrationForm,
    ResendForm,
    WithdrawalForm,
    answers_to_keep,
    applicant_of,
    request_rules,
)
from terristory.user.known_words import words_about
from terristory.user.lookup import find_user
from terristory.user.mail_confirmation import UNKNOWN, Dead
from terristory.user.models import Status, User
from terristory.user.signed_links import LinkKind, open_link, sign_link
from terristory.web.access import open_to_all
from terristory.web.even_time import evenly_timed
from terristory.web.kept_answers import keeps_answers
from terristory.web.rate_limits import limited
from terristory.web.safe_redirects import redirect_within
from terristory.web.settings_in_force import settings_in_force

pages = Blueprint("user", __name__)
# The request just sent, kept in the signed session of the browser that sent it.
SENT = "request_sent"


@pages.route("/<region:region>/inscription", methods=["GET", "POST"])
@open_to_all
@limited("register")
@keeps_answers
@evenly_timed
def register(region: Region) -> ResponseReturnValue:
    """Ask for an account."""
    form = RegistrationForm()
    if not form.is_submitted():
        return _register_page(form)
    give_back_connection()
    if not form.validate():
        return _register_page(form), 422
    now = utc_now()
    try:
        with transaction():
            form.claim_captcha(now)
            create_user(region, applicant_of(form), request_rules(settings_in_force()), now=now)
    except CaptchaSpent:
        return _register_page(form), 422
    session[SENT] = {"region": region.key, **answers_to_keep(form)}
    return redirect_within(url_for("user.registration_sent", region=region.key))


@pages.get("/<region:region>/inscription/envoyee")
@open_to_all
def registration_sent(region: Region) -> ResponseReturnValue:
    """Say what comes next: the same page whatever is known of the address."""
    sent = _sent_to(region)
    if sent is None:
        return redirect_within(url_for("user.register", region=region.key))
    return _sent_page(ResendForm(formdata=None, data={"mail": sent["mail"]}), sent["mail"])


@pages.get("/<region:region>/inscription/reprendre")
@open_to_all
def resume_registration(region: Region) -> ResponseReturnValue:
    """Show the form again with the answers given."""
    sent = _sent_to(region) or {}
    return _register_page(RegistrationForm(formdata=None, data={**sent, "information_lue": bool(sent)}))


@pages.post("/<region:region>/inscription/renvoyer", endpoint="resend_confirmation")
@open_to_all
@limited("register")
@keeps_answers
@evenly_timed
def resend(region: Region) -> ResponseReturnValue:
    """Send the message once more."""
    form = ResendForm()
    give_back_connection()
    if not form.validate():
        return _sent_page(form, form.mail.data or ""), 422
    mail, now = form.mail.data or "", utc_now()
    try:
        with transaction():
            form.claim_captcha(now)
            resend_confirmation(region, mail, request_rules(settings_in_force()), now=now)
    except CaptchaSpent:
        return _sent_page(form, mail), 422
    if _sent_to(region) is None:
        session[SENT] = {"region": region.key, "mail": mail}
    flash(_("Si une demande attend cette adresse, un nouveau message vient de lui être envoyé."), "success")
    return redirect_within(url_for("user.registration_sent", region=region.key))


@pages.route("/<region:region>/confirmer/<token>", methods=["GET", "POST"])
@open_to_all
@limited("register")
@keeps_answers
def confirm(region: Region, token: str) -> ResponseReturnValue:
    """Show the request and ask for a password; together they confirm the address. Opening the link changes nothing."""
    form, settings = ConfirmationForm(), settings_in_force()
    life = settings.confirmation_seconds
    found = find_request(region, token, life_seconds=life, now=utc_now())
    if isinstance(found, Dead):
        return _dead_link_page(found)
    form.about, form.minimum = words_about(found.user, region), settings.password_min_length
    if not form.is_submitted():
        return _confirm_page(form, found.user)
    give_back_connection()
    if not form.validate():
        return _confirm_page(form, found.user), 422
    password_hash = hash_password(form.password.data or "")
    with transaction():
        outcome = confirm_user(region, token, password_hash, request_rules(settings), life_seconds=life, now=utc_now())
    if isinstance(outcome, Dead):
        return _dead_link_page(outcome)
    session.pop(SENT, None)
    flash(_("Adresse confirmée"), "success")
    status_token = sign_link(LinkKind.REQUEST, region.key, outcome.id)
    return redirect_within(url_for("user.request_status", region=region.key, token=status_token))


@pages.get("/<region:region>/demande/<token>")
@open_to_all
def request_status(region: Region, token: str) -> ResponseReturnValue:
    """Say where a request stands, to who holds its signed link; nothing personal once the account is active."""
    return render_template("user/status.html", user=_user_of(region, token), token=token)


@pages.post("/<region:region>/demande/<token>/renvoyer")
@open_to_all
@limited("register")
def resend_to_applicant(region: Region, token: str) -> ResponseReturnValue:
    """Send the confirmation once more to the address of a request; its signed link stands for the automatic check."""
    user = _user_of(region, token)
    if user.status == Status.UNCONFIRMED:
        with transaction():
            resend_confirmation(region, user.mail, request_rules(settings_in_force()), now=utc_now())
        flash(_("Un nouveau message vient d'être envoyé à %(mail)s.", mail=user.mail), "success")
    return redirect_within(url_for("user.request_status", region=region.key, token=token))


@pages.route("/<region:region>/demande/<token>/retirer", methods=["GET", "POST"])
@open_to_all
@limited("register")
@keeps_answers
def withdraw(region: Region, token: str) -> ResponseReturnValue:
    """Ask whether the request shall be withdrawn, then erase it."""
    user, form = _user_of(region, token), WithdrawalForm()
    if user.status not in (Status.UNCONFIRMED, Status.AWAITING):
        return redirect_within(url_for("user.request_status", region=region.key, token=token))
    if not form.validate_on_submit():
        return render_template("user/withdraw.html", form=form, token=token), 422 if form.is_submitted() else 200
    user_id = user.id
    with transaction():
        withdrawn = withdraw_request(region, user_id, now=utc_now())
    if not withdrawn:
        return redirect_within(url_for("user.request_status", region=region.key, token=token))
    flash(_("Votre demande est retirée et ses données sont effacées."), "success")
    return redirect_within(url_for("regions.region_home", region=region.key))


def _register_page(form: RegistrationForm) -> str:
    return render_template("user/register.html", form=form)


def _sent_page(form: ResendForm, mail: str) -> str:
    needed = settings_in_force().require_mail_confirmation
    return render_template("user/sent.html", form=form, mail=mail, confirmation_required=needed)


def _confirm_page(form: ConfirmationForm, user: User) -> str:
    return render_template("user/confirm.html", form=form, user=user, least=settings_in_force().password_min_length)


def _dead_link_page(link: Dead) -> tuple[str, int]:
    return render_template("user/dead_link.html", code=link.code), 404 if link.code == UNKNOWN else 410


def _user_of(region: Region, token: str) -> User:
    user_id = open_link(LinkKind.REQUEST, region.key, token)
    user = find_user(region.key, user_id) if user_id is not None else None
    if user is None:
        abort(404)
    return user


def _sent_to(region: Region) -> dict[str, str] | None:
    sent = session.get(SENT)
    return sent if isinstance(sent, dict) and sent.get("region") == region.key else None
