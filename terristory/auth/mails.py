"""Mails about sessions, to the account's owner."""

from datetime import datetime

from terristory.mail_outbox.outbox import MailMessage
from terristory.user.models import User
from terristory.user.signed_links import LinkKind, sign_link


def new_device_mail(user: User, *, device: str, network: str, now: datetime) -> MailMessage:
    """Tell of a sign-in from a device never seen for this account."""
    context = {"prenom": user.prenom, "device": device, "network": network, "at": now.isoformat()}
    return _to_owner(user, "auth/new_device", context)


def session_ended_mail(user: User, *, device: str, now: datetime) -> MailMessage:
    """Tell that a session was ended for safety: one of its refresh tokens came a second time."""
    return _to_owner(user, "auth/session_ended", {"prenom": user.prenom, "device": device, "at": now.isoformat()})


def _to_owner(user: User, template: str, context: dict[str, str]) -> MailMessage:
    return MailMessage(
        region=user.region,
        to=user.mail,
        langue=user.langue,
        template=template,
        context=context,
        secrets={"not_me_token": sign_link(LinkKind.NOT_ME, user.region, user.id)},
        user_id=user.id,
    )
