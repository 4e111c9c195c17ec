"""What one's own account may refuse."""

from terristory.errors import DomainError, Kind


class UnknownSession(DomainError):
    """No session of one's own has this id, or it has ended."""

    code = "not_found"
    kind = Kind.NOT_FOUND
