"""What can be wrong with a region."""

from terristory.errors import DomainError, Kind


class UnknownRegion(DomainError):
    """No region has this key."""

    code = "unknown_region"
    kind = Kind.NOT_FOUND
