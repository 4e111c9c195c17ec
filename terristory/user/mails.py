"""Mails about a request for an account and about one's address, as values."""

from datetime import datetime
from typing import Any

from terristory.mail_outbox.outbox import MailMessage
from terristory.user.models import User
from terristory.user.signed_links import LinkKind, sign_link


def confirm_mail(user: User, token: str) -> MailMessage:
    """Ask the applicant to prove the mailbox."""
    return _to_owner(user, "user/confirm", secrets={"token": token})


def received_mail(user: User, *, sent_at: datetime) -> MailMessage:
    """Tell the applicant that the request is with the region, with the link of the status page."""
    return _to_owner(user, "user/received", {"sent_at": sent_at.isoformat()}, _status_link(user))


def under_review_mail(user: User) -> MailMessage:
    """Tell somebody who asks again that the request is under review."""
    return _to_owner(user, "user/under_review", secrets=_status_link(user))


def already_registered_mail(user: User) -> MailMessage:
    """Tell somebody who asks again that the account is open."""
    return _to_owner(user, "user/already_registered")


def disabled_notice_mail(user: User) -> MailMessage:
    """Tell somebody who asks again that the account is disabled."""
    return _to_owner(user, "user/disabled_notice")


def closing_notice_mail(user: User, token: str, *, erased_at: datetime) -> MailMessage:
    """Tell somebody who asks again that the account is closing, with the link that takes it back."""
    return _to_owner(user, "user/closing_notice", {"erased_at": erased_at.isoformat()}, {"token": token})


def new_request_mail(admin: User, user: User) -> MailMessage:
    """Tell an administrator of a request, with what the list shows."""
    context = {
        **{name: getattr(user, name) for name in ("prenom", "nom", "mail", "organisation")},
        **{name: getattr(user, name) for name in ("fonction", "territoire", "motif", "without_script")},
        # The form that a look-alike domain cannot hide in.
        "mail_ascii_domain": user.mail_canonical.rpartition("@")[2],
        "user_id": str(user.id),
        "created_at": user.created_at.isoformat(),
    }
    return MailMessage(user.region, admin.mail, admin.langue, "user/new_request", context, user_id=user.id)


def new_request_nobody_mail(user: User, operator_mail: str) -> MailMessage:
    """Tell the operator of a request in a region without an administrator."""
    context = {name: getattr(user, name) for name in ("prenom", "nom", "mail", "organisation")}
    context["user_id"] = str(user.id)
    return MailMessage(user.region, operator_mail, "fr", "user/new_request_nobody", context, user_id=user.id)


def requests_waiting_mail(admin: User, count: int) -> MailMessage:
    """Tell an administrator how many requests wait, instead of a mail for each."""
    context = {"prenom": admin.prenom, "count": count, "reminder": False}
    return MailMessage(admin.region, admin.mail, admin.langue, "user/requests_waiting", context, user_id=admin.id)


def confirm_new_address_mail(user: User, new_mail: str, token: str) -> MailMessage:
    """Ask the owner, at the new address, to prove that mailbox."""
    context = {"prenom": user.prenom, "mail": new_mail}
    secrets = {"token": token}
    return MailMessage(
        user.region, new_mail, user.langue, "account/confirm_new_address", context, secrets, user_id=user.id
    )


def address_change_asked_mail(user: User, new_mail: str) -> MailMessage:
    """Warn the owner, at the address in force, that another one was asked for."""
    secrets = {"not_me_token": sign_link(LinkKind.NOT_ME, user.region, user.id)}
    return _to_owner(user, "account/address_change_asked", {"new_mail": new_mail}, secrets)


def address_changed_mail(user: User, old_mail: str, token: str) -> MailMessage:
    """Tell the owner, at the former address, that it was changed, with the link that takes it back."""
    context = {"prenom": user.prenom, "new_mail": user.mail}
    secrets = {"token": token}
    return MailMessage(user.region, old_mail, user.langue, "account/address_changed", context, secrets, user_id=user.id)


def _status_link(user: User) -> dict[str, str]:
    return {"status_token": sign_link(LinkKind.REQUEST, user.region, user.id)}


def _to_owner(
    user: User, template: str, context: dict[str, Any] | None = None, secrets: dict[str, str] | None = None
) -> MailMessage:
    values = {"prenom": user.prenom, **(context or {})}
    return MailMessage(user.region, user.mail, user.langue, template, values, secrets or {}, user_id=user.id)
