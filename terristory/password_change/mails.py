"""Mails about passwords, to the account's owner."""

from datetime import datetime

from terristory.mail_outbox.outbox import MailMessage
from terristory.user.models import User
from terristory.user.signed_links import LinkKind, sign_link


def temporary_password_mail(user: User, password: str, *, life_seconds: int) -> MailMessage:
    """Carry a temporary password, which lives `life_seconds` from the latest attempt to deliver this mail."""
    return MailMessage(
        region=user.region,
        to=user.mail,
        langue=user.langue,
        template="password_change/temporary_password",
        context={"prenom": user.prenom, "life_seconds": life_seconds},
        secrets={"temporary_password": password},
        user_id=user.id,
    )


def password_changed_mail(user: User, *, now: datetime) -> MailMessage:
    """Tell of a change of password, with a link for whom it was not (ASVS 5.0, 6.3.7)."""
    return MailMessage(
        region=user.region,
        to=user.mail,
        langue=user.langue,
        template="password_change/changed",
        context={"prenom": user.prenom, "at": now.isoformat()},
        secrets={"not_me_token": sign_link(LinkKind.NOT_ME, user.region, user.id)},
        user_id=user.id,
    )
