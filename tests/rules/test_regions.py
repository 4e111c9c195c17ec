"""The catalogue of regions, and what an operator does with them."""

from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from terristory.audit.models import AuditLine
from terristory.database import transaction
from terristory.extensions import db
from terristory.operations.opening import change_description, close_to_public, open_to_public
from terristory.regions.catalogue import OWED_TO_PEOPLE, load_regions
from terristory.regions.errors import UnknownRegion
from terristory.regions.lookup import all_regions, find_open_region, find_region, open_regions
from terristory.regions.models import Region
from tests.support.clock import Clock

pytestmark = pytest.mark.usefixtures("app")
DESCRIPTION = {name: f"{name} de la région" for name in OWED_TO_PEOPLE}


def events() -> list[tuple[str, str]]:
    """Return the trail as (event, region)."""
    return [(line.event, line.region) for line in db.session.scalars(select(AuditLine).order_by(AuditLine.id))]


def test_the_catalogue_holds_the_eighteen_regions_of_france() -> None:
    regions = all_regions()
    assert len(regions) == 18
    assert len({region.insee_code for region in regions}) == 18
    assert find_region("bretagne").insee_code == "53"
    assert find_region("la-reunion").time_zone == "Indian/Reunion"


def test_every_region_has_a_real_time_zone_and_a_lower_case_ascii_key() -> None:
    for region in all_regions():
        assert ZoneInfo(region.time_zone)
        assert region.key.isascii() and region.key == region.key.lower()


def test_regions_stand_in_the_order_of_their_names_accents_aside() -> None:
    names = [region.nom for region in open_regions()]
    assert names.index("Hauts-de-France") < names.index("Île-de-France") < names.index("La Réunion")


def test_loading_again_adds_nothing_and_changes_nothing() -> None:
    with transaction():
        bretagne = find_region("bretagne")
        bretagne.is_open, bretagne.contact = False, "contact@bretagne.example"
        assert load_regions(open_all=True) == 0
    assert find_open_region("bretagne") is None
    assert find_region("bretagne").contact == "contact@bretagne.example"


def test_a_missing_region_comes_back_closed_in_production() -> None:
    with transaction():
        db.session.delete(find_region("corse"))
        db.session.flush()
        assert load_regions(open_all=False) == 1
    assert find_region("corse").is_open is False


def test_a_region_that_has_not_said_who_answers_for_the_data_opens_and_the_command_names_what_is_missing(
    app: Flask,
) -> None:
    close_all()
    opened = app.test_cli_runner().invoke(args=["regions", "open", "bretagne"])
    assert opened.exit_code == 0
    assert opened.stdout == "Open: bretagne\n"
    assert all("--" + name.replace("_", "-") in opened.stderr for name in OWED_TO_PEOPLE)
    assert find_open_region("bretagne") is not None


def test_of_several_regions_none_opens_when_one_is_unknown(clock: Clock) -> None:
    close_all()
    with pytest.raises(UnknownRegion), transaction():
        open_to_public(["bretagne", "atlantide"], now=clock.now())
    assert open_regions() == []


def test_opening_describing_and_closing_leave_their_lines_in_the_trail(clock: Clock) -> None:
    close_all()
    with transaction():
        change_description("bretagne", DESCRIPTION, now=clock.now())
        open_to_public(["bretagne"], now=clock.now())
        close_to_public(["bretagne"], now=clock.now())
    assert events() == [
        ("region.changed", "bretagne"),
        ("region.opened", "bretagne"),
        ("region.closed", "bretagne"),
    ]


def test_the_trail_names_what_changed_and_not_its_text(clock: Clock) -> None:
    with transaction():
        change_description("bretagne", {"contact": "a.martin@bretagne.example"}, now=clock.now())
    line = db.session.scalars(select(AuditLine)).one()
    assert line.details == {"fields": "contact"}


@pytest.mark.parametrize("arguments", [["open"], ["close"], ["set"]])
def test_the_command_on_an_unknown_region_says_so_and_fails(app: Flask, arguments: list[str]) -> None:
    result = app.test_cli_runner().invoke(args=["regions", *arguments, "atlantide"])
    assert result.exit_code == 1
    assert "Unknown region" in result.output and "regions list" in result.output


def test_a_region_is_described_closed_and_opened_by_commands(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    assert run(args=["regions", "set", "bretagne", "--contact", "contact@bretagne.example"]).exit_code == 0
    assert run(args=["regions", "close", "bretagne"]).exit_code == 0
    listed = run(args=["regions", "list"]).output
    assert "bretagne\tclosed\tBretagne\tcontact@bretagne.example" in listed
    assert run(args=["regions", "open", "bretagne"]).exit_code == 0
    assert "bretagne\topen" in run(args=["regions", "list"]).output


@pytest.mark.parametrize("contact", ["no address", "two@places here", "line@break.example\nBcc: x"])
def test_a_contact_that_is_no_mail_address_is_refused(app: Flask, contact: str) -> None:
    result = app.test_cli_runner().invoke(args=["regions", "set", "bretagne", "--contact", contact])
    assert result.exit_code == 1
    assert find_region("bretagne").contact == ""


def close_all() -> None:
    """Close every region."""
    with transaction():
        for region in db.session.scalars(select(Region)):
            region.is_open = False
