"""What can be wrong with an act on an account."""

from terristory.errors import DomainError, Kind


class LastAdmin(DomainError):
    """A region must keep an active administrator."""

    code = "last_admin"
    kind = Kind.CONFLICT
