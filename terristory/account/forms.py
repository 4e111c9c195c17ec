"""Forms about one's own account, for both doors."""

from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from terristory.auth.guards import Caller
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _, _l
from terristory.password_change.forms import CURRENT_PASSWORD, AsksCurrentPassword
from terristory.passwords.forms import PasswordInput
from terristory.user.change_mail import Asked, ask_mail_change
from terristory.user.forms import MailField, ProfileFields
from terristory.user.lookup import lock_user
from terristory.user.models import User
from terristory.user.profile import PROFILE
from terristory.web.base_form import BaseForm, Filled
from terristory.web.settings_in_force import settings_in_force


class ProfileForm(ProfileFields):
    """What a person says about himself, filled beforehand: over JSON a field left out keeps its value."""

    def values(self) -> dict[str, str]:
        """Return what the valid form says, by the names of PROFILE; no language given keeps the present one."""
        said = {name: self[name].data or "" for name in PROFILE}
        return {name: value for name, value in said.items() if value or name != "langue"}


class ProfilePageForm(ProfileForm):
    """The same on a page, with the explicit confirmation of RGAA 4.1, 11.12.2."""

    langue = SelectField(
        _l("Langue (obligatoire)"), choices=[SelectChoice("fr", "Français"), SelectChoice("en", "English")]
    )
    confirmation = BooleanField(
        _l("Je confirme ces changements (obligatoire)"), [Filled(_l("Cochez la case pour enregistrer."))]
    )


class MailForm(AsksCurrentPassword):
    """Another address, and the current password."""

    mail = MailField(_l("Nouvelle adresse électronique (obligatoire)"))
    # Said again to come after the address, on the page and in the summary of errors.
    password = PasswordInput(CURRENT_PASSWORD)


class EndOthersForm(AsksCurrentPassword):
    """The current password, to end all other sessions from a page."""


class CloseForm(AsksCurrentPassword):
    """The current password, to close the account."""


class ClosePageForm(CloseForm):
    """The same on a page, with an explicit confirmation (RGAA 4.1, 11.12.2)."""

    confirmation = BooleanField(
        _l("J'ai compris que mes données seront effacées (obligatoire)"),
        [Filled(_l("Cochez la case pour fermer votre compte."))],
    )


class LinkForm(BaseForm):
    """The token of a mailed link, over JSON."""

    token = StringField(validators=[Filled(_l("Donnez le code du lien reçu par courriel."))])


def values_of(user: User) -> dict[str, str]:
    """Return a person's profile, to fill its form."""
    return {name: getattr(user, name) for name in PROFILE}


def ask_for_address(form: MailForm, person: Caller) -> bool:
    """Ask for the address of a valid form whose password was right; False, with an error, if it is the present one."""
    limited = settings_in_force().rate_limits
    with transaction():
        user = lock_user(person.region, person.user_id)
        if user is not None and not form.is_still_right_for(user, person.session_id):
            return False
        if (
            user is not None
            and ask_mail_change(user, form.mail.data or "", limited=limited, now=utc_now()) == Asked.SENT
        ):
            return True
    form.mail.errors = [str(_("C'est déjà votre adresse. Écrivez la nouvelle."))]
    return False
