"""Mails of the administrators' decisions, as values."""

from typing import Any

from terristory.mail_outbox.outbox import MailMessage
from terristory.user.models import User


def activated_mail(user: User) -> MailMessage:
    """Tell the owner that the account is active."""
    return _to_owner(user, "admin/activated")


def activated_with_password_mail(user: User, password: str, *, life_seconds: int) -> MailMessage:
    """Tell the owner that the account is active, with the temporary password that opens it."""
    return _to_owner(user, "admin/activated", {"life_seconds": life_seconds}, {"temporary_password": password})


def refused_mail(user: User, reason: str) -> MailMessage:
    """Tell the applicant that the request was refused, and why."""
    return _to_owner(user, "admin/refused", {"reason": reason})


def disabled_mail(user: User) -> MailMessage:
    """Tell the owner that the account is disabled."""
    return _to_owner(user, "admin/disabled")


def enabled_mail(user: User) -> MailMessage:
    """Tell the owner that the account is active again."""
    return _to_owner(user, "admin/enabled")


def invitation_mail(user: User, password: str, *, life_seconds: int) -> MailMessage:
    """Invite somebody for whom an operator made the account."""
    context = {"life_seconds": life_seconds, "role": user.role}
    return _to_owner(user, "admin/invitation", context, {"temporary_password": password})


def waiting_mail(admin: User, count: int) -> MailMessage:
    """Remind an administrator of the requests that wait."""
    return _to_owner(admin, "user/requests_waiting", {"count": count, "reminder": True})


def waiting_mail_to_operator(region: str, operator_mail: str, count: int) -> MailMessage:
    """Tell the operator that a region leaves its requests waiting."""
    context = {"prenom": "", "count": count, "reminder": True}
    return MailMessage(region, operator_mail, "fr", "user/requests_waiting", context)


def _to_owner(
    user: User, template: str, context: dict[str, Any] | None = None, secrets: dict[str, str] | None = None
) -> MailMessage:
    values = {"prenom": user.prenom, **(context or {})}
    return MailMessage(user.region, user.mail, user.langue, template, values, secrets or {}, user_id=user.id)
