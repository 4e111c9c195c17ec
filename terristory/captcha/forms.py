"""What a form needs to be protected by the automatic check: two hidden fields, and when they count."""

from datetime import datetime
from typing import Any, ClassVar

from flask import g
from wtforms import StringField
from wtforms.widgets import HiddenInput

from terristory.api.json_forms import InvalidFields
from terristory.captcha.challenge import Solved, check_token_captcha, spend
from terristory.captcha.ticket import (
    TooEarly,
    Valid,
    check_ticket,
    issue_ticket,
    spend_ticket,
    take_from_ticket_quota,
)
from terristory.clock import utc_now
from terristory.i18n import _, ngettext
from terristory.regions.models import Region
from terristory.web.base_form import BaseForm
from terristory.web.network import client_network
from terristory.web.settings_in_force import settings_in_force


class CaptchaSpent(InvalidFields):
    """The check of this form has served already, or its network has used its tickets up: nothing may be done."""


def _hidden_and_last() -> Any:
    # Without a label WTForms makes one of the name and looks its translation up.
    field = StringField("", widget=HiddenInput())
    # A summary of errors names fields in their order, and this mixin is read before the form's own fields.
    field.creation_counter = 1_000_000
    return field


class CaptchaMixin(BaseForm):
    """Mix-in of forms that only people should send. The view must have a `<region:region>`.

    Validation verifies; the door spends, within its transaction: `form.claim_captcha(now)`. On pages a ticket ripe
    by age counts as well as a solved challenge; it is kept over re-renders, so that the wait is waited once.
    """

    form_name: ClassVar[str]
    # False (sign-in): the door asks for the check itself, by check_captcha, when the throttle wants one.
    captcha_wanted: bool = True

    captcha = _hidden_and_last()
    ticket = _hidden_and_last()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proof: Solved | Valid | None = None
        # The JSON door has no form token and takes no ticket.
        self.on_a_page = bool(self.meta.csrf)
        if not self.on_a_page:
            self.ticket.data = None
        elif not self.ticket.data:
            self._renew_ticket()

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Validate all fields, and the automatic check unless this form does without one."""
        valid = bool(super().validate(*args, **kwargs))
        return (not self.captcha_wanted or self.check_captcha(g.region)) and valid

    def check_captcha(self, region: Region) -> bool:
        """Return whether a valid check came with the form, spending nothing; otherwise say what to do."""
        now = utc_now()
        self.proof = check_token_captcha(self.captcha.data or "", form=self.form_name, region=region.key, now=now)
        return self.proof is not None or self._check_ticket(region.key, now)

    @property
    def without_script(self) -> bool:
        """Whether the form passed by a ticket: a person should look at it twice."""
        return isinstance(self.proof, Valid)

    def spend_captcha(self, now: datetime) -> bool:
        """Spend the check in the caller's transaction; when False the caller must let nothing happen.

        On a page the refused form is ready to be shown again, its words said and its ticket renewed.
        """
        if self.proof is None and not self.check_captcha(g.region):
            return False
        if isinstance(self.proof, Valid):
            return self._spend_ticket(self.proof, now)
        if self.proof is not None and spend(self.proof):
            return True
        self._refuse_captcha(_("La vérification automatique a déjà servi. Envoyez de nouveau le formulaire."))
        return False

    def claim_captcha(self, now: datetime) -> None:
        """Spend the check in the caller's transaction. Raises CaptchaSpent, which undoes that transaction.

        A JSON door lets it pass (it answers 422 on `captcha`); a page catches it and shows the form again (422).
        """
        if not self.spend_captcha(now):
            messages = [str(message) for message in (*self.captcha.errors, *self.ticket.errors)]
            raise CaptchaSpent({"captcha": messages})

    def _check_ticket(self, region: str, now: datetime) -> bool:
        if not self.on_a_page:
            self._refuse_captcha(self._what_is_wrong())
            return False
        wait = settings_in_force().no_script_wait_seconds
        ticket = check_ticket(self.ticket.data or "", form=self.form_name, region=region, wait_seconds=wait, now=now)
        if isinstance(ticket, Valid):
            self.proof = ticket
            return True
        if isinstance(ticket, TooEarly):
            self._refuse_ticket(self._words_for_waiting(ticket.seconds))
            return False
        self._renew_ticket()
        self._refuse_ticket(self._words_for_waiting(wait))
        return False

    def _spend_ticket(self, ticket: Valid, now: datetime) -> bool:
        if not spend_ticket(ticket):
            self._renew_ticket()
            self._refuse_ticket(self._words_for_waiting(settings_in_force().no_script_wait_seconds))
            return False
        if settings_in_force().rate_limits and not take_from_ticket_quota(client_network(), now=now):
            self._refuse_ticket(
                _("Trop d'envois sans JavaScript depuis votre réseau. Activez JavaScript, ou réessayez dans une heure.")
            )
            return False
        return True

    def _what_is_wrong(self) -> str:
        if not self.captcha.data:
            return str(_("Joignez à votre envoi une vérification automatique."))
        return str(_("La vérification automatique a expiré ou n'est pas valable. Demandez-en une autre."))

    @staticmethod
    def _words_for_waiting(seconds: int) -> str:
        return str(
            ngettext(
                "Votre envoi est arrivé trop vite. Vos réponses sont gardées : envoyez-les de nouveau dans "
                "%(num)s seconde.",
                "Votre envoi est arrivé trop vite. Vos réponses sont gardées : envoyez-les de nouveau dans "
                "%(num)s secondes.",
                seconds,
            )
        )

    def _refuse_captcha(self, message: Any) -> None:
        self.proof = None
        self.captcha.errors = [*self.captcha.errors, str(message)]

    def _refuse_ticket(self, message: Any) -> None:
        self.proof = None
        # A check that has served or expired must not be sent once more.
        self.captcha.data = ""
        self.ticket.errors = [*self.ticket.errors, str(message)]

    def _renew_ticket(self) -> None:
        self.ticket.data = issue_ticket(self.form_name, g.region.key, now=utc_now())
