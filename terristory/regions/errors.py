"""What can be wrong with a region."""

from terristory.errors import DomainError, Kind


class UnknownRegion(DomainError):
    """No region has this key."""

    code = "unknown_region"
    kind = Kind.NOT_FOUND


class RegionNotDescribed(DomainError):
    """A region opens once it has said who answers for the data: `missing` names what `regions set` must fill."""

    code = "region_not_described"
    kind = Kind.CONFLICT

    def __init__(self, missing: list[str]) -> None:
        super().__init__()
        self.missing = missing
