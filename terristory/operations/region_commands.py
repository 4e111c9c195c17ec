"""Commands on regions: load, list, open, close, set."""

import click
from flask import current_app
from flask.cli import AppGroup

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.operations.opening import change_description, close_to_public, open_to_public
from terristory.regions.catalogue import load_regions, still_owed_by
from terristory.regions.errors import UnknownRegion
from terristory.regions.lookup import all_regions

regions = AppGroup("regions", help="The regions: which exist, which are open, what they say about themselves.")
UNKNOWN = "Unknown region. `flask --app wsgi regions list` names them all."


@regions.command("load")
def load() -> None:
    """Add the 18 regions of France that are missing (closed in production, open in development)."""
    with transaction():
        added = load_regions(open_all=not current_app.config["SETTINGS"].production)
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
    """Open regions; name on stderr what each still owes its people (`regions set`: who answers for the data)."""
    try:
        with transaction():
            opened = open_to_public(keys, now=utc_now())
    except UnknownRegion:
        raise click.ClickException(UNKNOWN) from None
    click.echo("Open: " + ", ".join(region.key for region in opened))
    for region in opened:
        options = " ".join("--" + name.replace("_", "-") for name in still_owed_by(region))
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
@click.option("--contact", help="Mail address shown to people, and Reply-To of every mail.")
@click.option("--organisme", help="Legal person that is the data controller.")
@click.option("--dpo", help="How to reach the data protection officer.")
@click.option("--adresse", help="Postal address of the organisation.")
@click.option("--directeur-publication", help="Publishing director, for the legal notice.")
@click.option("--hebergeur", help="Host, for the legal notice.")
@click.option("--delai", help="Usual delay of a decision, such as « sous cinq jours ouvrés ».")
def set_description(key: str, **description: str | None) -> None:
    """Set what a region says about itself."""
    given = {name: value for name, value in description.items() if value is not None}
    for name, value in given.items():
        if any(ord(character) < 32 for character in value):
            raise click.ClickException(f"--{name.replace('_', '-')} must be one line of text.")
    contact = given.get("contact")
    if contact and ("@" not in contact or " " in contact.strip()):
        raise click.ClickException("--contact must be a mail address.")
    try:
        with transaction():
            region = change_description(key, given, now=utc_now())
    except UnknownRegion:
        raise click.ClickException(UNKNOWN) from None
    click.echo(f"{region.nom}: " + (", ".join(given) or "nothing") + " set.")
