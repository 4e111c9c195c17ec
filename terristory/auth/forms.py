"""The sign-in form, and what the three doors do with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wtforms import PasswordField, StringField

from terristory.auth.authenticate import Attempt, Authenticated, Failed, Throttled, authenticate, weigh
from terristory.auth.sessions import Opened, Visit, open_session
from terristory.captcha.forms import CaptchaMixin
from terristory.captcha.ticket import issue_ticket
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _l
from terristory.passwords.hashing import room_to_hash
from terristory.regions.models import Region
from terristory.web.base_form import AtMost, Filled, TextField
from terristory.web.settings_in_force import settings_in_force


class SignInForm(CaptchaMixin):
    """An address and a password, exactly as typed; the automatic check only when the throttle asks for one."""

    form_name = "authenticate"
    captcha_wanted = False

    login = TextField(
        _l("Adresse électronique (obligatoire)"),
        validators=[Filled(_l("Indiquez votre adresse électronique.")), AtMost(254)],
    )
    password = PasswordField(_l("Mot de passe (obligatoire)"), validators=[Filled(_l("Indiquez votre mot de passe."))])

    def renew_check(self, region: Region, *, now: datetime) -> None:
        """Prepare the form to be shown again: the automatic check that came with it has served."""
        self.captcha.data = ""
        if self.without_script:
            self.ticket.data = issue_ticket(self.form_name, region.key, now=now)


class ApiSignInForm(SignInForm):
    """The same from an API client, which may name its device."""

    device = StringField()


@dataclass(frozen=True)
class SignedIn:
    """Somebody has signed in."""

    who: Authenticated
    opened: Opened


def sign_in(form: SignInForm, region: Region, visit: Visit) -> SignedIn | Failed | Throttled:
    """Try to sign in with a filled form: look at the password, settle, open the session; leave a trace in any case.

    A session that a temporary password opens lasts as long as that password would have. Raises HashingBusy.
    """
    with room_to_hash():
        return _sign_in(form, region, visit)


def _sign_in(form: SignInForm, region: Region, visit: Visit) -> SignedIn | Failed | Throttled:
    settings = settings_in_force()
    now, key = utc_now(), region.key
    # The name that an API client gives its device can be guessed; the cookie of a browser cannot.
    browser = visit.device_digest if visit.by_browser else ""
    attempt = Attempt(key, form.login.data or "", form.password.data or "", browser, visit.network)
    weighed = weigh(attempt, throttled=settings.rate_limits, spend_check=lambda: form.spend_captcha(now), now=now)
    if isinstance(weighed, (Failed, Throttled)):
        return weighed
    # Argon2 may have waited for its turn.
    now = utc_now()
    with transaction():
        outcome = authenticate(weighed, now=now)
        if isinstance(outcome, Failed):
            return outcome
        temporary = outcome.temporary
        opened = open_session(
            outcome.user,
            visit,
            rotates=bool(visit.device_digest),
            life=temporary.expires_at - now if temporary else timedelta(seconds=settings.session_max_seconds),
            access_seconds=settings.access_token_seconds,
            must_change_password=outcome.must_change_password,
            now=now,
        )
    return SignedIn(outcome, opened)
