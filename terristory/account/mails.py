"""Mails about one's own account."""

from datetime import datetime

from terristory.mail_outbox.outbox import MailMessage
from terristory.user.models import User
from terristory.user.signed_links import LinkKind, sign_link


def closing_mail(user: User, *, erased_at: datetime, token: str) -> MailMessage:
    """Tell that the account is being closed, when it will be erased, and give the link that takes it back.

    Who closed it may know the password: a second link takes that away, as in every mail about security.
    """
    return MailMessage(
        region=user.region,
        to=user.mail,
        langue=user.langue,
        template="account/closing",
        context={"prenom": user.prenom, "erased_at": erased_at.isoformat()},
        secrets={"token": token, "not_me_token": sign_link(LinkKind.NOT_ME, user.region, user.id)},
        user_id=user.id,
    )
