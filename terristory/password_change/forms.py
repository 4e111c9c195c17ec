"""Forms about passwords, for both doors."""

from typing import Any
from uuid import UUID

from wtforms.validators import StopValidation

from terristory.auth.guards import Caller
from terristory.auth.revocation import is_open
from terristory.auth.temporary_password import is_current_or_past_temporary
from terristory.captcha.forms import CaptchaMixin
from terristory.clock import utc_now
from terristory.database import give_back_connection, transaction
from terristory.i18n import _, _l
from terristory.password_change.change_password import change_password
from terristory.password_change.guards import is_current_password
from terristory.passwords.forms import ChoosesPassword, NewPasswordField, PasswordInput
from terristory.passwords.hashing import hash_password, verify_password
from terristory.passwords.normal_form import normal_form
from terristory.regions.models import Region
from terristory.user.forms import MailField
from terristory.user.known_words import words_about
from terristory.user.lookup import find_user
from terristory.user.models import User
from terristory.web.base_form import BaseForm
from terristory.web.settings_in_force import settings_in_force

CURRENT_PASSWORD = _l("Mot de passe actuel (obligatoire)")


class ForgottenForm(CaptchaMixin, BaseForm):
    """Which address the temporary password shall go to."""

    form_name = "regenerate_password"
    mail = MailField(_l("Adresse électronique (obligatoire)"))


class AsksCurrentPassword(BaseForm):
    """Mix-in of forms that ask once more for the current password."""

    password = PasswordInput(CURRENT_PASSWORD)
    verified_hash: str | None = None

    def validate_password(self, field: PasswordInput) -> None:
        """Refuse an empty one; whether it is right is asked last, by `is_right_for`."""
        if not field.data:
            raise StopValidation(_("Saisissez votre mot de passe actuel."))

    def is_right_for(self, user: User) -> bool:
        """Return whether the password is the user's, else say so on the field. Raises TooManyTries."""
        looked_at = user.password_hash
        if is_current_password(user, self.password.data or ""):
            self.verified_hash = looked_at
            return True
        self.say_it_is_wrong()
        return False

    def is_still_right_for(self, user: User, session_id: UUID) -> bool:
        """Return whether what `is_right_for` found, and the session, still hold for the account held; else say so.

        Looking takes a tenth of a second: long enough for « ce n'était pas moi » to take the password away.
        """
        if user.password_hash == self.verified_hash and is_open(user.id, session_id):
            return True
        self.say_it_is_wrong()
        return False

    def say_it_is_wrong(self) -> None:
        """Put the error on the password's field."""
        self.password.errors = [str(_("Ce n'est pas votre mot de passe actuel. Saisissez-le de nouveau."))]


class ChangePasswordForm(AsksCurrentPassword, ChoosesPassword):
    """A new password. `forced`, after a temporary password: the current one is not asked for, and ignored if given."""

    new_password = NewPasswordField(_l("Nouveau mot de passe (obligatoire)"))

    def __init__(self, *args: Any, person: Caller, region: Region, **options: Any) -> None:
        super().__init__(*args, **options)
        self.forced = person.must_change_password
        self.about = words_about(person.row, region)
        self.minimum = settings_in_force().password_min_length
        if self.forced:
            self.password.data = None

    def validate_password(self, field: PasswordInput) -> None:
        """Ask for the current password, unless a temporary one opened the session."""
        if not self.forced:
            super().validate_password(field)

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Validate; judging a password is slow, so the connection is given back before."""
        give_back_connection()
        return bool(super().validate(*args, **kwargs))


def take_new_password(form: ChangePasswordForm, person: Caller) -> bool:
    """Give the person the valid form's new password; False when it cannot be, which the form's errors explain.

    Asks for the current password, refuses the current and any temporary one as the new one, hashes outside of the
    transaction that changes it. Raises TooManyTries and HashingBusy.
    """
    new_password, settings = form.new_password.data or "", settings_in_force()
    user = find_user(person.region, person.user_id)
    if user is None or not (form.forced or form.is_right_for(user)):
        return False
    if _is_old(form, person, new_password):
        form.new_password.errors = [str(_("Choisissez un mot de passe différent de l'ancien et du provisoire."))]
        return False
    password_hash = hash_password(new_password)
    with transaction():
        changed = change_password(
            person.region,
            person.user_id,
            password_hash,
            verified_hash=form.verified_hash,
            keep_session=person.session_id,
            session_max_seconds=settings.session_max_seconds,
            now=utc_now(),
        )
    if not changed:
        form.say_it_is_wrong()
    return changed


def _is_old(form: ChangePasswordForm, person: Caller, new_password: str) -> bool:
    if is_current_or_past_temporary(person.user_id, new_password):
        return True
    if not form.forced:
        # The current one has just been verified: comparing the texts is enough.
        return normal_form(form.password.data or "") == normal_form(new_password)
    user = find_user(person.region, person.user_id)
    stored = user.password_hash if user else None
    give_back_connection()
    return verify_password(stored, new_password).right
