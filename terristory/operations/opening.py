"""Opening, closing and describing regions, each with its line in the audit trail."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.regions.catalogue import close_regions_named, describe_region, open_regions_named
from terristory.regions.models import Region


def open_to_public(keys: Sequence[str], *, now: datetime) -> list[Region]:
    """Open regions and say so in the trail. Raises UnknownRegion, and then opens none."""
    regions = open_regions_named(keys)
    for region in regions:
        record(AuditEvent.REGION_OPENED, region=region.key, now=now)
    return regions


def close_to_public(keys: Sequence[str], *, now: datetime) -> list[Region]:
    """Close regions and say so in the trail: from outside they answer 404; nothing is deleted. Raises UnknownRegion."""
    regions = close_regions_named(keys)
    for region in regions:
        record(AuditEvent.REGION_CLOSED, region=region.key, now=now)
    return regions


def change_description(key: str, description: Mapping[str, str], *, now: datetime) -> Region:
    """Set what a region says of itself; the trail names the parts changed, not their text. Raises UnknownRegion."""
    region = describe_region(key, description)
    record(AuditEvent.REGION_CHANGED, region=key, now=now, details={"fields": ", ".join(sorted(description))})
    return region
