"""Commands on regions: load, list, open, close, set."""

import sys
from collections.abc import Sequence

import click
from flask.cli import AppGroup

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.operations.opening import change_description, close_to_public, open_to_public
from terristory.regions.catalogue import load_regions, still_owed_by
from terristory.regions.errors import UnknownRegion
from terristory.regions.lookup import all_regions, find_region
from terristory.web.settings_in_force import settings_in_force

regions = AppGroup("regions", help="The regions: which exist, which are open, what they say about themselves.")
UNKNOWN = "Unknown region. `flask --app wsgi regions list` names them all."
# What each setting is, for whoever is asked and for the help of `regions set`.
MEANINGS = {
    "contact": "Mail address shown to people, and Reply-To of every mail",
    "organisme": "Legal person that is the data controller",
    "dpo": "How to reach the data protection officer",
    "adresse": "Postal address of the organisation",
    "directeur_publication": "Publishing director, for the legal notice",
    "hebergeur": "Host, for the legal notice",
    "delai": "Usual delay of a decision, such as « sous cinq jours ouvrés »",
}


@regions.command("load")
def load() -> None:
    """Add the 18 regions of France that are missing (closed in production, open in development)."""
    with transaction():
        added = load_regions(open_all=not settings_in_force().production)
    click.echo(f"{added} regions added.")


@regions.command("list")
def list_all() -> None:
    """List every region: key, open or closed, name, contact."""
    for region in all_regions():
        state = "open" if region.is_open else "closed"
        click.echo(f"{region.key}\t{state}\t{region.nom}\t{region.contact or '-'}")


@regions.command("open")
@click.argument("keys", nargs=-1, required=True)
def open_some(keys: tuple[str, ...]) -> None:
    """Open regions; in production, ask at a terminal for what each still owes its people, and name what stays unsaid.

    Without a terminal nothing is asked: the regions open, and stderr names what is missing (`regions set`).
    """
    answers = _ask_what_is_owed(keys) if _is_asked() else {}
    try:
        with transaction():
            for key, description in answers.items():
                change_description(key, description, now=utc_now())
            opened = open_to_public(keys, now=utc_now())
    except UnknownRegion:
        raise click.ClickException(UNKNOWN) from None
    click.echo("Open: " + ", ".join(region.key for region in opened))
    for region in opened:
        options = " ".join(_option(name) for name in still_owed_by(region))
        if options:
            click.echo(f"{region.key} has not said all that its people may ask: `regions set` {options}", err=True)


@regions.command("close")
@click.argument("keys", nargs=-1, required=True)
def close_some(keys: tuple[str, ...]) -> None:
    """Close regions: from outside they answer 404; nothing is deleted."""
    try:
        with transaction():
            closed = close_to_public(keys, now=utc_now())
    except UnknownRegion:
        raise click.ClickException(UNKNOWN) from None
    click.echo("Closed: " + ", ".join(region.key for region in closed))


@regions.command("set")
@click.argument("key")
@click.option("--contact", help=MEANINGS["contact"])
@click.option("--organisme", help=MEANINGS["organisme"])
@click.option("--dpo", help=MEANINGS["dpo"])
@click.option("--adresse", help=MEANINGS["adresse"])
@click.option("--directeur-publication", help=MEANINGS["directeur_publication"])
@click.option("--hebergeur", help=MEANINGS["hebergeur"])
@click.option("--delai", help=MEANINGS["delai"])
def set_description(key: str, **description: str | None) -> None:
    """Set what a region says about itself."""
    given = {name: value for name, value in description.items() if value is not None}
    for name, value in given.items():
        if fault := _fault_of(name, value):
            raise click.ClickException(fault)
    try:
        with transaction():
            region = change_description(key, given, now=utc_now())
    except UnknownRegion:
        raise click.ClickException(UNKNOWN) from None
    click.echo(f"{region.nom}: " + (", ".join(given) or "nothing") + " set.")


def _is_asked() -> bool:
    return settings_in_force().production and sys.stdin.isatty()


def _ask_what_is_owed(keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """Ask for each missing thing of each region; return the answers by region, without those left empty."""
    answers: dict[str, dict[str, str]] = {}
    for key in keys:
        region = find_region(key)
        owed = still_owed_by(region) if region else []
        if owed:
            click.echo(f"{key}: its pages must say who answers for the data. Enter leaves a line unsaid.", err=True)
        said = {name: _ask(name) for name in owed}
        answers[key] = {name: value for name, value in said.items() if value}
    return {key: description for key, description in answers.items() if description}


def _ask(name: str) -> str:
    def judged(value: str) -> str:
        if fault := _fault_of(name, value):
            raise click.UsageError(fault)  # click says it and asks again
        return value.strip()

    answer: str = click.prompt(
        f"{_option(name)} ({MEANINGS[name]})", default="", show_default=False, value_proc=judged, err=True
    )
    return answer


def _fault_of(name: str, value: str) -> str | None:
    """Say what would spoil a page or a mail header, or None."""
    if any(ord(character) < 32 for character in value):
        return f"{_option(name)} must be one line of text."
    if name == "contact" and value and ("@" not in value or " " in value.strip()):
        return "--contact must be a mail address."
    return None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
