"""What a change of address entails for the ways in: passwords mailed to the former one die with it."""

from datetime import datetime

from terristory.auth.temporary_password import void_temporary_passwords
from terristory.password_change.change_password import void_password
from terristory.user.change_mail import MailChanged, confirm_mail_change, take_back_address
from terristory.user.mail_confirmation import UNKNOWN, Dead, Found, find_link
from terristory.user.models import LinkPurpose

# As long as the link « ce n'était pas moi » of the same mail.
TAKE_BACK_SECONDS = 30 * 86400


def find_change(region: str, token: str, *, life_seconds: int, now: datetime) -> Found | Dead:
    """Return the live link of a change of address, to the new one or back, or why there is none; changes nothing."""
    found = find_link(region, token, LinkPurpose.NEW_ADDRESS, life_seconds=life_seconds, now=now)
    if found == Dead(UNKNOWN):
        return find_link(region, token, LinkPurpose.TAKE_BACK_ADDRESS, life_seconds=TAKE_BACK_SECONDS, now=now)
    return found


def confirm_address(region: str, token: str, *, life_seconds: int, now: datetime) -> MailChanged | Dead:
    """Give the account the address that the link proves; a temporary password sent to the former one dies."""
    outcome = confirm_mail_change(region, token, life_seconds=life_seconds, now=now)
    if isinstance(outcome, MailChanged):
        void_temporary_passwords(outcome.user.id, now=now)
    return outcome


def recover_address(region: str, token: str, *, temporary_seconds: int, now: datetime) -> MailChanged | Dead:
    """Give the account its former address again, and keep out whoever changed it.

    All sessions end, the password is void, and a temporary one (`temporary_seconds`) goes to the recovered address:
    who changed the address knew the password.
    """
    outcome = take_back_address(region, token, life_seconds=TAKE_BACK_SECONDS, now=now)
    if isinstance(outcome, MailChanged):
        # Not within the quota of mails: whoever changed the address could have used it up.
        void_password(region, outcome.user.id, life_seconds=temporary_seconds, rate_limits=False, now=now)
    return outcome
