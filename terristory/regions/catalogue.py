"""The regions of France (INSEE, code officiel géographique), and what an operator does with them."""

import csv
from collections.abc import Mapping, Sequence
from importlib.resources import files

from terristory.extensions import db
from terristory.regions.errors import UnknownRegion
from terristory.regions.lookup import all_regions, find_region
from terristory.regions.models import Region

# What the people of a region must be able to read before they give their data (GDPR, articles 13 and 14).
OWED_TO_PEOPLE = ("contact", "organisme", "adresse", "directeur_publication", "hebergeur", "dpo")
DESCRIPTION = (*OWED_TO_PEOPLE, "delai")


def load_regions(*, open_all: bool = False) -> int:
    """Add the regions that are missing, open when `open_all`; those known already are left as they are.

    Return how many were added.
    """
    known = {region.key for region in all_regions()}
    text = files("terristory.regions").joinpath("regions.csv").read_text("utf-8")
    missing = [row for row in csv.DictReader(text.splitlines()) if row["key"] not in known]
    db.session.add_all(Region(**row, is_open=open_all) for row in missing)
    db.session.flush()
    return len(missing)


def still_owed_by(region: Region) -> list[str]:
    """Return what a region has not said of itself and owes to its people: who answers for the data, and where."""
    return [name for name in OWED_TO_PEOPLE if not getattr(region, name)]


def open_regions_named(keys: Sequence[str]) -> list[Region]:
    """Open regions to the outside. Raises UnknownRegion, and then opens none."""
    regions = [_known(key) for key in keys]
    for region in regions:
        region.is_open = True
    db.session.flush()
    return regions


def close_regions_named(keys: Sequence[str]) -> list[Region]:
    """Close regions: to the outside they do not exist any more; nothing is deleted. Raises UnknownRegion."""
    regions = [_known(key) for key in keys]
    for region in regions:
        region.is_open = False
    db.session.flush()
    return regions


def describe_region(key: str, description: Mapping[str, str]) -> Region:
    """Set what a region prints about itself (names of DESCRIPTION). Raises UnknownRegion."""
    region = _known(key)
    for name in DESCRIPTION:
        if name in description:
            setattr(region, name, description[name].strip())
    db.session.flush()
    return region


def _known(key: str) -> Region:
    region = find_region(key)
    if region is None:
        raise UnknownRegion
    return region
