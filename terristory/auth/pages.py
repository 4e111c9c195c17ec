"""Pages of signing in and out."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, make_response, render_template, session, url_for
from flask.typing import ResponseReturnValue

from terristory.auth.authenticate import Failed, Throttled
from terristory.auth.cookies import (
    clear_session_cookies,
    cookie_names,
    set_session_cookies,
    the_cookie,
    visit_of_request,
)
from terristory.auth.forms import SignedIn, SignInForm
from terristory.auth.forms import sign_in as sign_in_with
from terristory.auth.guards import current_person, other_region_of_visitor
from terristory.auth.sessions import sign_out as end_own_session
from terristory.auth.throttle import captcha_needed, keys_of
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _, speak
from terristory.regions.lookup import find_open_region
from terristory.regions.models import Region
from terristory.user.lookup import find_user
from terristory.user.models import Role, Status, User
from terristory.user.signed_links import LinkKind, sign_link
from terristory.web.access import open_to_all
from terristory.web.error_pages import error_page
from terristory.web.kept_answers import keeps_answers
from terristory.web.last_region import remember_region
from terristory.web.network import client_network
from terristory.web.rate_limits import keep_own_retry_after, limited
from terristory.web.safe_redirects import next_path, redirect_within

pages = Blueprint("auth", __name__)
ACCOUNT_STATE = "account_state"
STATE_SHOWN_FOR = timedelta(minutes=30)
DEAD_TEMPORARY = ("temporary_password_expired", "temporary_password_used")


@pages.route("/<region:region>/connexion", methods=["GET", "POST"])
@open_to_all
@limited("sign_in")
@keeps_answers
def sign_in(region: Region) -> ResponseReturnValue:
    """Ask for the address and the password; go on to where the visitor was going."""
    person = current_person()
    if person is not None:
        return redirect_within(next_path() or _first_page(region, person.role))
    form = SignInForm()
    if not form.validate_on_submit():
        return _form_page(region, form, status=422 if form.is_submitted() else 200)
    outcome = sign_in_with(form, region, visit_of_request(by_browser=True))
    if isinstance(outcome, SignedIn):
        return _welcome(region, outcome)
    if isinstance(outcome, Throttled):
        keep_own_retry_after()
        words = _("Trop d'essais de connexion ont échoué. Attendez un peu, puis recommencez.")
        return error_page(429, message=str(words), retry_after=outcome.retry_after)
    return _refused(region, form, outcome)


@pages.get("/<region:region>/connexion/etat")
@open_to_all
def account_state(region: Region) -> ResponseReturnValue:
    """Say why an account does not sign in, and what to do, to the visitor who has just given its right password."""
    user = _just_proved(region)
    if user is None or (user.status == Status.ACTIVE and user.closing_at is None):
        return redirect_within(url_for("auth.sign_in", region=region.key))
    token = sign_link(LinkKind.REQUEST, region.key, user.id)
    return render_template("auth/account_state.html", user=user, status_token=token)


@pages.post("/<region:region>/deconnexion")
@open_to_all
def sign_out(region: Region) -> ResponseReturnValue:
    """End the visitor's session; somebody who is signed out already lands on the same page."""
    person = current_person()
    if person is not None:
        with transaction():
            end_own_session(person.region, person.user_id, person.session_id, now=utc_now())
    speak(None)
    flash(str(_("Vous êtes déconnecté.")), "success")
    response = make_response(redirect_within(url_for("regions.region_home", region=region.key)))
    clear_session_cookies(response)
    remember_region(region.key)
    return response


def _welcome(region: Region, signed_in: SignedIn) -> ResponseReturnValue:
    if signed_in.opened.must_change_password:
        place = url_for("password_change.choose", region=region.key, next=next_path())
    else:
        place = next_path() or _first_page(region, signed_in.who.user.role)
    response = make_response(redirect_within(place))
    # Empties Flask's session: nothing that was set before the sign-in lives on in it (session fixation).
    set_session_cookies(response, signed_in.opened)
    remember_region(region.key)
    return response


def _first_page(region: Region, role: str) -> str:
    return url_for("admin.users" if role == Role.ADMIN else "regions.region_home", region=region.key)


def _refused(region: Region, form: SignInForm, failed: Failed) -> ResponseReturnValue:
    if failed.code in DEAD_TEMPORARY:
        form.form_errors.append(str(_("Ce mot de passe provisoire a expiré ou a déjà servi.")))
        return _form_page(region, form, status=422, dead_temporary=True)
    if failed.user is not None:
        session[ACCOUNT_STATE] = [region.key, failed.user.id.hex, int(utc_now().timestamp())]
        return redirect_within(url_for("auth.account_state", region=region.key))
    # When the automatic check was missing, the password has not been looked at: nothing may be said about it.
    if not form.captcha.errors and not form.ticket.errors:
        form.form_errors.append(str(_("L'adresse électronique ou le mot de passe est incorrect.")))
    form.renew_check(region, now=utc_now())
    return _form_page(region, form, status=422, captcha_wanted=failed.captcha_next)


def _form_page(
    region: Region, form: SignInForm, *, status: int, captcha_wanted: bool = False, dead_temporary: bool = False
) -> ResponseReturnValue:
    other = other_region_of_visitor()
    body = render_template(
        "auth/sign_in.html",
        form=form,
        next=next_path(),
        captcha_wanted=captcha_wanted or _network_needs_captcha(region),
        dead_temporary=dead_temporary,
        other_region=find_open_region(other) if other else None,
        signed_out=other is None and bool(the_cookie(cookie_names().refresh)),
    )
    return body, status


def _network_needs_captcha(region: Region) -> bool:
    keys = keys_of(region.key, "", client_network())
    return captcha_needed(keys, known=True, now=utc_now())


def _just_proved(region: Region) -> User | None:
    kept = session.get(ACCOUNT_STATE)
    if not kept or kept[0] != region.key or kept[2] < (utc_now() - STATE_SHOWN_FOR).timestamp():
        return None
    return find_user(region.key, UUID(hex=kept[1]))
