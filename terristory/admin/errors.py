"""Situations of the feature."""

from terristory.errors import DomainError, Kind


class MailTaken(DomainError):
    """The region has an account of that address already."""

    code = "mail_taken"
    kind = Kind.CONFLICT
