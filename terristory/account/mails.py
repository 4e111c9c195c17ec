"""Mails about one's own account."""

from datetime import datetime

from terristory.mail_outbox.outbox import MailMessage
from terristory.user.models import User


def closing_mail(user: User, *, erased_at: datetime, token: str) -> MailMessage:
    """Tell that the account is being closed, when it will be erased, and give the link that takes it back."""
    return MailMessage(
        region=user.region,
        to=user.mail,
        langue=user.langue,
        template="account/closing",
        context={"prenom": user.prenom, "erased_at": erased_at.isoformat()},
        secrets={"token": token},
        user_id=user.id,
    )
