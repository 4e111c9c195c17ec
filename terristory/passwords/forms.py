"""Password fields: typed exactly, judged by one policy, explained with the same words everywhere."""

from collections.abc import Sequence
from typing import Any

from wtforms import PasswordField
from wtforms.validators import StopValidation

from terristory.i18n import _, _l
from terristory.passwords.normal_form import MAXIMUM_BYTES, MAXIMUM_CODE_POINTS, has_forbidden_character
from terristory.passwords.policy import MINIMUM_CODE_POINTS, Reason, reasons_to_refuse
from terristory.web.base_form import BaseForm, Filled


class PasswordInput(PasswordField):
    """A password as typed: never trimmed (NIST SP 800-63B-4); what nobody's password can be is refused at once."""

    def pre_validate(self, form: Any) -> None:
        """Refuse control characters (NUL included), lone surrogates and more than 1024 bytes of UTF-8."""
        typed = self.data or ""
        if has_forbidden_character(typed):
            raise StopValidation(words_for([Reason.FORBIDDEN_CHARACTER])[0])
        if len(typed.encode()) > MAXIMUM_BYTES:
            raise StopValidation(words_for([Reason.TOO_LONG])[0])


class Acceptable:
    """Validator: the policy accepts the password; the form is a `ChoosesPassword`."""

    def __call__(self, form: Any, field: PasswordInput) -> None:
        """Refuse with a message per reason."""
        reasons = reasons_to_refuse(field.data or "", form.about, minimum=form.minimum)
        if reasons:
            raise StopValidation(" ".join(words_for(reasons, minimum=form.minimum)))


class NewPasswordField(PasswordInput):
    """A password being chosen, on a form that is a `ChoosesPassword`."""

    def __init__(self, label: Any = None, **options: Any) -> None:
        options.setdefault("validators", [Filled(_l("Choisissez un mot de passe.")), Acceptable()])
        super().__init__(label, **options)


class ChoosesPassword(BaseForm):
    """Mix-in of forms with a NewPasswordField: the door sets what is known of the person before validating.

    `about`: names, address, organisation, region as whole texts; `minimum`: code points. Judging takes up to 0.2 s,
    so give the database connection back first.
    """

    about: Sequence[str] = ()
    minimum: int = MINIMUM_CODE_POINTS


def words_for(reasons: Sequence[Reason], *, minimum: int = MINIMUM_CODE_POINTS) -> list[str]:
    """Return, in the language in force, what to do about each reason for which a password is refused."""
    words = {
        Reason.TOO_SHORT: _(
            "Choisissez %(least)s caractères au moins, par exemple quatre mots sans lien entre eux.", least=minimum
        ),
        Reason.TOO_LONG: _("Raccourcissez ce mot de passe : %(most)s caractères au plus.", most=MAXIMUM_CODE_POINTS),
        Reason.FORBIDDEN_CHARACTER: _("Retirez les caractères invisibles ou de contrôle."),
        Reason.COMMON: _("Ce mot de passe est l'un des plus utilisés. Ajoutez un mot ou deux sans lien avec lui."),
        Reason.PERSONAL: _(
            "Ce mot de passe reprend votre nom, votre organisation ou votre région. Choisissez d'autres mots."
        ),
        Reason.GUESSABLE: _("Ce mot de passe se devine trop vite. Ajoutez un mot ou deux sans lien entre eux."),
    }
    return [str(words[reason]) for reason in reasons]
