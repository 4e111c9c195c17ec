"""Forms of a request for an account, and the fields that the forms of the profile share with it."""

import json
import unicodedata
import zlib
from typing import Any

from wtforms import BooleanField, Field, StringField
from wtforms.validators import AnyOf, StopValidation

from terristory.captcha.forms import CaptchaMixin
from terristory.i18n import LANGUAGES, _, _l, language
from terristory.passwords.forms import ChoosesPassword, NewPasswordField
from terristory.settings import Settings
from terristory.user.create_user import Applicant, RequestRules
from terristory.user.mail_address import MOST_CHARACTERS, BadMailAddress, canonical_mail
from terristory.web.base_form import AtMost, BaseForm, Filled, TextArea, TextField

PAGE_ORDER = (
    "prenom", "nom", "mail", "organisation", "fonction", "territoire", "motif", "langue", "information_lue", "captcha",
    "ticket",
)  # fmt: skip
MOST_NAME = 100
MOST_TEXT = 200
MOST_MOTIF = 1000
# A cookie holds 4096 bytes, a third of them spent on its encoding and on what else it keeps.
MOST_KEPT_BYTES = 2200
_BESIDES_LETTERS = " \u00a0'\u2019-\u2010\u2011."


def is_person_name(text: str) -> bool:
    """Return whether a name is letters of any script, their marks and the few signs that names have."""
    kinds = {unicodedata.category(character)[0] for character in text if character not in _BESIDES_LETTERS}
    return kinds <= {"L", "M"} and "L" in kinds


class PersonName:
    """Validator: letters of any script and their marks, spaces, apostrophes, hyphens and full stops."""

    def __call__(self, form: Any, field: Field) -> None:
        """Refuse other characters, and a name without a letter."""
        if not is_person_name(field.data):
            raise StopValidation(
                _("Écrivez ce nom avec des lettres, espaces, apostrophes et traits d'union, par exemple Anne-Sophie.")
            )


class MailAddress:
    """Validator: an address that can be written to."""

    def __call__(self, form: Any, field: Field) -> None:
        """Refuse anything else, with an example."""
        try:
            canonical_mail(field.data)
        except BadMailAddress:
            raise StopValidation(
                _("Écrivez une adresse électronique complète, par exemple prenom.nom@communaute.fr.")
            ) from None


class MailField(TextField):
    """A mail address, required."""

    def __init__(self, label: Any = None, **options: Any) -> None:
        missing = _l("Écrivez votre adresse électronique, par exemple prenom.nom@communaute.fr.")
        options.setdefault("validators", [Filled(missing), AtMost(MOST_CHARACTERS), MailAddress()])
        super().__init__(label, **options)


class ProfileFields(BaseForm):
    """What the forms of a request and of a profile have in common, in the order of the page."""

    prenom = TextField(
        _l("Prénom (obligatoire)"),
        validators=[Filled(_l("Écrivez votre prénom.")), AtMost(MOST_NAME), PersonName()],
    )
    nom = TextField(
        _l("Nom (obligatoire)"),
        validators=[Filled(_l("Écrivez votre nom.")), AtMost(MOST_NAME), PersonName()],
    )
    organisation = TextField(
        _l("Organisation (obligatoire)"),
        validators=[
            Filled(_l("Écrivez le nom de votre organisation, ou « Particulier » si vous n'en avez pas.")),
            AtMost(MOST_TEXT),
        ],
    )
    fonction = TextField(_l("Fonction (facultatif)"), validators=[AtMost(MOST_TEXT)])
    territoire = TextField(_l("Territoire qui vous intéresse (facultatif)"), validators=[AtMost(MOST_TEXT)])
    langue = TextField(
        _l("Langue des messages (facultatif)"),
        validators=[AnyOf(["", None, *LANGUAGES], message=_l("Indiquez fr ou en."))],
    )


class RegistrationForm(CaptchaMixin, ProfileFields):
    """A request for an account. It asks for no password: the mailbox must be proved first."""

    form_name = "create_user"
    _fields: dict[str, Field]

    mail = MailField(_l("Adresse électronique professionnelle (obligatoire)"))
    motif = TextArea(_l("Pourquoi demandez-vous un compte ? (facultatif)"), validators=[AtMost(MOST_MOTIF)])
    information_lue = BooleanField(
        _l("J'ai lu l'information sur mes données personnelles (obligatoire)"),
        validators=[Filled(_l("Lisez l'information sur vos données personnelles, puis cochez cette case."))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A summary of errors goes through the fields as they stand on the page.
        places = {name: place for place, name in enumerate(PAGE_ORDER)}
        self._fields = dict(sorted(self._fields.items(), key=lambda item: places.get(item[0], len(places))))


class ConfirmationForm(ChoosesPassword):
    """The password chosen on the page of a confirmation link."""

    password = NewPasswordField(_l("Créez un mot de passe (obligatoire)"))


class ConfirmationWithTokenForm(ConfirmationForm):
    """The same over JSON, where the link's token comes in the body."""

    token = StringField(validators=[Filled(_l("Donnez le code du lien reçu par courriel."))])


class WithdrawalForm(BaseForm):
    """The confirmation that a request shall be erased (RGAA 4.1, 11.12.2); it only carries the form's own token."""


class ResendForm(CaptchaMixin):
    """The wish to get the message once more."""

    form_name = "confirm"

    mail = MailField(_l("Adresse électronique (obligatoire)"))


def applicant_of(form: RegistrationForm) -> Applicant:
    """Return what a valid form says; the language is the page's unless one was asked for."""
    return Applicant(
        prenom=form.prenom.data or "",
        nom=form.nom.data or "",
        mail=form.mail.data or "",
        organisation=form.organisation.data or "",
        langue=form.langue.data or language(),
        fonction=form.fonction.data or "",
        territoire=form.territoire.data or "",
        motif=form.motif.data or "",
        without_script=form.without_script,
    )


def request_rules(settings: Settings) -> RequestRules:
    """Return the settings that bear on a request."""
    return RequestRules(
        confirmation_required=settings.require_mail_confirmation,
        erasure_days=settings.account_erasure_days,
        operator_mail=settings.operator_mail,
        limited=settings.rate_limits,
    )


def answers_to_keep(form: RegistrationForm) -> dict[str, str]:
    """Return the answers that fit into a cookie, to show the form once more; the longest give way, never the mail."""
    names = ("prenom", "nom", "mail", "organisation", "fonction", "territoire", "motif", "langue")
    kept: dict[str, str] = {name: form[name].data or "" for name in names}
    for name in ("motif", "territoire", "fonction", "organisation", "nom", "prenom"):
        if len(zlib.compress(json.dumps(kept).encode())) <= MOST_KEPT_BYTES:
            break
        del kept[name]
    return kept
